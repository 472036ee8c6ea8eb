//! Equal values under one number.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::step::INITIAL;
use crate::Content;

/// Not the number of a value.
const NONE: u32 = u32::MAX;

/// Numbers for the values of a register, and which of them have a writer.
pub(super) struct Numbers<'a> {
    /// Integers that are counted upwards, as nearly every history does: the number of each, or `NONE`.
    counted: Vec<u32>,
    /// Of each other value its number, with its hash; without the value itself, since a small table is a fast one.
    others: HashTable<(u64, u32)>,
    /// How many these make room for.
    room: usize,
    /// By number.
    pub(super) values: Vec<Content<'a>>,
    pub(super) written: Vec<bool>,
}

impl<'a> Numbers<'a> {
    /// Only the initial value, which counts as written, and room for so many others.
    pub(super) fn new(initial: Content<'a>, room: usize) -> Self {
        let (counted, others) = (Vec::new(), HashTable::new());
        Self { counted, others, room, values: vec![initial], written: vec![true] }
    }

    /// The value's number.
    pub(super) fn of(&mut self, value: Content<'a>) -> u32 {
        if let Some(number) = self.known(&value) {
            return number;
        }
        let number = self.values.len() as u32;
        match self.place(&value) {
            Some(place) => self.count(place, number),
            None => self.insert(hash_of(&value), number),
        }
        self.values.push(value);
        self.written.push(false);
        number
    }

    /// The number of a value that is known already.
    pub(super) fn known(&self, value: &Content<'_>) -> Option<u32> {
        if *value == self.values[INITIAL as usize] {
            return Some(INITIAL);
        }
        if let Content::Int(counted) = value
            && let Some(&number) =
                usize::try_from(*counted).ok().and_then(|at| self.counted.get(at))
            && number != NONE
        {
            return Some(number);
        }
        if self.others.is_empty() {
            return None;
        }
        let hash = hash_of(value);
        let is_value =
            |&(other, number): &(u64, u32)| other == hash && self.values[number as usize] == *value;
        self.others.find(hash, is_value).map(|&(_, number)| number)
    }

    /// Where a new value is counted, if it is not far beyond how many values there are.
    fn place(&self, value: &Content<'_>) -> Option<usize> {
        /// So many may come too early, and as many as there are.
        const AHEAD: usize = 64;
        let Content::Int(counted) = value else { return None };
        let place = usize::try_from(*counted).ok()?;
        (place < 2 * self.values.len() + AHEAD).then_some(place)
    }

    fn count(&mut self, place: usize, number: u32) {
        if self.counted.len() <= place {
            self.counted.resize(place + 1, NONE);
        }
        self.counted[place] = number;
    }

    fn insert(&mut self, hash: u64, number: u32) {
        if self.others.is_empty() {
            self.others.reserve(self.room, |&(hash, _)| hash);
        }
        self.others.insert_unique(hash, (hash, number), |&(hash, _)| hash);
    }

    /// The number of a value that some operation leaves; `None` where it is the second one to leave it.
    pub(super) fn left(&mut self, value: Content<'a>) -> Option<u32> {
        let number = self.of(value);
        let again = std::mem::replace(&mut self.written[number as usize], true);
        (!again).then_some(number)
    }
}

fn hash_of(value: &Content<'_>) -> u64 {
    FxBuildHasher.hash_one(value)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
    use rustc_hash::FxHashMap;

    use super::*;

    #[test]
    fn each_value_has_one_number_wherever_it_is_kept() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..200 {
            let initial =
                [Content::Nil, Content::Int(0), Content::Int(7)][rng.random_range(0..3)].clone();
            let mut numbers = Numbers::new(initial.clone(), 10);
            let mut expected = FxHashMap::from_iter([(initial, 0)]);
            let far = [3, 40, 1000, i128::MAX][rng.random_range(0..4)];
            for _ in 0..1000 {
                let value = match rng.random_range(0..10) {
                    0 => Content::Nil,
                    1 => Content::Text(rng.random_range(0..9).to_string().into()),
                    2 => Content::Int(rng.random_range(-far..=far)),
                    _ => Content::Int(rng.random_range(0..=far.min(500))),
                };
                let known = expected.get(&value).copied();
                assert_eq!(numbers.known(&value), known, "{value:?}");
                let next = expected.len() as u32;
                assert_eq!(numbers.of(value.clone()), *expected.entry(value).or_insert(next));
            }
        }
    }

    #[test]
    fn values_far_away_take_no_room_for_those_before_them() {
        let mut numbers = Numbers::new(Content::Nil, 10);
        for value in 0..50 {
            for near in [1 << value, (1 << value) + 63, value << 40] {
                numbers.of(Content::Int(near));
            }
        }
        assert!(numbers.counted.len() < 500);
    }
}
