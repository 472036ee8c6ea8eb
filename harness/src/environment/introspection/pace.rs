//! How often nodes are asked what they act as.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

/// From one question to the next.
const PAUSE: Duration = Duration::from_millis(200);
/// The same for a while after one of them has changed: who leads in an election may do so for a few milliseconds only.
const PAUSE_AFTER_CHANGE: Duration = Duration::from_millis(20);
const AFTER_CHANGE: Duration = Duration::from_millis(600);
/// From one question to the next to a node that is down: it must be asked before others tell it what it has forgotten.
const PAUSE_OF_THE_DEAD: Duration = Duration::from_millis(10);

/// The pace of all questions to the nodes of a store.
#[derive(Debug, Default)]
pub struct Pace {
    changed: watch::Sender<Option<Instant>>,
    kills: AtomicU64,
}

impl Pace {
    /// A node changed what it acts as, or came back: others may change soon.
    pub fn hurry(&self) {
        self.changed.send_replace(Some(Instant::now()));
    }

    /// A node is about to be killed.
    pub fn kill(&self) {
        self.kills.fetch_add(1, Ordering::SeqCst);
        self.hurry();
    }

    /// How many were.
    pub fn kills(&self) -> u64 {
        self.kills.load(Ordering::SeqCst)
    }

    /// Returns when the next question is due to a node that is up, or down.
    pub(super) async fn rest(&self, is_down: bool) {
        if is_down {
            return sleep(PAUSE_OF_THE_DEAD).await;
        }
        let mut changed = self.changed.subscribe();
        let last = *changed.borrow_and_update();
        if last.is_some_and(|at| at.elapsed() < AFTER_CHANGE) {
            sleep(PAUSE_AFTER_CHANGE).await;
        } else {
            // Cut short by a change, wherever it is.
            let _ = timeout(PAUSE, changed.changed()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const UP: bool = false;

    #[tokio::test(start_paused = true)]
    async fn a_change_hastens_all_questions_for_a_while() {
        let pace = Arc::new(Pace::default());
        let rested = async |pace: &Pace| {
            let begun = Instant::now();
            pace.rest(UP).await;
            begun.elapsed()
        };
        assert_eq!(rested(&pace).await, PAUSE);
        let other = Arc::clone(&pace);
        let resting = tokio::spawn(async move {
            let begun = Instant::now();
            other.rest(UP).await;
            begun.elapsed()
        });
        sleep(Duration::from_millis(50)).await;
        pace.hurry();
        assert_eq!(resting.await.unwrap(), Duration::from_millis(50));
        assert_eq!(rested(&pace).await, PAUSE_AFTER_CHANGE);
        sleep(AFTER_CHANGE).await;
        assert_eq!(rested(&pace).await, PAUSE);
        let begun = Instant::now();
        pace.rest(!UP).await;
        assert_eq!(begun.elapsed(), PAUSE_OF_THE_DEAD);
    }
}
