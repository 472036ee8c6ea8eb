//! What the simulation must be told of a protocol.

use std::sync::Arc;

use contract::NodeId;
use node::{
    Protocol,
    sim::{Fault, FaultPlan, Generator, History, Scenario, Simulator, View, single_key_operation},
};

use crate::{Coverage, Failure, Recorder, linearizable, turns};

/// A protocol under simulation: its scenarios and its own properties. What every protocol owes its clients is checked for
/// all of them by [`crate::Run::healthy`].
pub trait System {
    /// One node.
    type Node: Protocol;

    /// How often things must have happened over all seeds. Runs in which they did not prove nothing.
    const AT_LEAST: &'static [(&'static str, u64)];

    /// The cluster of a seed: its size, its load, the kinds of faults.
    fn scenario(seed: u64) -> Scenario;

    /// Whether the faults of this seed follow [`turns()`]: none do, where nothing else is said.
    fn takes_turns(_seed: u64) -> bool {
        false
    }

    /// What goes wrong and when: in turns or at random, where nothing else is said.
    fn plan(scenario: &Scenario) -> FaultPlan {
        if Self::takes_turns(scenario.seed) {
            turns(scenario)
        } else {
            FaultPlan::random(scenario.seed, &scenario.nodes, &scenario.faults)
        }
    }

    /// Which faults the cluster, as it is when they are due, promises to survive: all, where nothing else is said.
    fn survives() -> impl FnMut(&Simulator<Self::Node>, &Fault) -> bool {
        |_, _| true
    }

    /// Makes the nodes, each from what its earlier lives made durable.
    fn make(
        scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl Fn(&NodeId, Vec<<Self::Node as Protocol>::Record>) -> Self::Node + 'static;

    /// What must hold after each step of a node, besides that no request is carried out twice.
    fn invariant(
        scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl FnMut(&View<'_, Self::Node>) -> Result<(), String> + 'static;

    /// What clients ask: single-key operations, where nothing else is said.
    fn generator() -> Generator {
        Box::new(single_key_operation)
    }

    /// Whether clients saw a right object: linearizable keys, where nothing else is said.
    ///
    /// # Errors
    /// What they saw instead.
    fn judge(history: &History) -> Result<(), Failure> {
        linearizable(history)
    }

    /// What a node has applied. Where it is known, no request may be carried out twice, and the copies are compared in the end.
    fn recorder(_node: &Self::Node) -> Option<&Recorder> {
        None
    }

    /// Which nodes must have the same copy once nothing is under way: all, where nothing else is said.
    ///
    /// # Errors
    /// The cluster did not come to rest.
    fn copies(simulator: &Simulator<Self::Node>) -> Result<Vec<NodeId>, String> {
        Ok(simulator.names().to_vec())
    }
}
