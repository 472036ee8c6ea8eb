//! Kinds: messages of some kinds between nodes are lost, late or doubled, and all others pass.

use std::collections::BTreeMap;

use network::{Delay, MessageFaults};
use rand::{
    Rng, RngExt,
    seq::{IndexedRandom, SliceRandom},
};
use record::Mishap;

use super::{
    network::touched,
    partition::{Link, link_names},
};
use crate::{
    environment::Environment,
    nemesis::fault::{Fault, Hits, Work},
};

/// How late messages of a kind may be everywhere, in milliseconds: an election must remain possible.
pub(in crate::nemesis) const DELAYS_MS: [u64; 4] = [5, 15, 40, 100];

/// A copy of a message comes so late at most, in milliseconds: after an election.
pub(super) const COPY_LATE_MS_MAX: u64 = 1000;

/// Half of these kinds, and one at least, have a delay each, one of these.
pub(in crate::nemesis) fn each_late(
    kinds: impl IntoIterator<Item = String>,
    delays_ms: &[u64],
    rng: &mut impl Rng,
) -> Mishaps {
    let mut kinds: Vec<String> = kinds.into_iter().collect();
    kinds.shuffle(rng);
    let late = |(place, kind)| {
        let delay_ms =
            delays_ms.choose(rng).copied().filter(|_| place == 0 || rng.random_bool(0.5));
        delay_ms.map(|delay_ms| (kind, Mishap::LateMs(delay_ms)))
    };
    kinds.into_iter().enumerate().filter_map(late).collect()
}

/// What happens to messages of which kinds.
pub type Mishaps = BTreeMap<String, Mishap>;

/// What happens to messages of some kinds on these links.
#[derive(Debug)]
struct Kinds {
    mishaps: Mishaps,
    links: Vec<Link>,
}

/// Does this to messages on these links.
pub(crate) fn chosen(mishaps: Mishaps, links: Vec<Link>) -> Box<dyn Fault> {
    Box::new(Kinds { mishaps, links })
}

fn message_faults(mishap: Mishap) -> MessageFaults {
    let none = MessageFaults::default();
    let late = |min_ms, max_ms| MessageFaults {
        delay: Some(Delay { probability: 1.0, min_ms, max_ms }),
        ..none
    };
    match mishap {
        Mishap::LateMs(ms) => late(ms, ms),
        Mishap::UpToMs(ms) => late(0, ms),
        Mishap::Lost => MessageFaults { drop_request: 0.5, ..none },
        Mishap::SomeLost => MessageFaults { drop_request: 0.2, ..none },
        Mishap::Doubled => {
            MessageFaults { duplicate: 1.0, duplicate_late_ms_max: COPY_LATE_MS_MAX, ..none }
        }
    }
}

/// The same for each kind.
pub(super) fn faults_of_kinds(mishaps: &Mishaps) -> BTreeMap<String, MessageFaults> {
    mishaps.iter().map(|(kind, mishap)| (kind.clone(), message_faults(*mishap))).collect()
}

/// What happens, in words: one word for all where the same happens to all, and there are several.
pub(in crate::nemesis) fn in_words(mishaps: &Mishaps) -> String {
    let mut different: Vec<Mishap> = mishaps.values().copied().collect();
    different.dedup();
    match different.as_slice() {
        [same] if mishaps.len() > 1 => format!("every message was {}", same.words()),
        _ => {
            let words =
                mishaps.iter().map(|(kind, mishap)| format!("{kind} was {}", mishap.words()));
            words.collect::<Vec<_>>().join(", ")
        }
    }
}

impl Kinds {
    fn set(&self, environment: &Environment, of_kinds: &BTreeMap<String, MessageFaults>) {
        for (from, to) in &self.links {
            environment.network.set_faults_of_kinds(from, to, of_kinds);
        }
    }
}

impl Fault for Kinds {
    fn form(&self) -> String {
        "kinds".to_owned()
    }

    fn targets(&self) -> Vec<String> {
        link_names(&self.links)
    }

    fn kinds(&self) -> Mishaps {
        self.mishaps.clone()
    }

    fn start<'a>(&'a self, environment: &'a Environment) -> Work<'a, Hits> {
        self.set(environment, &faults_of_kinds(&self.mishaps));
        Box::pin(async { Hits::on(self.targets()) })
    }

    fn observed(&self, environment: &Environment) -> Option<u64> {
        Some(touched(environment))
    }

    fn heal<'a>(&'a self, environment: &'a Environment, _: &'a [String]) -> Work<'a, Vec<String>> {
        self.set(environment, &BTreeMap::new());
        Box::pin(async { Vec::new() })
    }
}
