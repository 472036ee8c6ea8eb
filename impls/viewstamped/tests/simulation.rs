//! Thousands of simulated groups under faults: safety after every step, linearizable histories, progress once the faults
//! are over. A failing seed is printed; `Scenario::keep_trace` shows its run.

mod world;

use std::sync::Arc;

use node::sim::{
    Completion, Dice, Fault, FaultPlan, NetworkOptions, Report, Scenario, Simulator,
    clients::single_key_operation,
};
use simulation_checks::{Coverage, for_each_seed, linearizable, progress};

use crate::world::{
    Node, VIEWS, assert_nothing_was_missed, first_moments, invariants, make, settled, timing,
    within_the_fault_model,
};

const SEEDS: u64 = 5_000;

/// One seed: the group's size, its load and all that goes wrong follow from it.
fn scenario(seed: u64) -> Scenario {
    let mut scenario = Scenario::new(seed, [3, 5, 3, 4][(seed / 3 % 4) as usize]);
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
    let mut plan = FaultPlan::random(scenario.seed, &scenario.nodes, &scenario.faults);
    match scenario.seed / 2 % 4 {
        0 => {}
        1 => plan.steps = old_offers(scenario),
        2 => plan.steps.extend(short_lives(scenario)),
        _ => plan.steps = left_behind(scenario),
    }
    plan.steps.extend(first_moments(scenario));
    plan.steps.sort_by_key(|(at_ms, _)| *at_ms);
    plan
}

/// One replica after the other dies and comes back at once, often in the middle of a view change: what an earlier life
/// has said is still under way.
fn short_lives(scenario: &Scenario) -> Vec<(u64, Fault)> {
    let mut dice = Dice::new(scenario.seed, 50);
    let mut steps = Vec::new();
    let mut at_ms = 300;
    while at_ms < scenario.faults.duration_ms {
        let victim = scenario.nodes[dice.index(scenario.nodes.len())].clone();
        let fault = match dice.chance(500) {
            true => Fault::Crash(victim.clone()),
            false => Fault::CrashInNextWrite(victim.clone()),
        };
        steps.push((at_ms, fault));
        at_ms += dice.between(1, 60);
        steps.push((at_ms, Fault::Restart(victim)));
        at_ms += dice.between(5, 150);
    }
    steps
}

/// Two replicas are not heard, perhaps the primary and one that hears others miss it, too. So that one leaves the view alone;
/// then it dies, and comes back to a group that goes on in the view that it has left.
fn left_behind(scenario: &Scenario) -> Vec<(u64, Fault)> {
    let mut dice = Dice::new(scenario.seed, 50);
    let mut steps = vec![(0, Fault::Network(scenario.faults.network))];
    let mut at_ms = 300;
    while at_ms < scenario.faults.duration_ms {
        let mut nodes = scenario.nodes.clone();
        dice.shuffle(&mut nodes);
        let mutes = &nodes[..2];
        let links = mutes.iter().flat_map(|from| nodes.iter().map(|to| (from.clone(), to.clone())));
        let links = links.filter(|(from, to)| from != to).collect();
        steps.push((at_ms, Fault::Cut(links)));
        let (heartbeat_ms, patience_ms) = timing(scenario.seed);
        at_ms += patience_ms + dice.between(0, 4 * heartbeat_ms);
        steps.push((at_ms, Fault::Crash(nodes[1].clone())));
        steps.push((at_ms, Fault::Heal));
        at_ms += dice.between(1, 50);
        steps.push((at_ms, Fault::Restart(nodes[1].clone())));
        at_ms += dice.between(5, 300);
    }
    steps
}

/// The primary is not heard for a moment, so that some leave the view; then they die one after the other and come back,
/// while what they have said is late. What the published recovery loses operations by: see `tests/recovery.rs`.
fn old_offers(scenario: &Scenario) -> Vec<(u64, Fault)> {
    let network =
        NetworkOptions { slow_per_mille: 300, slow_us_max: 600_000, ..NetworkOptions::RELIABLE };
    let mut dice = Dice::new(scenario.seed, 50);
    let mut steps = vec![(0, Fault::Network(network))];
    let mut at_ms = 300;
    while at_ms < scenario.faults.duration_ms {
        let mut nodes = scenario.nodes.clone();
        dice.shuffle(&mut nodes);
        let links = nodes[1..].iter().map(|to| (nodes[0].clone(), to.clone())).collect();
        steps.push((at_ms, Fault::Cut(links)));
        let (heartbeat_ms, patience_ms) = timing(scenario.seed);
        at_ms += patience_ms + dice.between(0, 2 * heartbeat_ms);
        steps.push((at_ms, Fault::Heal));
        for victim in &nodes[1..] {
            at_ms += dice.between(0, 80);
            steps.push((at_ms, Fault::Crash(victim.clone())));
            at_ms += dice.between(1, 10);
            steps.push((at_ms, Fault::Restart(victim.clone())));
        }
        at_ms += dice.between(0, 200);
    }
    steps
}

fn simulate(scenario: &Scenario, plan: FaultPlan, coverage: &Arc<Coverage>) -> Report<Node> {
    let mut simulator = Simulator::new(scenario.seed, &scenario.nodes, make(scenario, coverage));
    simulator.check_each_step(invariants(coverage));
    if scenario.keep_trace {
        simulator.keep_trace();
    }
    if scenario.serialize_messages {
        simulator.serialize_messages();
    }
    let generator = Box::new(single_key_operation);
    scenario.run_plan_within(simulator, plan, generator, within_the_fault_model())
}

/// Runs one seed and says what is wrong with it.
fn run(seed: u64, coverage: &Arc<Coverage>) -> Result<(), String> {
    let scenario = scenario(seed);
    let mut report = simulate(&scenario, plan(&scenario), coverage);
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
        simulate(&scenario, plan(&scenario), &Arc::default()).simulator.trace().to_vec()
    };
    let first = trace();
    assert!(first.len() > 1_000);
    assert!(first == trace(), "two runs of one seed differ");
}

#[test]
fn without_faults_everything_succeeds_in_one_view() {
    for seed in (0..40).step_by(2) {
        let mut scenario = scenario(seed);
        scenario.faults.network = NetworkOptions::RELIABLE;
        let coverage = Arc::default();
        let report = simulate(&scenario, FaultPlan::default(), &coverage);
        assert_eq!(report.violation, None, "seed {seed}");
        for operation in report.history.operations() {
            assert!(matches!(operation.completion, Completion::Ok(..)), "{operation:?}");
        }
        assert_eq!(coverage.times(VIEWS), 1, "seed {seed}");
    }
}

#[test]
fn a_group_of_one_serves() {
    let mut scenario = Scenario { nodes: vec!["n1".to_owned()], ..scenario(0) };
    scenario.faults.families.clear();
    let report = simulate(&scenario, FaultPlan::default(), &Arc::default());
    assert_eq!(report.violation, None);
    assert!(report.ok_after_heal > 0);
}
