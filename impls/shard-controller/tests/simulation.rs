//! Thousands of simulated controllers under faults, carried by each protocol of the ladder: their clients must see the
//! configurations of one right controller.

use std::{marker::PhantomData, sync::Arc};

use contract::{NodeId, Operation};
use history::Verdict;
use invariants::Invariant;
use kv::ExactlyOnce;
use node::{
    Protocol,
    sim::{Dice, Generator, History, NetworkOptions, Scenario, View},
};
use shard_controller::{
    Controller,
    consensus::{Carrier, OnPaxos, OnRaft, OnViewstamped},
};
use simulation_checks::{
    Coverage, Failure, System,
    carried::{families, launch},
    recorded,
    run::STARTS,
    run_seeds, same_seed_same_run,
};

const SHARDS: usize = 10;
const SEEDS: u64 = 600;

/// The controller as an application.
type Application = ExactlyOnce<Controller>;

/// Controllers that `C` replicates.
struct Controllers<C>(PhantomData<C>);

impl<C: Carrier> System for Controllers<C> {
    type Node = C::Node<Application>;

    const AT_LEAST: &'static [(&'static str, u64)] = &[(STARTS, 3 * SEEDS)];

    fn scenario(seed: u64) -> Scenario {
        let mut scenario = Scenario::new(seed, 3);
        scenario.settle_ms = 1_500;
        scenario.clients.think_ms_max = [100, 40][(seed % 2) as usize];
        scenario.faults.families = families(C::SURVIVES_CRASHES);
        scenario.faults.duration_ms = 2_500;
        scenario.faults.interval_ms = 300;
        scenario.faults.length_ms_max = 800;
        if seed.is_multiple_of(5) {
            scenario.faults.network = NetworkOptions::LOSSY;
        }
        scenario
    }

    fn make(
        scenario: &Scenario,
        _coverage: &Arc<Coverage>,
    ) -> impl Fn(&NodeId, Vec<<Self::Node as Protocol>::Record>) -> Self::Node + 'static {
        let (members, seed) = (scenario.nodes.clone(), scenario.seed);
        move |id, records| {
            let controller = ExactlyOnce::new(Controller::new(SHARDS));
            C::node(&launch(id, &members, seed), controller, records).expect("its own log")
        }
    }

    fn invariant(
        _scenario: &Scenario,
        _coverage: &Arc<Coverage>,
    ) -> impl FnMut(&View<'_, Self::Node>) -> Result<(), String> + 'static {
        |_| Ok(())
    }

    fn generator() -> Generator {
        Box::new(operation)
    }

    fn judge(history: &History) -> Result<(), Failure> {
        let result = Invariant::Configurations.check(&recorded(history));
        match result.verdict {
            Verdict::Valid => Ok(()),
            _ => {
                let ended_us = history.events().last().map_or(0, |event| event.time_us);
                Err(Failure::new(ended_us, result.summary))
            }
        }
    }
}

/// Half changes, half queries, of four groups.
fn operation(dice: &mut Dice, _unique: u64) -> Operation {
    let group = format!("g{}", dice.between(1, 4));
    match dice.index(8) {
        0 | 1 => {
            let servers = vec![format!("{group}n1"), format!("{group}n2")];
            Operation::Join { groups: [(group, servers)].into() }
        }
        2 => Operation::Leave { groups: vec![group] },
        3 => Operation::Move { shard: dice.between(0, SHARDS as u64), group },
        4 => Operation::Query { num: i64::try_from(dice.between(0, 20)).unwrap_or(0) },
        _ => Operation::Query { num: -1 },
    }
}

#[test]
fn on_paxos_clients_see_one_right_controller() {
    run_seeds::<Controllers<OnPaxos>>(SEEDS);
}

#[test]
fn on_raft_clients_see_one_right_controller() {
    run_seeds::<Controllers<OnRaft>>(SEEDS);
}

#[test]
fn on_viewstamped_replication_clients_see_one_right_controller() {
    run_seeds::<Controllers<OnViewstamped>>(SEEDS);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    same_seed_same_run::<Controllers<OnRaft>>(3);
}
