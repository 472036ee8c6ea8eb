//! Thousands of simulated clusters under faults: the properties of Figure 3 after every step, linearizable histories,
//! progress once the faults are over. A failing seed is printed; `Scenario::keep_trace` shows its run.

mod world;

use std::sync::Arc;

use node::sim::{
    ClientOptions, Completion, FaultPlan, NetworkOptions, Report, Scenario, Simulator,
    clients::single_key_operation,
};
use simulation_checks::{Coverage, for_each_seed, linearizable, progress, turns};

use world::{
    assert_nothing_was_missed, changes, invariants, make, operated::Operated, properties::LEADERS,
    settled, steps_down_late,
};

const SEEDS: u64 = 5_000;

/// One seed: the cluster's size, its load and all that goes wrong follow from it.
fn scenario(seed: u64) -> Scenario {
    let mut scenario = Scenario::new(seed, if seed % 5 == 1 || changes(seed) { 5 } else { 3 });
    scenario.settle_ms = 1_500;
    scenario.serialize_messages = seed.is_multiple_of(16);
    if takes_turns(seed) {
        // Few requests: entries imply terms, so a lost vote shows only between elections and entries.
        scenario.clients =
            ClientOptions { clients: 2, think_ms_max: 400, ..ClientOptions::default() };
        scenario.faults.duration_ms = 3_000;
    } else {
        // Many eager clients fill the pipeline, few leave the checker more order to hold them to.
        scenario.clients.clients = [2, 4, 8][(seed / 4 % 3) as usize];
        scenario.clients.think_ms_max = [120, 60, 30][(seed % 3) as usize];
        scenario.faults.duration_ms = 1_800;
        scenario.faults.interval_ms = 250;
        scenario.faults.length_ms_max = 800;
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

fn plan(scenario: &Scenario) -> FaultPlan {
    if takes_turns(scenario.seed) {
        turns(scenario)
    } else {
        FaultPlan::random(scenario.seed, &scenario.nodes, &scenario.faults)
    }
}

fn simulate(scenario: &Scenario, plan: FaultPlan, coverage: &Arc<Coverage>) -> Report<Operated> {
    let mut simulator = Simulator::new(scenario.seed, &scenario.nodes, make(scenario, coverage));
    simulator.check_each_step(invariants(coverage));
    if scenario.keep_trace {
        simulator.keep_trace();
    }
    if scenario.serialize_messages {
        simulator.serialize_messages();
    }
    scenario.run_plan(simulator, plan, Box::new(single_key_operation))
}

/// Runs one seed and says what is wrong with it.
fn run(seed: u64, coverage: &Arc<Coverage>) -> Result<(), String> {
    let scenario = scenario(seed);
    let mut report = simulate(&scenario, plan(&scenario), coverage);
    if let Some(violation) = report.violation.take() {
        return Err(violation);
    }
    linearizable(&report.history)?;
    // A crash planned for the next write may strike right after the heal.
    if scenario.nodes.iter().all(|node| report.simulator.protocol(node).is_some()) {
        progress(&report, scenario.faults.duration_ms * 1000)?;
    }
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
        let scenario = Scenario { keep_trace: true, ..scenario(8) };
        simulate(&scenario, plan(&scenario), &Arc::default()).simulator.trace().to_vec()
    };
    let first = trace();
    assert!(first.len() > 1_000);
    assert!(first == trace(), "two runs of one seed differ");
}

#[test]
fn a_cluster_of_one_serves_and_survives_its_crashes() {
    use node::sim::FaultFamily::{Crash, Lossy, Pause};
    for seed in (0..100).filter(|seed| !changes(*seed)) {
        let mut scenario = Scenario { nodes: vec!["n1".to_owned()], ..scenario(seed) };
        scenario.faults.families = vec![Crash, Lossy, Pause];
        let plan = FaultPlan::random(seed, &scenario.nodes, &scenario.faults);
        let report = simulate(&scenario, plan, &Arc::default());
        assert_eq!(report.violation, None, "seed {seed}");
        assert_eq!(linearizable(&report.history), Ok(()), "seed {seed}");
        // A crash planned for the next write may strike right after the heal.
        let is_up = report.simulator.protocol("n1").is_some();
        assert!(report.ok_after_heal > 0 || !is_up, "seed {seed}");
    }
}

#[test]
fn without_faults_everything_succeeds_under_one_leader() {
    for seed in (0..40).filter(|seed| seed % 5 < 3) {
        let mut scenario = scenario(seed);
        scenario.faults.network = NetworkOptions::RELIABLE;
        let coverage = Arc::default();
        let report = simulate(&scenario, FaultPlan::default(), &coverage);
        assert_eq!(report.violation, None, "seed {seed}");
        for operation in report.history.operations() {
            assert!(matches!(operation.completion, Completion::Ok(..)), "{operation:?}");
        }
        assert_eq!(coverage.times(LEADERS), 1, "seed {seed}");
    }
}
