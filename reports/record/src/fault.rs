//! `faults.jsonl`: the faults that were planned, and what became of each.

use serde::{Deserialize, Serialize};

/// The family under which scenarios are recorded, beside the faults that they are made of: those are in families of their
/// own, with the scenario's name as their form.
pub const SCENARIOS: &str = "scenario";

/// One line of `faults.jsonl`. A fault has a `planned` line before anything is done, then `started` once it is seen
/// to take hold (or `missed`), then `healing` and `healed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// What happened, where it needs saying.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Where in its life a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultStep {
    /// Written down; nothing done yet.
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
