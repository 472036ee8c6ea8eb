//! Thousands of simulated systems of two groups and three controllers, under faults, with joins, leaves and moves all the time:
//! clients must see one store, whose transactions are atomic.

mod world;

use std::{marker::PhantomData, sync::Arc};

use contract::{MicroOperation, NodeId, Operation};
use history::Verdict;
use invariants::Invariant;
use node::{
    Protocol,
    sim::{Dice, Generator, History, NetworkOptions, Scenario, View},
};
use shard_controller::consensus::{Carrier, OnPaxos, OnRaft, OnViewstamped};
use sharded::{Carried, Node};
use simulation_checks::{
    Coverage, Failure, System, carried::families, recorded, run::STARTS, run_seeds,
    same_seed_same_run,
};
use world::{SHARDS, atomic, ended_us, group_of, names, node};

const SEEDS: u64 = 250;
const MIGRATED: &str = "shards that came from another group";
const AHEAD: &str = "shards of which parts came before they moved";
const COORDINATED: &str = "transactions over groups";
const ABORTED: &str = "attempts that were aborted";

/// A system that `C` replicates.
struct Sharded<C>(PhantomData<C>);

impl<C: Carrier> System for Sharded<C> {
    type Node = Node<C::Node<Carried>>;

    const AT_LEAST: &'static [(&'static str, u64)] = &[
        (STARTS, 9 * SEEDS),
        (MIGRATED, 2 * SEEDS),
        (AHEAD, SEEDS),
        (COORDINATED, 2 * SEEDS),
        (ABORTED, SEEDS / 4),
    ];

    fn scenario(seed: u64) -> Scenario {
        let mut scenario = Scenario::new(seed, 0);
        scenario.nodes = names();
        scenario.settle_ms = 3_000;
        scenario.clients.clients = [3, 5][(seed % 2) as usize];
        scenario.clients.think_ms_max = [100, 30][(seed / 2 % 2) as usize];
        scenario.clients.operation_timeout_ms = 6_000;
        scenario.faults.families = families(C::SURVIVES_CRASHES);
        scenario.faults.duration_ms = 4_000;
        scenario.faults.interval_ms = 400;
        scenario.faults.length_ms_max = 900;
        if seed.is_multiple_of(5) {
            scenario.faults.network = NetworkOptions::LOSSY;
        }
        scenario
    }

    fn make(
        scenario: &Scenario,
        _coverage: &Arc<Coverage>,
    ) -> impl Fn(&NodeId, Vec<<Self::Node as Protocol>::Record>) -> Self::Node + 'static {
        let seed = scenario.seed;
        move |id, records| node::<C>(id, records, seed, false)
    }

    fn invariant(
        _scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl FnMut(&View<'_, Self::Node>) -> Result<(), String> + 'static {
        let coverage = coverage.clone();
        let (mut migrated, mut coordinated) = (Vec::new(), Vec::new());
        let mut ahead = Vec::new();
        move |view| {
            let (_, node) = view.stepped();
            let Some(group) = node.group() else { return Ok(()) };
            for (shard, lost_in) in group.unsettled().keys() {
                let arrival = (group.id().clone(), *shard, *lost_in);
                if !migrated.contains(&arrival) {
                    migrated.push(arrival);
                    coverage.count(MIGRATED);
                }
            }
            for (shard, incoming) in group.ahead() {
                let copy = (group.id().clone(), *shard, incoming.lost_in);
                if !ahead.contains(&copy) {
                    ahead.push(copy);
                    coverage.count(AHEAD);
                }
            }
            for (id, transaction) in group.coordinated() {
                let Some(decision) = &transaction.decision else { continue };
                if !coordinated.contains(id) {
                    coordinated.push(id.clone());
                    let is_aborted = decision.values().all(Option::is_none);
                    coverage.count(if is_aborted { ABORTED } else { COORDINATED });
                }
            }
            Ok(())
        }
    }

    fn generator() -> Generator {
        Box::new(operation)
    }

    fn judge(history: &History) -> Result<(), Failure> {
        let operations = recorded(history);
        let of_controllers = operations.iter().filter(|operation| is_of_controllers(&operation.f));
        let of_controllers: Vec<_> = of_controllers.cloned().collect();
        let result = Invariant::Configurations.check(&of_controllers);
        if result.verdict == Verdict::Violation {
            return Err(Failure::new(ended_us(history), result.summary));
        }
        // Nobody queries: what is decided here is whether changes were refused as they should be.
        atomic(history)
    }
}

fn is_of_controllers(f: &str) -> bool {
    ["join", "leave", "move", "query"].contains(&f)
}

/// First both groups join; then mostly keys, alone and together, and now and then a change of the configuration. The first group
/// never leaves, so that everything can be served in the end.
fn operation(dice: &mut Dice, unique: u64) -> Operation {
    let key = |dice: &mut Dice| format!("k{}", dice.index(8));
    let value = format!("v{unique},");
    if unique <= 2 || dice.chance(60) {
        let number = if unique <= 2 { unique } else { dice.between(1, 2) };
        let (group, servers) = group_of(&format!("n{}", 3 * number)).expect("a server");
        return match dice.index(4) {
            _ if unique <= 2 => Operation::Join { groups: [(group, servers)].into() },
            0 => Operation::Leave { groups: vec!["g2".to_owned()] },
            1 => {
                let (group, servers) = group_of("n6").expect("a server");
                Operation::Join { groups: [(group, servers)].into() }
            }
            _ => Operation::Move { shard: dice.between(0, SHARDS as u64 - 1), group },
        };
    }
    match dice.index(10) {
        0 | 1 => Operation::Get { key: key(dice) },
        2 | 3 => Operation::Append { key: key(dice), value },
        4 => Operation::Put { key: key(dice), value },
        5 => Operation::MultiGet { keys: vec![key(dice), key(dice)] },
        6 => {
            let values = [(key(dice), value.clone()), (key(dice), value)];
            Operation::MultiPut { values: values.into() }
        }
        7 => Operation::Swap { a: key(dice), b: key(dice) },
        8 => Operation::Txn {
            guards: [].into(),
            ops: vec![
                MicroOperation::Read(key(dice)),
                MicroOperation::Append(key(dice), value.clone()),
                MicroOperation::Append(key(dice), value),
            ],
        },
        _ => Operation::MultiGet { keys: (0..8).map(|number| format!("k{number}")).collect() },
    }
}

#[test]
fn on_raft_clients_see_one_store_with_atomic_transactions() {
    run_seeds::<Sharded<OnRaft>>(SEEDS);
}

#[test]
fn on_paxos_clients_see_one_store_with_atomic_transactions() {
    run_seeds::<Sharded<OnPaxos>>(SEEDS);
}

#[test]
fn on_viewstamped_replication_clients_see_one_store_with_atomic_transactions() {
    run_seeds::<Sharded<OnViewstamped>>(SEEDS);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    same_seed_same_run::<Sharded<OnRaft>>(2);
}
