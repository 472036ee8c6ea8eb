//! Reordering: a message waits until a later one on its link has overtaken it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// How long a message waits for another to overtake it; on a quiet link nobody comes.
const HOLD_MS_MAX: u64 = 300;

/// The one place of a link where a message waits to be overtaken.
#[derive(Default)]
pub(crate) struct WaitingPlace(Mutex<Option<oneshot::Sender<()>>>);

/// Carried by the overtaker. The held message may go when the overtaker's ANSWER is back: only then is it certain
/// which of the two was executed first.
pub(crate) struct Overtaken(oneshot::Sender<()>);

impl Overtaken {
    pub fn release(self) {
        let _ = self.0.send(());
    }
}

/// What a message finds as it passes the place.
pub(crate) enum Passing {
    /// Nobody waits.
    Free,
    /// It overtakes the one that waits.
    Overtakes(Overtaken),
    /// It waits itself, until this is released.
    Waits(Held),
}

/// The other end of [`Overtaken`].
pub(crate) struct Held(oneshot::Receiver<()>);

impl Held {
    /// `false` where nobody overtook in time, or the overtaker was never answered.
    pub async fn released(self) -> bool {
        let limit = Duration::from_millis(HOLD_MS_MAX);
        matches!(tokio::time::timeout(limit, self.0).await, Ok(Ok(())))
    }
}

impl WaitingPlace {
    /// A message comes by; `may_wait` if the dice chose it to be overtaken.
    pub fn enter(&self, may_wait: bool) -> Passing {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One that gave up waiting is gone already.
        if let Some(waiting) = place.take().filter(|waiting| !waiting.is_closed()) {
            return Passing::Overtakes(Overtaken(waiting));
        }
        if !may_wait {
            return Passing::Free;
        }
        let (waiting, released) = oneshot::channel();
        *place = Some(waiting);
        Passing::Waits(Held(released))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_next_message_overtakes_and_releases_with_its_answer() {
        let place = WaitingPlace::default();
        let Passing::Waits(held) = place.enter(true) else { panic!("the place was free") };
        let Passing::Overtakes(overtaken) = place.enter(true) else { panic!("one waits") };
        assert!(matches!(place.enter(false), Passing::Free), "it is overtaken once");
        overtaken.release();
        assert!(held.released().await);
    }

    #[tokio::test]
    async fn an_overtaker_without_an_answer_proves_nothing() {
        let place = WaitingPlace::default();
        let Passing::Waits(held) = place.enter(true) else { panic!("the place was free") };
        drop(place.enter(false));
        assert!(!held.released().await);
    }

    #[tokio::test]
    async fn who_gave_up_waiting_is_not_overtaken() {
        let place = WaitingPlace::default();
        drop(place.enter(true));
        assert!(matches!(place.enter(false), Passing::Free));
    }
}
