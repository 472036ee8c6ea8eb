//! What a run is made of.

use std::time::Duration;

use contract::NodeId;

use crate::nemesis::Family;

/// What a run is made of.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The nodes' ids.
    pub nodes: Vec<NodeId>,
    /// Closed-loop clerks.
    pub clients: u32,
    /// Operations a second over all of them.
    pub rate: Option<f64>,
    /// Decides workload and plan.
    pub seed: u64,
    /// The families of faults.
    pub families: Vec<Family>,
    /// From fault to fault within a family.
    pub interval: Duration,
    /// Length of the main phase.
    pub time_limit: Duration,
}
