//! `results.json`: the verdict and what it rests on.

use std::collections::BTreeMap;

pub use history::Quantiles;
use history::{CheckResult, Completion, Verdict};
use serde::{Deserialize, Serialize};

use crate::Behaviour;

/// `results.json`: written after the check; `--json` prints the same document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultsFile {
    /// The merged verdict.
    pub verdict: Verdict,
    /// [`crate::VERSION`].
    pub version: u32,
    /// The verdict in one plain sentence.
    pub summary: String,
    /// The consistency level that the store was held to; `None`: written before there was a choice.
    #[serde(default)]
    pub consistency: Option<String>,
    /// What each checker found.
    pub checks: Vec<CheckResult>,
    /// Operations of the main phase by function.
    pub operations: BTreeMap<String, Counts>,
    /// Latency of successful operations of the main phase, in milliseconds.
    pub latency_ms: Option<Quantiles>,
    /// Faults: how many were planned and how many were seen to take hold, by family.
    pub faults: BTreeMap<String, FaultCounts>,
    /// What a valid run must have seen, and what was seen.
    #[serde(default)]
    pub evidence: Vec<Measured>,
    /// What the store promises, how that was checked, and what came of it.
    #[serde(default)]
    pub promises: Vec<Promise>,
    /// How the store behaved: figures that decide nothing. `None`: written before they were kept.
    #[serde(default)]
    pub behaviour: Option<Behaviour>,
    /// What was odd but is no verdict: protocol errors, premises, a starved host.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The results folder.
    pub folder: String,
}

/// `failure.json`: why a run has no verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureFile {
    /// [`crate::VERSION`].
    pub version: u32,
    /// The exit code: 4 where the store is broken, 5 where the bench or the machine failed.
    pub exit: u8,
    /// What happened, in plain words; the end of a log may follow on further lines.
    pub error: String,
}

/// Something that was counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// What.
    pub what: String,
    /// How much a valid run must have seen; 0: it does not matter.
    pub asked: u64,
    /// How much was seen.
    pub seen: u64,
}

/// Something that the store promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// What is promised.
    pub promise: String,
    /// How it was checked, or what a run that checks it would need.
    pub how: String,
    /// What came of it; `None`: it was not checked.
    pub verdict: Option<Verdict>,
    /// What was seen.
    pub seen: String,
}

/// How operations of one function ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Succeeded.
    pub ok: u64,
    /// Certainly did not happen.
    pub fail: u64,
    /// Nobody knows.
    pub info: u64,
}

impl Counts {
    /// Counts one more operation.
    pub fn add<V>(&mut self, completion: &Completion<V>) {
        match completion {
            Completion::Ok(..) => self.ok += 1,
            Completion::Fail(..) => self.fail += 1,
            Completion::Info(_) => self.info += 1,
        }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.ok += other.ok;
        self.fail += other.fail;
        self.info += other.info;
    }
}

/// Planned and effective faults of a family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultCounts {
    /// Written into the plan.
    pub planned: u64,
    /// Seen to take hold.
    pub effective: u64,
}
