//! What an explanation may still cost.

use std::cell::Cell;

use crate::limits::Budget;

/// Steps of work that an explanation may take: about as many operations looked at.
pub(crate) const WORK_MAX: u64 = 8_000_000;

/// Work that is left. It is counted, so that the same history always gets the same explanation, unless the clock of the
/// check runs out first.
pub(crate) struct Effort<'b> {
    budget: Budget<'b>,
    left: Cell<u64>,
    /// What each further phase may take beside what is left.
    share: u64,
}

impl<'b> Effort<'b> {
    /// So much work in all: half for a first phase, a quarter for each of two others.
    pub(crate) fn new(budget: Budget<'b>, work: u64) -> Self {
        Self { budget, left: Cell::new(work / 2), share: work / 4 }
    }

    /// Takes this much, or says that no more may be done: work, time, or the caller's patience is spent.
    pub(crate) fn spend(&self, work: u64) -> bool {
        let left = self.left.get();
        let enough = left >= work && (left / CLOCK == (left - work) / CLOCK || self.is_in_time());
        self.left.set(if enough { left - work } else { 0 });
        enough
    }

    pub(crate) fn left(&self) -> u64 {
        self.left.get()
    }

    /// Adds the next phase's share.
    pub(crate) fn next_phase(&self) {
        self.left.set(self.left.get() + self.share);
    }

    pub(crate) fn budget(&self) -> Budget<'b> {
        self.budget
    }

    fn is_in_time(&self) -> bool {
        self.budget.spent().is_none()
    }
}

/// The clock is looked at once in so many steps.
const CLOCK: u64 = 4096;
