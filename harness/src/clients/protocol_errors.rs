//! Answers that broke the contract: how many, with examples.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Counts answers that broke the contract; keeps the first few kinds as examples.
#[derive(Debug, Default)]
pub struct ProtocolErrors(Mutex<BTreeMap<String, u64>>);

impl ProtocolErrors {
    /// At most this many different examples are kept.
    const EXAMPLES_MAX: usize = 5;
    /// And so much of each.
    const REASON_CHARS_MAX: usize = 200;

    /// What a store sends is hostile: bounded and escaped before anyone sees it.
    pub(super) fn record(&self, reason: &str) {
        let reason: String =
            reason.chars().take(Self::REASON_CHARS_MAX).flat_map(char::escape_debug).collect();
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = map.len() >= Self::EXAMPLES_MAX && !map.contains_key(&reason);
        *map.entry(if full { "other".to_owned() } else { reason }).or_default() += 1;
    }

    /// How many in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    /// How many of each.
    #[must_use]
    pub fn examples(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
