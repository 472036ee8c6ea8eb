//! `faults.jsonl`: the faults that were planned, and what became of each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The family under which scenarios are recorded, beside the faults that they are made of: those are in families of their
/// own, with the scenario's name as their form.
pub const SCENARIOS: &str = "scenario";

/// One line of `faults.jsonl`. A fault has a `planned` line before anything is done, then `started` once it is seen
/// to take hold (or `missed`), then `healing` and `healed`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// The fault's number in the plan, from 0.
    pub fault: u64,
    /// Nanoseconds since the start of the run.
    #[serde(rename = "time")]
    pub time_ns: u64,
    /// The family: `partition`, `kill`, `pause`, `network`, `client`; or [`SCENARIOS`].
    pub family: String,
    /// Which form: `halves`, `isolate-leader`, `kill-minority`…
    pub form: String,
    /// Where in its life.
    pub step: FaultStep,
    /// The nodes it is aimed at; for partitions the links cut, as `n1>n2`.
    pub targets: Vec<String>,
    /// What happens to messages of single kinds, where that is what it does; said when it is planned.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kinds: BTreeMap<String, Mishap>,
    /// What happened, where it needs saying.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What happens to the messages of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mishap {
    /// All are late by so many milliseconds.
    LateMs(u64),
    /// Each is late by up to so many milliseconds, so that they overtake each other.
    UpToMs(u64),
    /// Every other one is lost.
    Lost,
    /// One in five is lost.
    SomeLost,
    /// All arrive twice, the second time perhaps late.
    Doubled,
}

impl Mishap {
    /// In words, of messages.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::LateMs(ms) => format!("{ms} ms late"),
            Self::UpToMs(ms) => format!("up to {ms} ms late"),
            Self::Lost => "half lost".to_owned(),
            Self::SomeLost => "sometimes lost".to_owned(),
            Self::Doubled => "doubled".to_owned(),
        }
    }
}

/// Where in its life a fault is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultStep {
    /// Written down; nothing done yet.
    #[default]
    Planned,
    /// Seen to take hold.
    Started,
    /// Tried, but not seen to take hold.
    Missed,
    /// About to be undone: from here on it may be over.
    Healing,
    /// Undone.
    Healed,
}
