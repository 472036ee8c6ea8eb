//! Answers that can be read back.

use std::collections::BTreeMap;

use contract::{Answer, Configuration, Outcome, Refusal};
use serde::{Deserialize, Serialize};

/// An [`Answer`] that can be read back: on the wire the shape of an outcome depends on the operation, here it says what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StoredAnswer {
    Value(Option<String>),
    Previous(String),
    Swapped(bool),
    /// `cas` that also returned what the key holds.
    SwappedWithValue(bool, Option<String>),
    Values(BTreeMap<String, Option<String>>),
    Committed(bool, Option<Vec<Option<String>>>),
    Configuration(Configuration),
    Done,
    Refused(Refusal),
}

impl StoredAnswer {
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
            Self::Configuration(configuration) => {
                let owners: usize = configuration.shards.iter().map(of).sum();
                let servers = configuration.groups.iter().map(|(group, servers)| {
                    group.len()
                        + servers.iter().map(|id| size_of::<String>() + id.len()).sum::<usize>()
                });
                owners + servers.sum::<usize>()
            }
            Self::Refused(refusal) => size_of::<Refusal>() + refusal.message.len(),
            Self::Swapped(_) | Self::Done => size_of::<Self>(),
        }
    }
}

impl From<Answer> for StoredAnswer {
    fn from(answer: Answer) -> Self {
        let outcome = match answer {
            Answer::Ok(outcome) => outcome,
            Answer::Error(refusal) => return Self::Refused(refusal),
        };
        match outcome {
            Outcome::Value { value } => Self::Value(value),
            Outcome::Previous { previous } => Self::Previous(previous),
            Outcome::Swapped { swapped, value: None } => Self::Swapped(swapped),
            Outcome::Swapped { swapped, value: Some(value) } => {
                Self::SwappedWithValue(swapped, value)
            }
            Outcome::Values { values } => Self::Values(values),
            Outcome::Committed { committed, results } => Self::Committed(committed, results),
            Outcome::Configuration(configuration) => Self::Configuration(configuration),
            Outcome::Done {} => Self::Done,
        }
    }
}

impl From<StoredAnswer> for Answer {
    fn from(stored: StoredAnswer) -> Self {
        Self::Ok(match stored {
            StoredAnswer::Value(value) => Outcome::Value { value },
            StoredAnswer::Previous(previous) => Outcome::Previous { previous },
            StoredAnswer::Swapped(swapped) => Outcome::Swapped { swapped, value: None },
            StoredAnswer::SwappedWithValue(swapped, value) => {
                Outcome::Swapped { swapped, value: Some(value) }
            }
            StoredAnswer::Values(values) => Outcome::Values { values },
            StoredAnswer::Committed(committed, results) => {
                Outcome::Committed { committed, results }
            }
            StoredAnswer::Configuration(configuration) => Outcome::Configuration(configuration),
            StoredAnswer::Done => Outcome::Done {},
            StoredAnswer::Refused(refusal) => return Self::Error(refusal),
        })
    }
}
