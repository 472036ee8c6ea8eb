//! What is wrong with a run.

use std::fmt;

use node::sim::Operation;

use crate::recorder::Applied;

/// What is wrong with a run, and when it showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Virtual microseconds since the start.
    pub time_us: u64,
    /// For people.
    pub reason: String,
    /// The requests that prove it, where single ones do.
    pub requests: Vec<Applied>,
}

impl Failure {
    /// Something that no single requests prove.
    #[must_use]
    pub fn new(time_us: u64, reason: String) -> Self {
        Self { time_us, reason, requests: Vec::new() }
    }

    /// Something that these operations prove.
    #[must_use]
    pub fn of<'a>(
        operations: impl IntoIterator<Item = &'a Operation>,
        time_us: u64,
        reason: String,
    ) -> Self {
        let requests = operations.into_iter().map(|operation| (operation.client(), operation.seq));
        Self { time_us, reason, requests: requests.collect() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {}", seconds(self.time_us), self.reason)
    }
}

/// `1.234567 s`, as in the trace.
pub(crate) fn seconds(time_us: u64) -> String {
    format!("{}.{:06} s", time_us / 1_000_000, time_us % 1_000_000)
}
