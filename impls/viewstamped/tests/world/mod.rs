//! What a simulated group of replicas is made of.

mod invariants;
mod plans;

use std::{cell::RefCell, collections::BTreeSet, sync::Arc};

use contract::NodeId;
use node::sim::{Fault, FaultPlan, NetworkOptions, Scenario, Simulator, View};
use simulation_checks::{
    Coverage, Recorder, System,
    recorder::SNAPSHOTS_WRITTEN,
    run::{SNAPSHOTS_INSTALLED, STARTS},
};
use viewstamped::{Config, Replica, message::Record};

pub use invariants::VIEWS;
use invariants::{BATCHES, COMMITTED, Invariants, LEFT_BEHIND, RECOVERED};

const FIRST_MOMENTS: &str = "replicas that died before they had written anything";

/// Viewstamped Replication under simulation.
pub struct Group;

impl System for Group {
    type Node = Replica<Recorder>;

    /// Far below what the seeds give.
    const AT_LEAST: &'static [(&'static str, u64)] = &[
        (STARTS, 30_000),
        (FIRST_MOMENTS, 100),
        (VIEWS, 7_000),
        (RECOVERED, 10_000),
        (LEFT_BEHIND, 100),
        (COMMITTED, 100_000),
        (BATCHES, 100),
        (SNAPSHOTS_WRITTEN, 50_000),
        (SNAPSHOTS_INSTALLED, 2_000),
    ];

    fn scenario(seed: u64) -> Scenario {
        let mut scenario = Scenario::new(seed, [3, 5, 3, 4][(seed / 17 % 4) as usize]);
        scenario.settle_ms = 1_000;
        scenario.serialize_messages = seed.is_multiple_of(16);
        // Many eager clients fill the pipeline, few leave the checker more order to hold them to.
        let (clients, think_ms_max) = match seed / 7 % 12 {
            0 => (16, 2),
            number => [(2, 80), (4, 80), (3, 20)][(number % 3) as usize],
        };
        scenario.clients.clients = clients;
        scenario.clients.think_ms_max = think_ms_max;
        scenario.faults.duration_ms = 1_700;
        scenario.faults.interval_ms = 250;
        scenario.faults.length_ms_max = 800;
        if seed % 7 < 3 {
            scenario.faults.network = NetworkOptions::LOSSY;
        }
        scenario
    }

    fn plan(scenario: &Scenario) -> FaultPlan {
        plans::plan(scenario)
    }

    fn survives() -> impl FnMut(&Simulator<Self::Node>, &Fault) -> bool {
        plans::within_the_fault_model()
    }

    fn make(
        scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl Fn(&NodeId, Vec<Record>) -> Self::Node + 'static {
        let (members, seed, coverage) = (scenario.nodes.clone(), scenario.seed, coverage.clone());
        let started = RefCell::new(BTreeSet::new());
        move |node, records| {
            let is_first = started.borrow_mut().insert(node.clone());
            if !is_first && records.is_empty() {
                coverage.count(FIRST_MOMENTS);
            }
            let (heartbeat_ms, patience_ms) = timing(seed);
            let config = Config {
                node: node.clone(),
                members: members.clone(),
                heartbeat_ms,
                patience_ms,
                checkpoint_bytes: checkpoint_bytes(seed),
                chunk_bytes: [300, 3_000, 1 << 20][(seed % 3) as usize],
                restarted: !is_first && tells_restarts(seed),
            };
            Replica::new(config, Recorder::new(coverage.clone()), records)
        }
    }

    fn invariant(
        _scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl FnMut(&View<'_, Self::Node>) -> Result<(), String> + 'static {
        let mut invariants = Invariants::new(coverage.clone());
        move |view| invariants.check(view)
    }

    fn recorder(node: &Self::Node) -> Option<&Recorder> {
        Some(node.application())
    }
}

/// How often primaries show themselves, and how long a silence must last: in half of the groups so short that living
/// primaries are replaced all the time. Safety must not depend on it.
pub fn timing(seed: u64) -> (u64, u64) {
    if seed.is_multiple_of(2) { (50, 300) } else { (20, 60) }
}

/// Most groups cut their logs often, so that laggards need a checkpoint; some never.
fn checkpoint_bytes(seed: u64) -> Option<u64> {
    [Some(400), Some(1_500), Some(6_000), None][(seed / 11 % 4) as usize]
}

/// Whether replicas of this seed's group are told that they have lived before, as the bench tells them, or must know it
/// from their disks.
fn tells_restarts(seed: u64) -> bool {
    seed / 13 % 2 == 1
}
