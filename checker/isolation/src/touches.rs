//! Which micro-operations of one transaction touch the same key.

use crate::history::{History, Micro};
use crate::ids::{NONE, Txn, id};

/// For the micro-operations of one transaction: the one before on the same key, and the first.
#[derive(Debug)]
pub(crate) struct Touches {
    /// The last position at which each key was touched; one before the current transaction counts for nothing.
    last: Vec<u32>,
    start: usize,
    before: Vec<u32>,
    first: Vec<u32>,
}

impl Touches {
    pub(crate) fn new(history: &History) -> Self {
        let last = vec![NONE; history.keys()];
        Self { last, start: 0, before: Vec::new(), first: Vec::new() }
    }

    /// Turns to another transaction; those come in the order of the history.
    pub(crate) fn enter(&mut self, history: &History, txn: Txn) {
        let span = history.span(txn);
        self.start = span.start;
        self.before.clear();
        self.first.clear();
        for position in span {
            let last = &mut self.last[history.micros[position].key() as usize];
            let known = *last != NONE && *last as usize >= self.start;
            self.before.push(if known { *last } else { NONE });
            self.first.push(if known {
                self.first[*last as usize - self.start]
            } else {
                id(position)
            });
            *last = id(position);
        }
    }

    /// The position of the micro-operation before this one on its key.
    pub(crate) fn before(&self, position: usize) -> Option<usize> {
        let before = self.before[position - self.start];
        (before != NONE).then_some(before as usize)
    }

    /// The position of the transaction's first micro-operation on this one's key.
    pub(crate) fn first(&self, position: usize) -> usize {
        self.first[position - self.start] as usize
    }

    /// The positions of all earlier micro-operations on this one's key, backwards.
    pub(crate) fn earlier(&self, position: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.before(position), |&position| self.before(position))
    }

    /// Whether a write follows a read without another write to the key in between.
    pub(crate) fn is_update(&self, history: &History, position: usize) -> bool {
        self.before(position).is_some_and(|before| {
            !matches!(history.micros[before], Micro::Write { .. } | Micro::Unknown { .. })
        })
    }
}
