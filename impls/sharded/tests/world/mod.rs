//! Two groups of three nodes and three shard controllers, and what their clients must see.

use contract::NodeId;
use history::Verdict;
use kv::ExactlyOnce;
use linearizability::{Call, Limits, check};
use node::{
    Protocol,
    sim::{Completion, History},
};
use shard_controller::{Controller, consensus::Carrier};
use sharded::{Carried, Group, Identity, Node};
use simulation_checks::{Failure, carried::launch};
use workloads::store::Store;

pub const SHARDS: usize = 4;

pub fn ids(letter: char, numbers: std::ops::RangeInclusive<u32>) -> Vec<NodeId> {
    numbers.map(|number| format!("{letter}{number}")).collect()
}

pub fn group_of(node: &str) -> Option<(String, Vec<NodeId>)> {
    let (group, servers) = match node {
        "n1" | "n2" | "n3" => (1, 1..=3),
        "n4" | "n5" | "n6" => (2, 4..=6),
        _ => return None,
    };
    Some((format!("g{group}"), ids('n', servers)))
}

/// All nodes.
pub fn names() -> Vec<NodeId> {
    [ids('c', 1..=3), ids('n', 1..=6)].concat()
}

/// One of them.
pub fn node<C: Carrier>(
    id: &NodeId,
    records: Vec<<Node<C::Node<Carried>> as Protocol>::Record>,
    seed: u64,
    rebalances: bool,
) -> Node<C::Node<Carried>> {
    let controllers = ids('c', 1..=3);
    let (carried, members) = match group_of(id) {
        Some((group, members)) => (Carried::Group(Box::new(Group::new(group, SHARDS))), members),
        None => {
            let controller = ExactlyOnce::new(Controller::new(SHARDS));
            (Carried::Controller(controller), controllers.clone())
        }
    };
    let inner = C::node(&launch(id, &members, seed), carried, records).expect("its own log");
    Node::new(Identity { node: id.clone(), controllers, rebalances }, inner)
}

pub fn ended_us(history: &History) -> u64 {
    history.events().last().map_or(0, |event| event.time_us)
}

/// All keys together are one object.
pub fn atomic(history: &History) -> Result<(), Failure> {
    let operations = history.operations();
    let of_keys = operations.into_iter().filter(|it| !it.operation.is_of_controllers());
    let calls = of_keys.map(|it| {
        let (ret, output, failed) = match it.completion {
            Completion::Ok(at, outcome) => (Some(at), Some(outcome), false),
            Completion::Fail(at, _) => (Some(at), None, true),
            Completion::Info(_) => (None, None, false),
        };
        Call {
            id: it.call,
            process: it.process,
            input: it.operation,
            output,
            call: it.call,
            ret,
            call_ns: it.call,
            return_ns: ret,
            failed,
        }
    });
    let calls: Vec<_> = calls.collect();
    let report = check(&Store, &calls, &Limits::default());
    match (report.verdict, report.witness) {
        (Verdict::Violation, Some(witness)) => {
            Err(Failure::new(ended_us(history), witness.sentence))
        }
        (Verdict::Violation, None) => {
            Err(Failure::new(ended_us(history), "not linearizable".to_owned()))
        }
        (Verdict::Valid, _) => Ok(()),
        (Verdict::Inconclusive, _) => {
            let why = report.reason.map_or(String::new(), |reason| format!("{reason:?}"));
            Err(Failure::new(ended_us(history), format!("not decided: {why}")))
        }
    }
}
