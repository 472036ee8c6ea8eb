//! Numbers for the values of each key.

use rustc_hash::FxHashMap;

use crate::ids::{NONE, Version, id};
use crate::names::Datum;

/// The versions of all keys by value.
///
/// Nearly every history counts the values of a key upwards. Such values are places in a list: finding one costs a look at
/// memory that the one before it has warmed. All others are in a table.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    counted: Vec<Counted>,
    others: FxHashMap<(u32, Option<Datum>), Version>,
    versions: usize,
}

/// The versions of a key whose values are small.
#[derive(Debug, Default)]
struct Counted {
    /// By value; `NONE` where it is none.
    versions: Vec<Version>,
    /// How many there are.
    known: usize,
}

impl Counted {
    fn get(&self, value: usize) -> Option<Version> {
        self.versions.get(value).copied().filter(|&version| version != NONE)
    }

    /// Takes a new value, if it is not far beyond how many there are.
    fn insert(&mut self, value: usize, version: Version) -> bool {
        /// So many values may come too early, and as many as there are.
        const AHEAD: usize = 16;
        if value >= 2 * self.known + AHEAD {
            return false;
        }
        if self.versions.len() <= value {
            self.versions.resize(value + 1, NONE);
        }
        self.versions[value] = version;
        self.known += 1;
        true
    }
}

impl Numbering {
    /// The number of a value of a key, and whether that is a new one.
    pub(crate) fn number(&mut self, key: u32, value: Option<Datum>) -> (Version, bool) {
        let small = value.and_then(|value| usize::try_from(value).ok());
        let at = key as usize;
        if let Some(known) = small.and_then(|value| self.counted.get(at)?.get(value)) {
            return (known, false);
        }
        let next = id(self.versions);
        let is_other = !self.others.is_empty() && self.others.contains_key(&(key, value));
        let number = match small.filter(|_| !is_other) {
            Some(value) if self.of_key(at).insert(value, next) => next,
            _ => *self.others.entry((key, value)).or_insert(next),
        };
        self.versions += usize::from(number == next);
        (number, number == next)
    }

    fn of_key(&mut self, key: usize) -> &mut Counted {
        if self.counted.len() <= key {
            self.counted.resize_with(key + 1, Counted::default);
        }
        &mut self.counted[key]
    }

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        /// With what a table keeps free.
        const OTHER_BYTES: usize = 56;
        /// Half of the places may be empty, and as many again to come.
        const COUNTED_BYTES: usize = 4 * size_of::<Version>();
        let counted = self.versions - self.others.len();
        let lists = self.counted.len() * size_of::<Counted>();
        self.others.len() * OTHER_BYTES + counted * COUNTED_BYTES + lists
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    #[test]
    fn each_value_of_each_key_has_one_number_wherever_it_is_kept() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..100 {
            let (mut numbering, mut expected) = (Numbering::default(), FxHashMap::default());
            let far = *[3, 40, 1000, i64::MAX].get(rng.random_range(0..4)).unwrap();
            for _ in 0..2000 {
                let value = match rng.random_range(0..10) {
                    0 => None,
                    1 => Some(rng.random_range(-far..=far)),
                    _ => Some(rng.random_range(0..=far.min(500))),
                };
                let key = rng.random_range(0..4);
                let next = id(expected.len());
                let number = *expected.entry((key, value)).or_insert(next);
                assert_eq!(
                    numbering.number(key, value),
                    (number, number == next),
                    "{key} {value:?}"
                );
            }
        }
    }

    /// Once each value could double the room for the next.
    #[test]
    fn values_far_away_take_no_room_for_those_before_them() {
        let mut numbering = Numbering::default();
        for value in 0..50 {
            for near in [1 << value, (1 << value) + 15, value << 40] {
                numbering.number(0, Some(near));
            }
        }
        assert!(numbering.counted[0].versions.len() < 200);
    }
}
