//! What clients do to single keys.

use std::collections::BTreeMap;

use contract::{Operation, Outcome, manifest::Capability};

use super::{KEYS, key};
use crate::{Client, rotation::Turns, seeded::Seeded};

/// An operation on one key.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Get,
    Put,
    Append,
    Cas,
    PutHash,
}

/// Which operations a workload is made of.
#[derive(Debug)]
pub(super) struct Mix {
    /// How many of a hundred are of each kind.
    shares: &'static [(u64, Kind)],
    /// The functions of which each must succeed once.
    pub(super) must_succeed: &'static [&'static str],
    /// Whether a value shows the tokens that it was made of.
    pub(super) shows_tokens: bool,
}

/// Everything that a store can do with one key.
pub(super) static REGISTER: Mix = Mix {
    shares: &[
        (35, Kind::Get),
        (25, Kind::Cas),
        (20, Kind::Append),
        (10, Kind::PutHash),
        (10, Kind::Put),
    ],
    must_succeed: &["get", "put"],
    shows_tokens: true,
};

/// Values that only grow.
pub(super) static APPEND: Mix = Mix {
    shares: &[(25, Kind::Get), (75, Kind::Append)],
    must_succeed: &["get", "append"],
    shows_tokens: true,
};

/// Chains of hashes.
pub(super) static PUTHASH: Mix = Mix {
    shares: &[(25, Kind::Get), (75, Kind::PutHash)],
    must_succeed: &["get", "puthash"],
    shows_tokens: false,
};

impl Mix {
    /// The kind for a number below 100; a put, where the store cannot serve it.
    fn kind(&self, mut roll: u64, caps: &[Capability]) -> Kind {
        for (share, kind) in self.shares {
            if roll < *share {
                return if kind.is_served_with(caps) { *kind } else { Kind::Put };
            }
            roll -= share;
        }
        Kind::Put
    }
}

impl Kind {
    fn is_served_with(self, caps: &[Capability]) -> bool {
        let needs = match self {
            Self::Get | Self::Put => return true,
            Self::Append => Capability::Append,
            Self::Cas => Capability::Cas,
            Self::PutHash => Capability::PutHash,
        };
        caps.contains(&needs)
    }
}

/// A client that goes from key to key.
pub(super) struct RegisterClient {
    choices: Seeded,
    mix: &'static Mix,
    caps: Vec<Capability>,
    turns: Turns,
    /// What each key of the generation held when this client last knew.
    seen: BTreeMap<String, Option<String>>,
}

impl RegisterClient {
    /// A client that asks a store with these capabilities.
    pub(super) fn new(
        choices: Seeded,
        mix: &'static Mix,
        caps: Vec<Capability>,
        turns: Turns,
    ) -> Self {
        Self { choices, mix, caps, turns, seen: BTreeMap::new() }
    }
}

impl Client for RegisterClient {
    fn next(&mut self) -> Operation {
        let (keys, spent) = self.turns.next();
        if spent == 0 {
            self.seen.clear();
        }
        if keys.start > 0 && self.choices.chance(4) {
            // A write may be lost, or come back, long after it was made.
            return Operation::Get { key: key(self.choices.below(keys.start)) };
        }
        let key = key(keys.start + self.choices.below(KEYS));
        let kind = self.mix.kind(self.choices.below(100), &self.caps);
        let mut value = || format!("{};", self.choices.tag());
        match kind {
            Kind::Get => Operation::Get { key },
            Kind::Put => Operation::Put { value: value(), key },
            Kind::Append => Operation::Append { value: value(), key },
            Kind::PutHash => Operation::PutHash { value: value(), key },
            Kind::Cas => {
                let expect = self.seen.get(&key).cloned().flatten();
                Operation::Cas { value: value(), key, expect }
            }
        }
    }

    fn completed(&mut self, operation: &Operation, outcome: Option<&Outcome>) {
        let (key, now) = match (operation, outcome) {
            (
                Operation::Get { key } | Operation::Append { key, .. },
                Some(Outcome::Value { value }),
            ) => (key, value.clone()),
            (Operation::Put { key, value }, Some(Outcome::Done {}))
            | (Operation::Cas { key, value, .. }, Some(Outcome::Swapped { swapped: true, .. })) => {
                (key, Some(value.clone()))
            }
            (Operation::Cas { key, .. }, Some(Outcome::Swapped { value: Some(current), .. })) => {
                (key, current.clone())
            }
            // The answer does not say what it left.
            (Operation::PutHash { key, .. }, _) => {
                self.seen.remove(key);
                return;
            }
            _ => return,
        };
        self.seen.insert(key.clone(), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotation::Rotation;

    fn functions(mix: &'static Mix, caps: &[Capability]) -> BTreeMap<&'static str, u64> {
        let turns = Rotation::new(KEYS, 100).turns();
        let mut client = RegisterClient::new(Seeded::new(5, 1), mix, caps.to_vec(), turns);
        let mut functions = BTreeMap::new();
        for _ in 0..1000 {
            *functions.entry(client.next().name()).or_default() += 1;
        }
        functions
    }

    #[test]
    fn only_operations_the_store_can_serve_are_asked() {
        let names = |caps| functions(&REGISTER, caps).into_keys().collect::<Vec<_>>();
        assert_eq!(names(&[]), ["get", "put"]);
        assert_eq!(names(&[Capability::PutHash]), ["get", "put", "puthash"]);
    }

    #[test]
    fn a_mix_is_made_of_what_it_says() {
        for (mix, caps) in [(&APPEND, Capability::Append), (&PUTHASH, Capability::PutHash)] {
            let functions = functions(mix, &[caps]);
            assert_eq!(functions.len(), 2);
            assert!(mix.must_succeed.iter().all(|name| functions[name] > 200), "{functions:?}");
        }
    }
}
