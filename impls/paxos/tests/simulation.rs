//! Thousands of simulated clusters under faults: safety after every step, linearizable histories, progress
//! once the faults are over. A failing seed is printed; `Scenario::keep_trace` shows its run.

mod world;

use std::sync::Arc;

use node::sim::{
    ClientOptions, Completion, NetworkOptions, Scenario, Simulator, clients::single_key_operation,
};

use simulation_checks::{Coverage, for_each_seed, linearizable, progress, turns};

use crate::world::{
    LEADERS, assert_nothing_was_missed, invariants, is_naive, make, settled, steps_down_late,
};

const SEEDS: u64 = 2_400;

/// One seed: the cluster's size, its load and all that goes wrong follow from it.
fn scenario(seed: u64) -> Scenario {
    let mut scenario = Scenario::new(seed, if seed % 5 < 2 { 5 } else { 3 });
    scenario.settle_ms = 1_500;
    scenario.serialize_messages = seed.is_multiple_of(16);
    if takes_turns(seed) {
        // Few requests: votes imply promises, so a lost promise shows only between elections and votes.
        scenario.clients =
            ClientOptions { clients: 2, think_ms_max: 400, ..ClientOptions::default() };
        scenario.faults.duration_ms = 6_000;
    } else {
        // Many eager clients fill the pipeline, few leave the checker more order to hold them to.
        scenario.clients.clients = [3, 5, 8, 14][(seed / 4 % 4) as usize];
        scenario.clients.think_ms_max = [60, 20, 5][(seed % 3) as usize];
        scenario.faults.duration_ms = 4_000;
        scenario.faults.interval_ms = 350;
        scenario.faults.length_ms_max = 1_000;
        if seed % 7 < 2 {
            scenario.faults.network = NetworkOptions::LOSSY;
        }
    }
    scenario
}

/// Whether the faults of this seed follow [`turns`].
fn takes_turns(seed: u64) -> bool {
    steps_down_late(seed) && seed.is_multiple_of(2)
}

/// Runs one seed and says what is wrong with it.
fn run(seed: u64, coverage: &Arc<Coverage>) -> Result<(), String> {
    let scenario = scenario(seed);
    let make = make(&scenario, coverage);
    let mut report = if takes_turns(seed) {
        let mut simulator = Simulator::new(seed, &scenario.nodes, make);
        simulator.check_each_step(invariants(coverage));
        scenario.run_plan(simulator, turns(&scenario), Box::new(single_key_operation))
    } else {
        scenario.run(make, invariants(coverage))
    };
    if let Some(violation) = report.violation.take() {
        return Err(violation);
    }
    linearizable(&report.history)?;
    progress(&report, scenario.faults.duration_ms * 1000)?;
    settled(&mut report.simulator)
}

#[test]
fn thousands_of_faulty_runs_stay_safe_linearizable_and_alive() {
    let coverage = Arc::default();
    for_each_seed(SEEDS, |seed| run(seed, &coverage));
    assert_nothing_was_missed(&coverage);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let trace = || {
        let scenario = Scenario { keep_trace: true, ..scenario(7) };
        let coverage = Arc::default();
        let report = scenario.run(make(&scenario, &coverage), invariants(&coverage));
        report.simulator.trace().to_vec()
    };
    let first = trace();
    assert!(first.len() > 1_000);
    assert!(first == trace(), "two runs of one seed differ");
}

#[test]
fn a_cluster_of_one_serves_and_survives_its_crashes() {
    use node::sim::FaultFamily::{Crash, Lossy, Pause};
    for seed in 0..50 {
        let mut scenario = Scenario { nodes: vec!["n1".to_owned()], ..scenario(seed) };
        scenario.faults.families = vec![Crash, Lossy, Pause];
        let coverage = Arc::default();
        let report = scenario.run(make(&scenario, &coverage), invariants(&coverage));
        assert_eq!(report.violation, None, "seed {seed}");
        assert_eq!(linearizable(&report.history), Ok(()), "seed {seed}");
        // A crash planned for the next write may strike right after the heal.
        let is_up = report.simulator.protocol("n1").is_some();
        assert!(report.ok_after_heal > 0 || !is_up, "seed {seed}");
    }
}

#[test]
fn without_faults_everything_succeeds_under_one_leader() {
    for seed in 0..20 {
        let mut scenario = scenario(seed);
        scenario.faults.families.clear();
        scenario.faults.network = NetworkOptions::RELIABLE;
        let coverage = Arc::default();
        let report = scenario.run(make(&scenario, &coverage), invariants(&coverage));
        assert_eq!(report.violation, None, "seed {seed}");
        for operation in report.history.operations() {
            assert!(matches!(operation.completion, Completion::Ok(..)), "{operation:?}");
        }
        // Both phases for every command take a ballot for each.
        assert_eq!(coverage.times(LEADERS) == 1, !is_naive(seed), "seed {seed}");
    }
}
