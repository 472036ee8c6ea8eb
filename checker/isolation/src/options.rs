//! What to check, and how much that may cost.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::Consistency;

/// What to check, and how much that may cost. Past any of its limits a check is inconclusive, unless it has found a
/// violation.
#[derive(Clone, Debug)]
pub struct Options {
    /// What must hold. Everything found is told; this decides the verdict.
    pub consistency: Consistency,
    /// How many edges the searches for cycles may follow, some ten million a second. It bounds what comes after the
    /// linear part, which finds out whether there is any cycle, and has the same answer on every machine.
    pub work: u64,
    /// Wall time.
    pub time: Duration,
    /// Memory of the dependencies and their search (the history itself not counted).
    pub memory_bytes: u64,
    /// Set from another thread, this ends the check soon.
    pub cancel: Option<Arc<AtomicBool>>,
}

impl Options {
    /// As much as may be done within this time.
    #[must_use]
    pub fn within(time: Duration) -> Self {
        const STEPS_PER_MS: u64 = 10_000;
        let time_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self { time, work: time_ms.saturating_mul(STEPS_PER_MS), ..Self::default() }
    }
}

impl Default for Options {
    /// Strict serializability; work for some twenty seconds, one minute and four gigabytes at most.
    fn default() -> Self {
        Self {
            consistency: Consistency::StrictSerializable,
            work: 200_000_000,
            time: Duration::from_secs(60),
            memory_bytes: 4_000_000_000,
            cancel: None,
        }
    }
}
