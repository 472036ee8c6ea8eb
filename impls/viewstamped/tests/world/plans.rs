//! What befalls a group, besides faults at random.

use std::collections::BTreeSet;

use contract::NodeId;
use node::sim::{Dice, Fault, FaultPlan, NetworkOptions, Scenario, Simulator};
use simulation_checks::Recorder;
use viewstamped::Replica;

use super::timing;

/// What befalls the group of a seed.
pub fn plan(scenario: &Scenario) -> FaultPlan {
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

/// The fault model: of 2f + 1 replicas at most f are away, where away is from a crash until it has recovered.
pub fn within_the_fault_model() -> impl FnMut(&Simulator<Replica<Recorder>>, &Fault) -> bool {
    let mut doomed = BTreeSet::new();
    move |simulator, fault| match fault {
        Fault::Crash(node) | Fault::CrashInNextWrite(node) => {
            let is_away = |name: &&NodeId| {
                doomed.contains(*name)
                    || simulator.protocol(name).is_none_or(Replica::is_recovering)
            };
            let others = simulator.names().iter().filter(|name| *name != node);
            let is_within = others.filter(is_away).count() < failures_max(simulator.names().len());
            if is_within && matches!(fault, Fault::CrashInNextWrite(_)) {
                doomed.insert(node.clone());
            }
            is_within
        }
        Fault::Restart(node) => {
            doomed.remove(node);
            true
        }
        _ => true,
    }
}

pub fn failures_max(replicas: usize) -> usize {
    (replicas - 1) / 2
}

/// Some die in their very first moments.
fn first_moments(scenario: &Scenario) -> Vec<(u64, Fault)> {
    let mut dice = Dice::new(scenario.seed, 60);
    let node = &scenario.nodes[dice.index(scenario.nodes.len())];
    if scenario.seed.is_multiple_of(5) {
        return Vec::new();
    }
    let (died_ms, back_ms) = (dice.between(0, 2), dice.between(3, 200));
    vec![(died_ms, Fault::Crash(node.clone())), (back_ms, Fault::Restart(node.clone()))]
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
