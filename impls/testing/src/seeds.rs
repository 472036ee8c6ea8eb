//! Many runs, on every processor.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// After so many failures no further seed is tried.
const FAILURES_MAX: usize = 5;

/// Runs the seeds `0..count`.
///
/// # Panics
/// A run failed: prints the first few failures, each with its seed.
pub fn for_each_seed(count: u64, run: impl Fn(u64) -> Result<(), String> + Sync) {
    let next = AtomicU64::new(0);
    let list = Mutex::new(Vec::new());
    let failures = || list.lock().unwrap_or_else(PoisonError::into_inner);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= count || failures().len() >= FAILURES_MAX {
                break;
            }
            if let Err(reason) = run(seed) {
                failures().push(format!("seed {seed}: {reason}"));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    assert!(failures().is_empty(), "{}", failures().join("\n"));
}
