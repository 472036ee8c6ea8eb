//! Thousands of simulated clusters under faults: one value a ballot, and no register loses what was chosen.

mod chain;

use std::sync::Arc;

use contract::NodeId;
use node::sim::{ClientOptions, NetworkOptions, Scenario, View};
use simulation_checks::{
    Coverage, Recorder, Run, System, run::STARTS, run_seeds, same_seed_same_run,
};
use single_decree::{Config, Registers, message::Record};

use crate::chain::{CHOSEN, Chain, DUELS};

/// Registers under simulation.
struct Cluster;

impl System for Cluster {
    type Node = Registers<Recorder>;

    const AT_LEAST: &'static [(&'static str, u64)] =
        &[(STARTS, 20_000), (CHOSEN, 400_000), (DUELS, 80_000)];

    fn scenario(seed: u64) -> Scenario {
        let mut scenario = Scenario::new(seed, if seed % 5 < 2 { 5 } else { 3 });
        scenario.settle_ms = 1_000;
        scenario.serialize_messages = seed.is_multiple_of(16);
        if Self::takes_turns(seed) {
            // Few requests: votes imply promises, so a lost promise shows only between elections and votes.
            scenario.clients =
                ClientOptions { clients: 2, think_ms_max: 400, ..ClientOptions::default() };
            scenario.faults.duration_ms = 4_000;
        } else {
            scenario.clients.clients = [2, 4, 7][(seed / 4 % 3) as usize];
            scenario.clients.think_ms_max = [60, 20][(seed / 7 % 2) as usize];
            scenario.faults.duration_ms = 2_000;
            scenario.faults.interval_ms = 250;
            scenario.faults.length_ms_max = 600;
            if seed % 7 < 2 {
                scenario.faults.network = NetworkOptions::LOSSY;
            }
        }
        scenario
    }

    fn takes_turns(seed: u64) -> bool {
        seed % 11 < 3 // shares no divisor with what else follows from the seed
    }

    fn make(
        scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl Fn(&NodeId, Vec<Record>) -> Self::Node + 'static {
        let snapshot_bytes = [Some(2_000), Some(20_000), None][(scenario.seed / 2 % 3) as usize];
        let (members, coverage) = (scenario.nodes.clone(), coverage.clone());
        move |node, records| {
            let config = Config {
                node: node.clone(),
                members: members.clone(),
                retry_ms: 50,
                snapshot_bytes,
            };
            let coverage = coverage.clone();
            Registers::new(config, Box::new(move || Recorder::new(coverage.clone())), records)
        }
    }

    fn invariant(
        scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl FnMut(&View<'_, Self::Node>) -> Result<(), String> + 'static {
        let mut chain = Chain::new(scenario.nodes.len() / 2 + 1, coverage.clone());
        move |view| chain.check(view.durable())
    }
}

#[test]
fn thousands_of_faulty_runs_stay_safe_linearizable_and_alive() {
    run_seeds::<Cluster>(5_000);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    same_seed_same_run::<Cluster>(7);
}

#[test]
fn without_faults_every_node_answers_everything() {
    for seed in 0..20 {
        let _ = Run::<Cluster>::calm(seed);
    }
}
