//! Outcomes that can be read back.

use std::collections::BTreeMap;

use contract::Outcome;
use serde::{Deserialize, Serialize};

/// An [`Outcome`] that can be read back: on the wire its shape depends on the operation, here it says what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StoredOutcome {
    Value(Option<String>),
    Previous(String),
    Swapped(bool),
    /// `cas` that also returned what the key holds.
    SwappedWithValue(bool, Option<String>),
    Values(BTreeMap<String, Option<String>>),
    Committed(bool, Option<Vec<Option<String>>>),
    Done,
}

impl StoredOutcome {
    /// What it takes.
    pub(crate) fn bytes(&self) -> usize {
        let text = |value: &Option<String>| value.as_ref().map_or(0, String::len);
        let of = |value: &Option<String>| size_of::<Option<String>>() + text(value);
        match self {
            Self::Value(value) | Self::SwappedWithValue(_, value) => of(value),
            Self::Previous(previous) => size_of::<String>() + previous.len(),
            Self::Values(values) => {
                values.iter().map(|(key, value)| size_of::<String>() + key.len() + of(value)).sum()
            }
            Self::Committed(_, results) => results.iter().flatten().map(of).sum(),
            Self::Swapped(_) | Self::Done => size_of::<Self>(),
        }
    }
}

impl From<Outcome> for StoredOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Value { value } => Self::Value(value),
            Outcome::Previous { previous } => Self::Previous(previous),
            Outcome::Swapped { swapped, value: None } => Self::Swapped(swapped),
            Outcome::Swapped { swapped, value: Some(value) } => {
                Self::SwappedWithValue(swapped, value)
            }
            Outcome::Values { values } => Self::Values(values),
            Outcome::Committed { committed, results } => Self::Committed(committed, results),
            Outcome::Done {} => Self::Done,
        }
    }
}

impl From<StoredOutcome> for Outcome {
    fn from(stored: StoredOutcome) -> Self {
        match stored {
            StoredOutcome::Value(value) => Self::Value { value },
            StoredOutcome::Previous(previous) => Self::Previous { previous },
            StoredOutcome::Swapped(swapped) => Self::Swapped { swapped, value: None },
            StoredOutcome::SwappedWithValue(swapped, value) => {
                Self::Swapped { swapped, value: Some(value) }
            }
            StoredOutcome::Values(values) => Self::Values { values },
            StoredOutcome::Committed(committed, results) => Self::Committed { committed, results },
            StoredOutcome::Done => Self::Done {},
        }
    }
}
