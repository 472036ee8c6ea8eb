//! Equal values under one number.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::register::INITIAL;

/// Numbers for the values of a register, and which of them have a writer.
pub(crate) struct Numbers<V> {
    of: FxHashMap<V, u32>,
    /// By number.
    pub(crate) values: Vec<V>,
    pub(crate) written: Vec<bool>,
}

impl<V: Copy + Eq + Hash> Numbers<V> {
    /// Only the initial value.
    pub(crate) fn new(initial: V) -> Self {
        let of = std::iter::once((initial, INITIAL)).collect();
        Self { of, values: vec![initial], written: vec![true] }
    }

    /// The value's number.
    pub(crate) fn of(&mut self, value: V) -> u32 {
        let next = self.values.len() as u32;
        let number = *self.of.entry(value).or_insert(next);
        if number == next {
            self.values.push(value);
            self.written.push(false);
        }
        number
    }

    /// The number of a value that is known already.
    pub(crate) fn known(&self, value: V) -> Option<u32> {
        self.of.get(&value).copied()
    }

    /// The number of a value that some operation leaves; `None` where it is the second one to leave it.
    pub(crate) fn left(&mut self, value: V) -> Option<u32> {
        let number = self.of(value);
        let again = std::mem::replace(&mut self.written[number as usize], true);
        (!again).then_some(number)
    }
}
