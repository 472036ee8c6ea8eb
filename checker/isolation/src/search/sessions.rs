//! The order of processes without an edge for each pair: whom a transaction precedes are those that follow it, one by one.

use crate::component::Component;
use crate::ids::{NONE, id};
use crate::links::Mask;

/// The next transaction of each one's process.
#[derive(Debug)]
pub(super) struct Sessions(Vec<u32>);

impl Sessions {
    pub(super) fn new(component: &Component) -> Self {
        let follows = |txn| {
            let mut edges = component.graph.from(txn);
            edges.find(|(_, mask)| mask.has(Mask::PROCESS)).map_or(NONE, |(next, _)| next)
        };
        Self((0..id(component.txns.len())).map(follows).collect())
    }

    pub(super) fn next(&self, txn: u32) -> Option<u32> {
        self.0.get(txn as usize).copied().filter(|&next| next != NONE)
    }

    /// All that follow on its process, in order.
    pub(super) fn later(&self, txn: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(self.next(txn), |&txn| self.next(txn))
    }
}
