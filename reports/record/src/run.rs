//! `run.json`: what was asked.

use std::collections::BTreeMap;

use contract::{launch::SNAPSHOT_BYTES, manifest::Timeouts};
use serde::{Deserialize, Serialize};

use crate::evidence::Required;

fn usual_snapshot_bytes() -> Option<u64> {
    Some(SNAPSHOT_BYTES)
}

/// `run.json`: written before the first node starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFile {
    /// [`crate::VERSION`].
    pub version: u32,
    /// The version of the bench.
    pub harness: String,
    /// The submission's name, from its manifest.
    pub target: String,
    /// The submission's folder.
    pub target_folder: String,
    /// The rungs of the ladder that it serves, from its manifest.
    #[serde(default)]
    pub serves: Vec<String>,
    /// The optional parts of the contract that it speaks, from its manifest.
    #[serde(default)]
    pub caps: Vec<String>,
    /// The workload's name.
    pub workload: String,
    /// The consistency level that the store is held to; `None`: the strongest.
    #[serde(default)]
    pub consistency: Option<String>,
    /// The seed of workload and fault plan.
    pub seed: u64,
    /// The nodes' ids.
    pub nodes: Vec<String>,
    /// The id of the view service, which clients do not ask and which does not fail; `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view_service: Option<String>,
    /// The replica groups of a sharded store, `g1` first: together they are the nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Vec<String>>,
    /// The shard controllers of a sharded store.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controllers: Vec<String>,
    /// The id of the coordinator of MapReduce, whose workers are the nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinator: Option<String>,
    /// The servers that the bench played, where the only node is a view service; else nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub played: Vec<String>,
    /// `DS_SNAPSHOT_BYTES`; `None`: never. Older benches do not say it.
    #[serde(default = "usual_snapshot_bytes")]
    pub snapshot_bytes: Option<u64>,
    /// Closed-loop clerks.
    pub clients: u32,
    /// Further clerks, which ask one node only, when the faults want it; older benches had none.
    #[serde(default)]
    pub probers: u32,
    /// Operations a second over all clerks; `None`: as fast as they are answered.
    pub rate: Option<f64>,
    /// The fault families asked for.
    pub faults: Vec<String>,
    /// Milliseconds from fault to fault; `None`: each came as soon as the store served again.
    pub fault_interval_ms: Option<u64>,
    /// Milliseconds of the main phase.
    pub time_limit_ms: u64,
    /// How long the bench waited for the store.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// Local time of the start, RFC 3339.
    pub started: String,
    /// What the run must have seen to be called valid.
    #[serde(default)]
    pub require: Required,
    /// The command that repeats this run.
    pub command: String,
    /// Operating system, cores, memory.
    pub machine: BTreeMap<String, String>,
    /// What the nodes were kept to: `namespaces`, or `none`. Older benches had nothing of the kind.
    #[serde(default)]
    pub confinement: Option<String>,
    /// Whether a program that nothing breaks speaks for each node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spoken_for: bool,
    /// What this environment could not offer, and what that means for the verdict.
    #[serde(default)]
    pub lacks: Vec<String>,
}

impl RunFile {
    /// Whether each node was kept to a world of its own.
    #[must_use]
    pub fn is_confined(&self) -> bool {
        self.confinement.as_deref() == Some("namespaces")
    }

    /// The ids of all who talk to each other: the nodes, and the view service, the coordinator, or the shard controllers.
    #[must_use]
    pub fn linked(&self) -> Vec<String> {
        let others = self.view_service.iter().chain(&self.coordinator).chain(&self.controllers);
        self.nodes.iter().chain(others).cloned().collect()
    }
}
