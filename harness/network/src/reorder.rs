//! Reordering: a message waits until a later one on its link has overtaken it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// How long a message waits for another to overtake it; on a quiet link nobody comes.
const HOLD_MS_MAX: u64 = 300;

/// The one place of a link where a message waits to be overtaken.
#[derive(Default)]
pub(crate) struct Layby(Mutex<Option<oneshot::Sender<()>>>);

/// Carried by the overtaker. The held message may go when the overtaker's ANSWER is back: only then is it certain
/// which of the two was executed first.
pub(crate) struct Overtaken(oneshot::Sender<()>);

impl Overtaken {
    pub fn release(self) {
        let _ = self.0.send(());
    }
}

impl Layby {
    /// The message that waits, if one does: the caller overtakes it.
    pub fn overtake(&self) -> Option<Overtaken> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        held.filter(|held| !held.is_closed()).map(Overtaken)
    }

    /// Waits to be overtaken; `false` where nobody did in time.
    pub async fn hold(&self) -> bool {
        let (held, released) = oneshot::channel();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        let waited = tokio::time::timeout(Duration::from_millis(HOLD_MS_MAX), released).await;
        matches!(waited, Ok(Ok(())))
    }
}
