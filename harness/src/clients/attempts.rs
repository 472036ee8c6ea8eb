//! The attempts of one operation: where the next one goes, and what the past ones leave open.

use std::{ops::Range, time::Duration};

use contract::{Operation, Outcome};
use tokio::time::Instant;

use super::Patience;

/// How an operation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Performed {
    /// With this outcome.
    Ok(Outcome),
    /// It was certainly not executed.
    Fail,
    /// Nobody knows.
    Info,
}

impl Performed {
    /// The outcome, where there is one.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Ok(outcome) => Some(outcome),
            Self::Fail | Self::Info => None,
        }
    }
}

/// The attempts of one operation.
pub(super) struct Attempts {
    /// The node that is asked next.
    pub(super) node: usize,
    /// Why the last attempt gave no outcome.
    pub(super) reason: String,
    /// Whether some attempt may have been, or may yet be, executed.
    uncertain: bool,
    /// Attempts without an answer that could be used.
    failures: usize,
    each: Duration,
    deadline: Instant,
    /// Whether no other node may be asked: then there is one attempt.
    pinned: bool,
}

/// What follows an attempt.
pub(super) enum Next {
    /// The operation has ended.
    Done(Performed),
    /// Another attempt.
    Again,
    /// No further attempt: how it ended is what the attempts leave open.
    GiveUp,
}

impl Attempts {
    /// None yet; the first asks `node`.
    pub(super) fn new(node: usize, patience: Patience) -> Self {
        let deadline = Instant::now() + patience.operation;
        let (reason, each) = (String::new(), patience.attempt);
        Self { node, reason, uncertain: false, failures: 0, each, deadline, pinned: false }
    }

    /// One attempt, which asks `node` and has all the time there is.
    pub(super) fn pinned(node: usize, patience: Patience) -> Self {
        let patience = Patience { attempt: patience.operation, ..patience };
        Self { pinned: true, ..Self::new(node, patience) }
    }

    /// Whether nothing was heard yet, of this operation, but what may be the first refusal.
    pub(super) fn are_new(&self) -> bool {
        self.failures == 0 && !self.uncertain
    }

    /// The time for the next one.
    pub(super) fn limit(&self) -> Duration {
        self.each.min(self.time_left())
    }

    /// The time that is left for all further attempts.
    pub(super) fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// An attempt may have been, or may yet be, executed: without an answer nobody knows.
    pub(super) fn may_take_effect(&mut self) {
        self.uncertain = true;
    }

    /// The hinted node, unless hints have led nowhere for a whole round; whether there is one to follow.
    pub(super) fn follow_hint(&mut self, hinted: Option<usize>, nodes: usize) -> bool {
        let leads_on = |node: &usize| *node != self.node && self.failures < nodes && !self.pinned;
        let Some(node) = hinted.filter(leads_on) else { return false };
        self.failures += 1;
        self.node = node;
        true
    }

    /// The next of these nodes in turn; whether all of them were asked in vain, and there is another turn.
    pub(super) fn turn_to_next(&mut self, nodes: &Range<usize>) -> bool {
        if self.pinned {
            return false;
        }
        self.failures += 1;
        let next = self.node + 1;
        self.node = if nodes.contains(&next) { next } else { nodes.start };
        self.failures >= nodes.len()
    }

    /// Whether no further attempt may follow.
    pub(super) fn are_over(&self) -> bool {
        self.pinned || self.time_left().is_zero()
    }

    /// The end without an answer. A read changes nothing: where its answer is not known, it may count as failed.
    pub(super) fn give_up(&self, operation: &Operation) -> Performed {
        if self.uncertain && !operation.is_read_only() { Performed::Info } else { Performed::Fail }
    }
}
