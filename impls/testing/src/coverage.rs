//! How often things happened.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How often the things happened that a test is about, over all its seeds: a test in which they do not proves nothing.
#[derive(Debug, Default)]
pub struct Coverage(Mutex<BTreeMap<&'static str, u64>>);

impl Coverage {
    /// `what` happened once more.
    pub fn count(&self, what: &'static str) {
        self.count_times(what, 1);
    }

    /// `what` happened so many times more.
    pub fn count_times(&self, what: &'static str, times: u64) {
        *self.counts().entry(what).or_default() += times;
    }

    /// How often `what` happened.
    #[must_use]
    pub fn times(&self, what: &str) -> u64 {
        self.counts().get(what).copied().unwrap_or(0)
    }

    /// All that `other` counted happened here, too.
    pub fn add(&self, other: &Self) {
        for (what, times) in other.counts().iter() {
            self.count_times(what, *times);
        }
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints each count.
    ///
    /// # Panics
    /// Something happened less often than it must.
    pub fn assert_at_least(&self, bounds: &[(&str, u64)]) {
        for (what, at_least) in bounds {
            let times = self.times(what);
            println!("{times:>7} {what}");
            assert!(times >= *at_least, "only {times} {what}");
        }
    }
}
