//! Clients that want one shard most: another one makes room for it, and nothing else is noticed.

use std::sync::Arc;

use contract::{NodeId, Operation};
use node::{
    Protocol,
    sim::{Dice, Generator, History, Scenario, View},
};
use shard_controller::consensus::{Carrier, OnRaft};
use sharded::{Carried, Node};
use simulation_checks::{Coverage, Failure, System, carried::families, run_seeds};

use crate::{
    cluster::{Cluster, get, join},
    world::{atomic, ids, names, node},
};

const SEEDS: u64 = 120;
const MOVED: &str = "stores whose load was evened out by a move";
/// The number of the configuration in which both groups are there.
const OF_BOTH: u64 = 2;
/// More moves than this to the same load are too many.
const MOVES_MAX: u64 = 2;

/// Six of ten requests want shard 0; shard 1 is owned by the same group.
fn skewed(dice: &mut Dice) -> String {
    let shard = [0, 0, 0, 0, 0, 0, 1, 1, 2, 3][dice.index(10)];
    format!("k{}", shard + 4 * dice.index(2))
}

fn operation(dice: &mut Dice, unique: u64) -> Operation {
    if let 1 | 2 = unique {
        return join(if unique == 1 { 1 } else { 2 });
    }
    let (key, value) = (skewed(dice), format!("v{unique},"));
    match dice.index(10) {
        0..=3 => Operation::Get { key },
        4..=6 => Operation::Append { key, value },
        7 | 8 => Operation::Put { key, value },
        _ => Operation::Swap { a: key, b: skewed(dice) },
    }
}

struct Skewed;

impl System for Skewed {
    type Node = Node<<OnRaft as Carrier>::Node<Carried>>;

    const AT_LEAST: &'static [(&'static str, u64)] = &[(MOVED, SEEDS * 9 / 10)];

    fn scenario(seed: u64) -> Scenario {
        let mut scenario = Scenario::new(seed, 0);
        scenario.nodes = names();
        scenario.settle_ms = 12_000;
        scenario.clients.clients = 3;
        scenario.clients.operation_timeout_ms = 6_000;
        scenario.faults.families = families(OnRaft::SURVIVES_CRASHES);
        scenario.faults.duration_ms = 8_000;
        scenario.faults.length_ms_max = 600;
        scenario.serialize_messages = seed.is_multiple_of(10);
        scenario
    }

    fn make(
        scenario: &Scenario,
        _coverage: &Arc<Coverage>,
    ) -> impl Fn(&NodeId, Vec<<Self::Node as Protocol>::Record>) -> Self::Node + 'static {
        let seed = scenario.seed;
        move |id, records| node::<OnRaft>(id, records, seed, true)
    }

    fn invariant(
        _scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl FnMut(&View<'_, Self::Node>) -> Result<(), String> + 'static {
        let coverage = coverage.clone();
        let mut has_moved = false;
        move |view| {
            let (_, node) = view.stepped();
            let num = node.group().map_or(0, |group| group.configuration().num);
            if num > OF_BOTH && !has_moved {
                has_moved = true;
                coverage.count(MOVED);
            }
            match num > OF_BOTH + MOVES_MAX {
                true => Err(format!("configuration {num} under a load that stays the same")),
                false => Ok(()),
            }
        }
    }

    fn generator() -> Generator {
        Box::new(operation)
    }

    fn judge(history: &History) -> Result<(), Failure> {
        atomic(history)
    }
}

#[test]
fn a_skew_is_answered_by_a_move_and_clients_see_one_store() {
    run_seeds::<Skewed>(SEEDS);
}

/// Asks for keys of these shards in turn.
fn load(cluster: &mut Cluster, shards: &[usize], duration_ms: u64) {
    let end_ms = cluster.now_ms() + duration_ms;
    for shard in shards.iter().cycle() {
        if cluster.now_ms() >= end_ms {
            return;
        }
        cluster.must(get(&format!("k{shard}")));
    }
}

fn explanation(cluster: &Cluster) -> serde_json::Value {
    let leader = cluster.leader(&ids('c', 1..=3));
    cluster.member(&leader).status()["rebalancer"].clone()
}

#[test]
fn the_status_says_what_is_asked_and_why_nothing_or_something_is_moved() {
    let mut cluster = Cluster::of_both(0, true);
    load(&mut cluster, &[0, 0, 0, 1, 2], 2_000);
    let reason = explanation(&cluster)["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.contains("configuration 2 is not 6000 ms old"), "{reason}");
    let leader = cluster.leader(&ids('n', 1..=3));
    let rates = cluster.member(&leader).status()["rates"].clone();
    let of = |shard: &str| rates[shard].as_f64().unwrap_or_default();
    assert!(of("0") > 2.0 * of("1") && of("1") > 1.0, "{rates}");
    load(&mut cluster, &[0, 0, 0, 1, 2], 8_000);
    assert_eq!((cluster.served(1), cluster.served(2)), (vec![0], vec![1, 2, 3]));
    load(&mut cluster, &[0, 0, 0, 1, 2, 2], 8_000);
    let found = explanation(&cluster);
    let reason = found["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("is not above 1.25"), "{found}");
    assert!(found["skew"].as_f64().is_some_and(|skew| skew < 1.25), "{found}");
    assert!(found["rates"]["g1"]["0"].as_f64().is_some_and(|rate| rate > 1.0), "{found}");
}

#[test]
fn nothing_moves_unless_it_is_switched_on() {
    let mut cluster = Cluster::of_both(0, false);
    load(&mut cluster, &[0, 0, 0, 1, 2], 12_000);
    assert_eq!((cluster.served(1), cluster.served(2)), (vec![0, 1], vec![2, 3]));
    assert!(explanation(&cluster).is_null());
}

#[test]
fn a_shard_that_a_client_moved_stays_where_it_was_put() {
    let mut cluster = Cluster::of_both(0, true);
    cluster.must(Operation::Move { shard: 2, group: "g1".to_owned() });
    cluster.must(Operation::Move { shard: 3, group: "g1".to_owned() });
    load(&mut cluster, &[2, 3], 12_000);
    assert_eq!((cluster.served(1), cluster.served(2)), (vec![0, 1, 2, 3], vec![]));
    let found = explanation(&cluster);
    let reason = found["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("no shard that may leave g1"), "{found}");
}
