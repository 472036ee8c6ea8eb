//! Measures how late this very program is: on a starved machine nothing can be said about liveness.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinHandle, time::Instant};

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Starvation {
    longest_ms: Arc<AtomicU64>,
    watching: JoinHandle<()>,
}

impl Starvation {
    /// Starts watching.
    #[must_use]
    pub fn watch() -> Self {
        let longest_ms = Arc::new(AtomicU64::new(0));
        let longest = Arc::clone(&longest_ms);
        let watching = tokio::spawn(async move {
            let nap = Duration::from_millis(50);
            loop {
                let asleep = Instant::now();
                tokio::time::sleep(nap).await;
                let late = asleep.elapsed().saturating_sub(nap);
                longest.fetch_max(
                    u64::try_from(late.as_millis()).unwrap_or(u64::MAX),
                    Ordering::Relaxed,
                );
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
