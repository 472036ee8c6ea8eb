//! Real time without edges: whom a transaction precedes are those invoked after its return, the end of a sorted list.

use crate::ids::{NONE, id};

/// For one state of a search: who was reached through real time, and who leaves next.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    /// Transactions from this number on were reached.
    reached: usize,
    /// The earliest return so far, and from which place.
    earliest: u32,
    pub(crate) from: u32,
}

impl Line {
    /// Nobody has returned, and none of so many transactions was reached.
    pub(crate) fn new(txns: usize) -> Self {
        Self { reached: txns, earliest: NONE, from: NONE }
    }

    /// Somebody at this place returned.
    pub(crate) fn note_return(&mut self, returned: u32, place: u32) {
        if returned < self.earliest {
            (self.earliest, self.from) = (returned, place);
        }
    }

    /// Whether an invocation follows the earliest return.
    pub(crate) fn precedes(&self, call: u32) -> bool {
        call > self.earliest
    }

    /// Whether there is anyone left to reach; the invocations are ascending.
    pub(crate) fn leads_on(&self, calls: &[u32]) -> bool {
        calls[..self.reached].last().is_some_and(|&call| self.precedes(call))
    }

    /// The next transaction that is reached.
    pub(crate) fn next(&mut self, calls: &[u32]) -> Option<u32> {
        let leads_on = self.leads_on(calls);
        leads_on.then(|| {
            self.reached -= 1;
            id(self.reached)
        })
    }
}
