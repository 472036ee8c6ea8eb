//! How often things happened.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// How often the things happened that a test is about, over all its seeds: a test in which they do not proves nothing.
#[derive(Debug, Default)]
pub struct Coverage(Mutex<BTreeMap<&'static str, u64>>);

impl Coverage {
    /// `what` happened once more.
    pub fn count(&self, what: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }

    /// How often `what` happened.
    #[must_use]
    pub fn times(&self, what: &str) -> u64 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(what).copied().unwrap_or(0)
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
