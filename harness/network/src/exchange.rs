//! What the two pumps of a connection share: which answers are due, and in what order.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::framing::Verb;
use crate::reorder::Overtaken;
use crate::trigger::Catch;

/// Requests without an answer on one connection; who pipelines more is carried as raw bytes.
const DUE_MAX: usize = 10_000;
/// How long the end of a sender is kept from the receiver of its late message.
const SETTLE_MS_MAX: u64 = 5_000;

/// An answer that is still to come.
#[derive(Default)]
pub(crate) struct Due {
    pub verb: Verb,
    /// Throw the answer away.
    pub drop: bool,
    /// The request was touched by a fault or a gate, so its sender may be gone. Servers often abandon a request when
    /// its connection ends; a late write must be executed all the same, so the end waits for the answer.
    pub late: bool,
    /// Whom the request overtook.
    pub overtaken: Option<Overtaken>,
    /// Somebody waits for it.
    pub catch: Option<Catch>,
}

#[derive(Default)]
pub(crate) struct Exchange {
    due: Mutex<VecDeque<Due>>,
    answered: Notify,
    raw: AtomicBool,
    black_hole: AtomicBool,
    requests_ended: AtomicBool,
}

impl Exchange {
    /// A request goes out; `false` where too many are unanswered.
    pub fn push(&self, due: Due) -> bool {
        let mut queue = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let room = queue.len() < DUE_MAX;
        if room {
            queue.push_back(due);
        }
        room
    }

    /// The next answer begins: the method of its request, whether to drop it, and who waits for it. An unasked answer is
    /// passed on.
    pub fn next(&self) -> (Verb, bool, Option<Catch>) {
        let mut queue = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        queue
            .front_mut()
            .map_or((Verb::Other, false, None), |due| (due.verb, due.drop, due.catch.take()))
    }

    /// The next answer is complete.
    pub fn answered(&self) {
        let due = self.due.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(overtaken) = due.and_then(|due| due.overtaken) {
            overtaken.release();
        }
        self.answered.notify_one();
    }

    /// No answers will come any more.
    pub fn silenced(&self) {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.answered.notify_one();
    }

    /// Waits, within reason, until late messages are answered.
    pub async fn settled(&self) {
        let all = async {
            while self.has_late() {
                self.answered.notified().await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_millis(SETTLE_MS_MAX), all).await;
    }

    fn has_late(&self) -> bool {
        let queue = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        queue.iter().any(|due| due.late)
    }

    /// From here on both directions are plain bytes; `true` for the first to say so.
    pub fn go_raw(&self) -> bool {
        !self.raw.swap(true, Ordering::Relaxed)
    }

    pub fn is_raw(&self) -> bool {
        self.raw.load(Ordering::Relaxed)
    }

    /// Something was lost here: the client must hear nothing more, not even an end, until it gives up.
    pub fn black_hole(&self) {
        self.black_hole.store(true, Ordering::Relaxed);
    }

    pub fn is_black_hole(&self) -> bool {
        self.black_hole.load(Ordering::Relaxed)
    }

    /// The client's stream has ended, and this was passed on.
    pub fn end_requests(&self) {
        self.requests_ended.store(true, Ordering::Relaxed);
    }

    pub fn requests_ended(&self) -> bool {
        self.requests_ended.load(Ordering::Relaxed)
    }
}
