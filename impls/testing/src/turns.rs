//! A plan of faults that puts what a node promised to the test.

use contract::NodeId;
use node::sim::{Dice, Fault, FaultPlan, Scenario};

/// Again and again a majority elects a new leader without the old one; then the voters in between crash, and come back to
/// the old leader alone. What they promised stands between two values.
#[must_use]
pub fn turns(scenario: &Scenario) -> FaultPlan {
    let mut dice = Dice::new(scenario.seed, 50);
    let mut plan = FaultPlan::default();
    let mut at_ms = 500;
    while at_ms < scenario.faults.duration_ms {
        let mut nodes = scenario.nodes.clone();
        dice.shuffle(&mut nodes);
        let without = |left_out: &NodeId| {
            let others = scenario.nodes.iter().filter(|node| *node != left_out);
            others.flat_map(|node| [(node, left_out), (left_out, node)]).map(owned).collect()
        };
        plan.steps.push((at_ms, Fault::Heal));
        plan.steps.push((at_ms, Fault::Cut(without(&nodes[0]))));
        at_ms += dice.between(100, 500);
        for voter in &nodes[2..] {
            plan.steps.push((at_ms, Fault::Crash(voter.clone())));
        }
        plan.steps.push((at_ms, Fault::Heal));
        plan.steps.push((at_ms, Fault::Cut(without(&nodes[1]))));
        at_ms += dice.between(1, 50);
        for voter in &nodes[2..] {
            plan.steps.push((at_ms, Fault::Restart(voter.clone())));
        }
        at_ms += dice.between(50, 500);
    }
    plan
}

fn owned((from, to): (&NodeId, &NodeId)) -> (NodeId, NodeId) {
    (from.clone(), to.clone())
}
