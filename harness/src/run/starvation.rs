//! Measures how late this very program is: on a starved machine nothing can be said about liveness.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use record::Mark;
use tokio::{task::JoinHandle, time::Instant};

use crate::stream::Stream;

/// A delay of so many milliseconds is recorded at its moment.
const RECORDED_MS: u64 = 250;

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Starvation {
    longest_ms: Arc<AtomicU64>,
    watching: JoinHandle<()>,
}

impl Starvation {
    /// Starts watching; long delays go into the record.
    #[must_use]
    pub fn watch(stream: Arc<Stream>) -> Self {
        let longest_ms = Arc::new(AtomicU64::new(0));
        let longest = Arc::clone(&longest_ms);
        let watching = tokio::spawn(async move {
            let nap = Duration::from_millis(50);
            loop {
                let asleep = Instant::now();
                tokio::time::sleep(nap).await;
                let late = asleep.elapsed().saturating_sub(nap);
                let late_ms = u64::try_from(late.as_millis()).unwrap_or(u64::MAX);
                longest.fetch_max(late_ms, Ordering::Relaxed);
                if late_ms >= RECORDED_MS {
                    stream.mark(&Mark::StarvedMs(late_ms));
                }
            }
        });
        Self { longest_ms, watching }
    }

    /// The longest delay so far.
    #[must_use]
    pub fn longest_ms(&self) -> u64 {
        self.longest_ms.load(Ordering::Relaxed)
    }
}

impl Drop for Starvation {
    fn drop(&mut self) {
        self.watching.abort();
    }
}
