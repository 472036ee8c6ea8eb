//! How often nodes are asked what they act as.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

/// From one question to the next.
const PAUSE: Duration = Duration::from_millis(200);
/// The same for a while after one of them has changed: who leads in an election may do so for a few milliseconds only.
const PAUSE_AFTER_CHANGE: Duration = Duration::from_millis(20);
const AFTER_CHANGE: Duration = Duration::from_millis(600);
/// The same of a node that does not answer: what it has forgotten, others tell it soon after it is back.
const PAUSE_OF_THE_SILENT: Duration = Duration::from_millis(10);

/// The pace of all questions to the nodes of a store.
#[derive(Debug)]
pub struct Pace {
    changed: watch::Sender<Option<Instant>>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { changed: watch::Sender::new(None) }
    }
}

impl Pace {
    /// A node changed what it acts as, is killed, or came back: others may change soon.
    pub fn hurry(&self) {
        self.changed.send_replace(Some(Instant::now()));
    }

    /// Returns when the next question is due to a node that answered the last one, or did not.
    pub(super) async fn rest(&self, answered: bool) {
        if !answered {
            return sleep(PAUSE_OF_THE_SILENT).await;
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

    #[tokio::test(start_paused = true)]
    async fn a_change_hastens_all_questions_for_a_while() {
        let pace = Arc::new(Pace::default());
        let rested = async |pace: &Pace| {
            let begun = Instant::now();
            pace.rest(true).await;
            begun.elapsed()
        };
        assert_eq!(rested(&pace).await, PAUSE);
        let other = Arc::clone(&pace);
        let resting = tokio::spawn(async move {
            let begun = Instant::now();
            other.rest(true).await;
            begun.elapsed()
        });
        sleep(Duration::from_millis(50)).await;
        pace.hurry();
        assert_eq!(resting.await.unwrap(), Duration::from_millis(50));
        assert_eq!(rested(&pace).await, PAUSE_AFTER_CHANGE);
        sleep(AFTER_CHANGE).await;
        assert_eq!(rested(&pace).await, PAUSE);
        let begun = Instant::now();
        pace.rest(false).await;
        assert_eq!(begun.elapsed(), PAUSE_OF_THE_SILENT);
    }
}
