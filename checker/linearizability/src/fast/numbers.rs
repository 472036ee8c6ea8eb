//! Equal values under one number.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::Content;

/// Numbers for the values of a register, and which of them have a writer.
pub(super) struct Numbers<'a> {
    /// Each value's number, with its hash; without the value itself, since a small table is a fast one.
    of: HashTable<(u64, u32)>,
    /// By number.
    pub(super) values: Vec<Content<'a>>,
    pub(super) written: Vec<bool>,
}

impl<'a> Numbers<'a> {
    /// Only the initial value, and room for so many others.
    pub(super) fn new(initial: Content<'a>, room: usize) -> Self {
        let of = HashTable::with_capacity(room);
        let mut numbers = Self { of, values: Vec::new(), written: Vec::new() };
        numbers.left(initial);
        numbers
    }

    /// The value's number.
    pub(super) fn of(&mut self, value: Content<'a>) -> u32 {
        let hash = hash_of(&value);
        if let Some(number) = self.find(hash, &value) {
            return number;
        }
        let number = self.values.len() as u32;
        self.of.insert_unique(hash, (hash, number), |&(hash, _)| hash);
        self.values.push(value);
        self.written.push(false);
        number
    }

    /// The number of a value that is known already.
    pub(super) fn known(&self, value: &Content<'_>) -> Option<u32> {
        self.find(hash_of(value), value)
    }

    fn find(&self, hash: u64, value: &Content<'_>) -> Option<u32> {
        let is_value =
            |&(other, number): &(u64, u32)| other == hash && self.values[number as usize] == *value;
        self.of.find(hash, is_value).map(|&(_, number)| number)
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
