//! What happened on a link, in numbers.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};

/// What happened on a link so far. Messages are requests; a duplicated one is delivered once here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCounters {
    /// Requests passed on.
    pub delivered: u64,
    /// Requests thrown away.
    pub request_dropped: u64,
    /// Requests passed on whose answer is thrown away.
    pub response_dropped: u64,
    /// Requests passed on a second time.
    pub duplicated: u64,
    /// Requests passed on late.
    pub delayed: u64,
    /// Requests certainly overtaken by a later one.
    pub reordered: u64,
    /// Times a gate took hold: bytes or the end of a stream held, a connection held or reset, the listener of a link
    /// closed that had carried something. (What the kernel refuses at a closed listener nobody can count.)
    pub stalled: u64,
    /// Connections carried as raw bytes, because they do not speak HTTP/1.1.
    pub raw: u64,
}

#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
pub(crate) struct Counters {
    pub delivered: Counter,
    pub request_dropped: Counter,
    pub response_dropped: Counter,
    pub duplicated: Counter,
    pub delayed: Counter,
    pub reordered: Counter,
    pub stalled: Counter,
    pub raw: Counter,
}

impl Counters {
    /// Whether anything ever passed.
    pub fn have_carried(&self) -> bool {
        self.delivered.get() + self.raw.get() > 0
    }

    pub fn snapshot(&self) -> LinkCounters {
        LinkCounters {
            delivered: self.delivered.get(),
            request_dropped: self.request_dropped.get(),
            response_dropped: self.response_dropped.get(),
            duplicated: self.duplicated.get(),
            delayed: self.delayed.get(),
            reordered: self.reordered.get(),
            stalled: self.stalled.get(),
            raw: self.raw.get(),
        }
    }
}
