//! How much a check may spend.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Past any of these a check is inconclusive.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Wall time.
    pub time: Duration,
    /// Memory of the search (the history itself not counted).
    pub memory_bytes: u64,
    /// Set from another thread, this ends the check soon.
    pub cancel: Option<Arc<AtomicBool>>,
}

impl Default for Limits {
    /// One minute, one gibibyte.
    fn default() -> Self {
        Self { time: Duration::from_secs(60), memory_bytes: 1 << 30, cancel: None }
    }
}
