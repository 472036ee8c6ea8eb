//! The client faults: replies lost and, where the store promises exactly-once, requests sent twice, while switched on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The switch of the client faults, and how often they have shown.
#[derive(Debug, Default)]
pub struct ClientFaults {
    on: AtomicBool,
    count: AtomicU64,
}

impl ClientFaults {
    /// From now on some replies are lost and some requests are sent twice.
    pub fn switch_on(&self) {
        self.on.store(true, Ordering::Relaxed);
    }

    /// From now on every reply is taken and every request is sent once.
    pub fn switch_off(&self) {
        self.on.store(false, Ordering::Relaxed);
    }

    /// Whether they are on.
    #[must_use]
    pub fn are_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// How many replies were lost so far, and how many copies answered.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// One more lost reply, or copy that was answered.
    pub(super) fn count_one(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }
}
