//! Thousands of simulated clusters under faults: the rules of views after every step, linearizable histories, progress
//! once the faults are over.

mod world;

use std::sync::Arc;

use contract::NodeId;
use node::sim::{
    Completion, Dice, Fault, FaultPlan, NetworkOptions, Report, Scenario, Simulator,
    clients::single_key_operation,
};
use simulation_checks::{Coverage, for_each_seed, linearizable, progress};

use primary_backup::Node;

use crate::world::{Cluster, VIEW_SERVICE, assert_nothing_was_missed, invariants, make, settled};

const SEEDS: u64 = 5_000;

/// One seed: the cluster's size, its load and all that goes wrong follow from it.
fn scenario(seed: u64) -> Scenario {
    let mut scenario = Scenario::new(seed, [3, 2, 3, 4][(seed / 5 % 4) as usize]);
    scenario.nodes.push(VIEW_SERVICE.to_owned());
    scenario.settle_ms = 1_500;
    scenario.serialize_messages = seed.is_multiple_of(16);
    scenario.clients.clients = [2, 4, 8][(seed / 4 % 3) as usize];
    scenario.clients.think_ms_max = [60, 20][(seed / 7 % 2) as usize];
    scenario.faults.duration_ms = 3_000;
    scenario.faults.interval_ms = 300;
    scenario.faults.length_ms_max = 1_000;
    if seed % 7 < 2 {
        scenario.faults.network = NetworkOptions::LOSSY;
    }
    scenario
}

/// Two thirds of the view services do not fail themselves, as in the labs. In half of the clusters servers are cut from
/// the view service now and then, or from each other, while clients reach them all.
fn plan(scenario: &Scenario) -> FaultPlan {
    let mut plan = FaultPlan::random(scenario.seed, &scenario.nodes, &scenario.faults);
    if !scenario.seed.is_multiple_of(3) {
        plan.steps.retain(|(_, fault)| match fault {
            Fault::Crash(node) | Fault::CrashInNextWrite(node) | Fault::Pause(node) => {
                node != VIEW_SERVICE
            }
            _ => true,
        });
    }
    if scenario.seed / 2 % 2 == 1 {
        plan.steps.extend(cuts(scenario));
        plan.steps.sort_by_key(|(at_ms, _)| *at_ms);
    }
    plan
}

fn cuts(scenario: &Scenario) -> Vec<(u64, Fault)> {
    let mut dice = Dice::new(scenario.seed, 50);
    let mut steps = Vec::new();
    let mut at_ms = 300;
    while at_ms < scenario.faults.duration_ms {
        let mut servers = scenario.nodes.clone();
        servers.retain(|node| node != VIEW_SERVICE);
        dice.shuffle(&mut servers);
        let view_service = VIEW_SERVICE.to_owned();
        let mut links = both_ways(&servers[0], [&view_service, &servers[1]][dice.index(2)]);
        if dice.chance(300) {
            links.truncate(1);
        }
        steps.push((at_ms, Fault::Cut(links)));
        at_ms += dice.between(50, 800);
        steps.push((at_ms, Fault::Heal));
        at_ms += dice.between(50, 400);
    }
    steps
}

fn both_ways(one: &NodeId, other: &NodeId) -> Vec<(NodeId, NodeId)> {
    vec![(one.clone(), other.clone()), (other.clone(), one.clone())]
}

fn simulate(scenario: &Scenario, plan: FaultPlan, coverage: &Arc<Coverage>) -> Report<Cluster> {
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
        let scenario = Scenario { keep_trace: true, ..scenario(7) };
        simulate(&scenario, plan(&scenario), &Arc::default()).simulator.trace().to_vec()
    };
    let first = trace();
    assert!(first.len() > 1_000);
    assert!(first == trace(), "two runs of one seed differ");
}

#[test]
fn without_faults_everything_succeeds_in_two_views() {
    for seed in (0..40).step_by(2) {
        let mut scenario = scenario(seed);
        scenario.faults.network = NetworkOptions::RELIABLE;
        let report = simulate(&scenario, FaultPlan::default(), &Arc::default());
        assert_eq!(report.violation, None, "seed {seed}");
        for operation in report.history.operations() {
            assert!(matches!(operation.completion, Completion::Ok(..)), "{operation:?}");
        }
        let Some(cluster) = report.simulator.protocol(VIEW_SERVICE) else { panic!("it is down") };
        let Node::ViewService(service) = cluster else { panic!("{VIEW_SERVICE} is a server") };
        assert_eq!(service.views().view().num, 2, "seed {seed}");
    }
}
