//! How long clients of MapReduce wait for jobs: it depends on when the faults were over, and when any job went on last.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};
use workloads::mapreduce::{NOT_DONE, TOO_SLOW};

/// So many times as long clients wait at most, where jobs go on.
const TIMES_MAX: u32 = 6;

/// What all clients know.
#[derive(Debug)]
pub struct Waits {
    /// When all faults were over; `None`: they are not.
    healed: watch::Sender<Option<Instant>>,
    /// When a job went on last.
    latest: Mutex<Instant>,
    /// So long nothing may go on after the faults.
    limit: Duration,
}

impl Waits {
    /// Nothing is healed yet; `limit`: how long nothing may go on afterwards.
    #[must_use]
    pub fn new(limit: Duration) -> Arc<Self> {
        let (healed, latest) = (watch::Sender::new(None), Mutex::new(Instant::now()));
        Arc::new(Self { healed, latest, limit })
    }

    /// All faults are over.
    pub fn heal(&self) {
        self.healed.send_replace(Some(Instant::now()));
    }

    /// Whether they are.
    #[must_use]
    pub fn is_healed(&self) -> bool {
        self.healed.borrow().is_some()
    }

    /// Returns when they are.
    pub async fn until_healed(&self) {
        // The sender is here.
        let _ = self.healed.subscribe().wait_for(Option::is_some).await;
    }

    /// A job went on.
    pub fn went_on(&self) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Why nobody has to wait any longer, as the beginning of a reason; `None`: there is time.
    #[must_use]
    pub fn over(&self) -> Option<&'static str> {
        let healed = (*self.healed.borrow())?;
        let latest = *self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now >= healed.max(latest) + self.limit {
            return Some(NOT_DONE);
        }
        (now >= healed + self.limit * TIMES_MAX).then_some(TOO_SLOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_goes_on_gets_more_time_but_not_for_ever() {
        let second = Duration::from_secs(1);
        let waits = Waits::new(10 * second);
        tokio::time::advance(100 * second).await;
        assert_eq!(waits.over(), None, "something may still be broken");
        waits.heal();
        tokio::time::advance(9 * second).await;
        assert_eq!(waits.over(), None);
        waits.went_on();
        tokio::time::advance(9 * second).await;
        assert_eq!(waits.over(), None);
        tokio::time::advance(second).await;
        assert_eq!(waits.over(), Some(NOT_DONE));
        for _ in 0..41 {
            waits.went_on();
            tokio::time::advance(second).await;
        }
        assert_eq!(waits.over(), Some(TOO_SLOW));
    }
}
