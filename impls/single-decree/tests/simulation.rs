//! Thousands of simulated clusters under faults: one value a ballot, no register loses what was chosen, linearizable
//! histories, progress once the faults are over.

mod chain;

use std::sync::Arc;

use contract::NodeId;
use node::sim::{FaultPlan, NetworkOptions, Scenario, Simulator, clients::single_key_operation};
use simulation_checks::{Coverage, Recorder, for_each_seed, linearizable, progress};
use single_decree::{Config, Registers, message::Record};

use crate::chain::{CHOSEN, Chain, DUELS};

const SEEDS: u64 = 5_000;
const STARTS: &str = "nodes started or restarted";

type Node = Registers<Recorder>;

/// One seed: the cluster's size, its load and all that goes wrong follow from it.
fn scenario(seed: u64) -> Scenario {
    let mut scenario = Scenario::new(seed, if seed % 5 < 2 { 5 } else { 3 });
    scenario.settle_ms = 1_000;
    scenario.serialize_messages = seed.is_multiple_of(16);
    scenario.clients.clients = [2, 4, 7][(seed / 4 % 3) as usize];
    scenario.clients.think_ms_max = [60, 20][(seed / 7 % 2) as usize];
    scenario.faults.duration_ms = 2_000;
    scenario.faults.interval_ms = 250;
    scenario.faults.length_ms_max = 600;
    if seed % 7 < 2 {
        scenario.faults.network = NetworkOptions::LOSSY;
    }
    scenario
}

fn snapshot_bytes(seed: u64) -> Option<u64> {
    [Some(2_000), Some(20_000), None][(seed / 2 % 3) as usize]
}

fn make(
    scenario: &Scenario,
    coverage: &Arc<Coverage>,
) -> impl Fn(&NodeId, Vec<Record>) -> Node + 'static {
    let (members, seed, coverage) = (scenario.nodes.clone(), scenario.seed, coverage.clone());
    move |node, records| {
        coverage.count(STARTS);
        let config = Config {
            node: node.clone(),
            members: members.clone(),
            retry_ms: 50,
            snapshot_bytes: snapshot_bytes(seed),
        };
        let coverage = coverage.clone();
        Registers::new(config, Box::new(move || Recorder::new(coverage.clone())), records)
    }
}

fn run(seed: u64, coverage: &Arc<Coverage>) -> Result<(), String> {
    let scenario = scenario(seed);
    let mut chain = Chain::new(scenario.nodes.len() / 2 + 1, coverage.clone());
    let mut report =
        scenario.run(make(&scenario, coverage), move |view| chain.check(view.durable()));
    if let Some(violation) = report.violation.take() {
        return Err(violation);
    }
    linearizable(&report.history)?;
    // A crash planned for the next write may strike right after the heal.
    let names = report.simulator.names().to_vec();
    if names.iter().all(|node| report.simulator.protocol(node).is_some()) {
        progress(&report, scenario.faults.duration_ms * 1000)?;
    }
    Ok(())
}

#[test]
fn thousands_of_faulty_runs_stay_safe_linearizable_and_alive() {
    let coverage = Arc::default();
    for_each_seed(SEEDS, |seed| run(seed, &coverage));
    coverage.assert_at_least(&[(STARTS, 20_000), (CHOSEN, 500_000), (DUELS, 100_000)]);
}

#[test]
fn without_faults_every_node_answers_everything() {
    for seed in 0..20 {
        let mut scenario = scenario(seed);
        scenario.faults.network = NetworkOptions::RELIABLE;
        let coverage = Arc::default();
        let simulator = Simulator::new(seed, &scenario.nodes, make(&scenario, &coverage));
        let report =
            scenario.run_plan(simulator, FaultPlan::default(), Box::new(single_key_operation));
        assert_eq!(progress(&report, 0), Ok(()), "seed {seed}");
        assert_eq!(linearizable(&report.history), Ok(()), "seed {seed}");
    }
}
