//! What is wrong with a run.

use std::fmt;

/// What is wrong with a run, and when it showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Virtual microseconds since the start.
    pub time_us: u64,
    /// For people.
    pub reason: String,
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
