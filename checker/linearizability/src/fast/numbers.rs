//! Equal values under one number.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::step::INITIAL;
use crate::Content;

/// Numbers for the values of a register, and which of them have a writer.
pub(super) struct Numbers<'a> {
    of: FxHashMap<Content<'a>, u32>,
    /// By number.
    pub(super) values: Vec<Content<'a>>,
    pub(super) written: Vec<bool>,
}

impl<'a> Numbers<'a> {
    /// Only the initial value.
    pub(super) fn new(initial: Content<'a>) -> Self {
        let of = std::iter::once((initial.clone(), INITIAL)).collect();
        Self { of, values: vec![initial], written: vec![true] }
    }

    /// The value's number.
    pub(super) fn of(&mut self, value: Content<'a>) -> u32 {
        match self.of.entry(value) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let number = self.values.len() as u32;
                self.values.push(new.key().clone());
                self.written.push(false);
                *new.insert(number)
            }
        }
    }

    /// The number of a value that is known already.
    pub(super) fn known(&self, value: &Content<'_>) -> Option<u32> {
        self.of.get(value).copied()
    }

    /// The number of a value that some operation leaves; `None` where it is the second one to leave it.
    pub(super) fn left(&mut self, value: Content<'a>) -> Option<u32> {
        let number = self.of(value);
        let again = std::mem::replace(&mut self.written[number as usize], true);
        (!again).then_some(number)
    }
}
