//! The schema of a results folder: every file it holds, defined once, for those who write and those who read.
//!
//! ```text
//! run.json        what was asked, versions, machine          RunFile
//! results.json    verdict, checks, counts                    ResultsFile
//! history.jsonl   one event a line                           history::Event
//! faults.jsonl    one step of a fault a line                 FaultRecord
//! messages.jsonl  one message between nodes a line           MessageRecord
//! nodes/<id>/{stdout,stderr}.log, nodes/<id>/data/
//! report.html
//! ```

use std::collections::BTreeMap;

use history::{CheckResult, Verdict};
use serde::{Deserialize, Serialize};

/// The version of this schema; readers refuse a newer one.
pub const VERSION: u32 = 1;

/// The names of the files in a results folder.
pub mod files {
    /// What was asked.
    pub const RUN: &str = "run.json";
    /// What came of it.
    pub const RESULTS: &str = "results.json";
    /// The record.
    pub const HISTORY: &str = "history.jsonl";
    /// What the nemesis planned and did.
    pub const FAULTS: &str = "faults.jsonl";
    /// What the nodes said to each other.
    pub const MESSAGES: &str = "messages.jsonl";
    /// The page for people.
    pub const REPORT: &str = "report.html";
    /// One folder a node.
    pub const NODES: &str = "nodes";
}

/// `run.json`: written before the first node starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFile {
    /// [`VERSION`].
    pub version: u32,
    /// The version of the bench.
    pub harness: String,
    /// The submission's name, from its manifest.
    pub target: String,
    /// The submission's folder.
    pub target_folder: String,
    /// The workload's name.
    pub workload: String,
    /// The seed of workload and fault plan.
    pub seed: u64,
    /// The nodes' ids.
    pub nodes: Vec<String>,
    /// Closed-loop clerks.
    pub clients: u32,
    /// Operations a second over all clerks; `None`: as fast as they are answered.
    pub rate: Option<f64>,
    /// The fault families asked for.
    pub faults: Vec<String>,
    /// Milliseconds between faults.
    pub fault_interval_ms: u64,
    /// Milliseconds of the main phase.
    pub time_limit_ms: u64,
    /// Local time of the start, RFC 3339.
    pub started: String,
    /// The command that repeats this run.
    pub command: String,
    /// Operating system, cores, memory.
    pub machine: BTreeMap<String, String>,
    /// What this environment could not offer, and what that means for the verdict.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// The record is another tool's and has no times: those in it only tell the order of its events.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untimed: bool,
}

/// `results.json`: written after the check; `--json` prints the same document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultsFile {
    /// The merged verdict.
    pub verdict: Verdict,
    /// [`VERSION`].
    pub version: u32,
    /// The verdict in one plain sentence.
    pub summary: String,
    /// What each checker found.
    pub checks: Vec<CheckResult>,
    /// Operations of the main phase by function.
    pub operations: BTreeMap<String, Counts>,
    /// Latency of successful operations of the main phase, in milliseconds.
    pub latency_ms: Option<Quantiles>,
    /// Faults: how many were planned and how many were seen to take hold, by family.
    pub faults: BTreeMap<String, FaultCounts>,
    /// What was odd but is no verdict: protocol errors, premises, a starved host.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The results folder.
    pub folder: String,
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

/// Latency quantiles in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Slowest.
    pub max: f64,
}

/// Planned and effective faults of a family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultCounts {
    /// Written into the plan.
    pub planned: u64,
    /// Seen to take hold.
    pub effective: u64,
}

/// One line of `faults.jsonl`. A fault has a `planned` line before anything is done, then `started` once it is seen
/// to take hold (or `missed`), then `healed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// The fault's number in the plan, from 0.
    pub fault: u64,
    /// Nanoseconds since the start of the run.
    #[serde(rename = "time")]
    pub time_ns: u64,
    /// The family: `partition`, `kill`, `pause`, `network`, `client`.
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
    /// Undone.
    Healed,
}

/// One line of `messages.jsonl`: one HTTP request through the tunnel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// Nanoseconds since the start of the run, when the request was complete at the tunnel.
    #[serde(rename = "time")]
    pub time_ns: u64,
    /// Who sent it: a node's id, or `clients`.
    pub from: String,
    /// Who it was for.
    pub to: String,
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// `X-DS-Type`, where the message has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Bytes of the request, head included.
    pub bytes: u64,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Passed on as it came.
    Delivered,
    /// Never passed on.
    RequestDropped,
    /// Passed on; the answer was thrown away.
    ResponseDropped,
    /// Passed on late.
    Delayed,
    /// Passed on twice.
    Duplicated,
    /// Held until a later message had overtaken it.
    Reordered,
    /// Waits behind a closed gate.
    Stalled,
}
