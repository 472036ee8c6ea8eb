//! How much a check may spend.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How much a check may spend. Past any of these it is inconclusive, unless it has already found a violation.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Wall time.
    pub time: Duration,
    /// Memory of the check; the history itself is not counted, but may take no more either.
    pub memory_bytes: u64,
    /// Threads, where a checker can use several; `None`: as many as the machine has cores, up to eight.
    pub threads: Option<usize>,
    /// Set from another thread, this ends the check soon.
    pub cancel: Option<Arc<AtomicBool>>,
}

impl Limits {
    /// The memory that a check may use where nobody says otherwise: four gigabytes.
    pub const DEFAULT_MEMORY_BYTES: u64 = 4_000_000_000;

    /// This much time, and the default of all else.
    #[must_use]
    pub fn within(time: Duration) -> Self {
        Self { time, memory_bytes: Self::DEFAULT_MEMORY_BYTES, threads: None, cancel: None }
    }
}

impl Default for Limits {
    /// One minute, four gigabytes.
    fn default() -> Self {
        Self::within(Duration::from_secs(60))
    }
}
