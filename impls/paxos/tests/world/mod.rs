//! What a simulated cluster of Paxos nodes is made of, and what must hold of it.

use std::sync::Arc;

use contract::NodeId;
use multi_paxos::{Config, Paxos, message::Record, slot::Batch};
use node::sim::{ClientOptions, Dice, NetworkOptions, Scenario, View};
use simulation_checks::{
    Coverage, Recorder, System,
    invariants::{OneLeaderPerTerm, OneSequenceApplied, OneValuePerSlot},
    recorder::SNAPSHOTS_WRITTEN,
    run::{SNAPSHOTS_INSTALLED, SNAPSHOTS_RECOVERED, STARTS},
};
use single_decree::Ballot;

pub const LEADERS: &str = "leaders elected";
const NO_OPS: &str = "holes filled with a no-op";
const BATCHES: &str = "slots with several requests";
const CHOSEN: &str = "slots chosen";
const BEHIND_A_GAP: &str = "slots chosen before an earlier one";

/// Multi-Paxos under simulation.
pub struct Cluster;

impl System for Cluster {
    type Node = Paxos<Recorder>;

    /// Far below what the seeds give.
    const AT_LEAST: &'static [(&'static str, u64)] = &[
        (STARTS, 20_000),
        (LEADERS, 8_000),
        (SNAPSHOTS_WRITTEN, 100_000),
        (SNAPSHOTS_RECOVERED, 2_000),
        (SNAPSHOTS_INSTALLED, 2_000),
        (NO_OPS, 20),
        (BATCHES, 200),
        (BEHIND_A_GAP, 2_000),
        (CHOSEN, 200_000),
    ];

    fn scenario(seed: u64) -> Scenario {
        let mut scenario = Scenario::new(seed, if seed % 5 < 2 { 5 } else { 3 });
        scenario.settle_ms = 1_500;
        scenario.serialize_messages = seed.is_multiple_of(16);
        if Self::takes_turns(seed) {
            // Few requests: votes imply promises, so a lost promise shows only between elections and votes.
            scenario.clients =
                ClientOptions { clients: 2, think_ms_max: 400, ..ClientOptions::default() };
            scenario.faults.duration_ms = 6_000;
        } else {
            // Many eager clients fill the pipeline, few leave the checker more order to hold them to.
            scenario.clients.clients = [3, 5, 8, 14][(seed / 4 % 4) as usize];
            scenario.clients.think_ms_max = [60, 20, 5][(seed % 3) as usize];
            scenario.faults.duration_ms = 4_000;
            scenario.faults.interval_ms = 350;
            scenario.faults.length_ms_max = 1_000;
            if seed % 7 < 2 {
                scenario.faults.network = NetworkOptions::LOSSY;
            }
        }
        scenario
    }

    fn takes_turns(seed: u64) -> bool {
        steps_down_late(seed) && seed.is_multiple_of(2)
    }

    fn make(
        scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl Fn(&NodeId, Vec<Record>) -> Paxos<Recorder> + 'static {
        let (members, seed, coverage) = (scenario.nodes.clone(), scenario.seed, coverage.clone());
        move |node, records| {
            let number = members.iter().position(|id| id == node).expect("a member");
            let (election_ms, patience_ms) = timing(seed, number);
            let config = Config {
                node: node.clone(),
                members: members.clone(),
                heartbeat_ms: 50,
                election_ms,
                patience_ms,
                snapshot_bytes: snapshot_bytes(seed),
                naive: is_naive(seed),
            };
            Paxos::new(config, Recorder::new(coverage.clone()), records)
                .expect("a log that this protocol wrote")
        }
    }

    fn invariant(
        _scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl FnMut(&View<'_, Self::Node>) -> Result<(), String> + 'static {
        let coverage = coverage.clone();
        // "Paxos Made Simple" §1: only a single value is chosen.
        let mut one_value = OneValuePerSlot::<Batch>::default();
        let mut one_sequence = OneSequenceApplied::default();
        let mut one_leader = OneLeaderPerTerm::<Ballot>::default();
        move |view| {
            let (name, node) = view.stepped();
            let learner = node.learner();
            let commit = learner.commit();
            one_value.check(
                name,
                commit,
                |first| learner.chosen_from(first),
                |slot, batch| count_chosen(&coverage, batch, slot > commit),
            )?;
            one_sequence.check(name, learner.application().applied())?;
            let Some(ballot) = node.leading() else { return Ok(()) };
            if one_leader.check(name, ballot)? {
                coverage.count(LEADERS);
            }
            if ballot.node == *name { Ok(()) } else { Err(format!("{name} leads in {ballot:?}")) }
        }
    }

    fn recorder(node: &Self::Node) -> Option<&Recorder> {
        Some(node.learner().application())
    }
}

/// Most clusters compact often, so that laggards meet missing logs; some never.
fn snapshot_bytes(seed: u64) -> Option<u64> {
    [Some(400), Some(1_500), Some(6_000), None][(seed % 4) as usize]
}

/// Whether leaders of this seed's cluster step down late, while the others start elections early. Safety must not
/// depend on timing, and good timing hides that it does.
fn steps_down_late(seed: u64) -> bool {
    seed / 3 % 2 == 1
}

/// Whether the cluster runs both phases for every command.
pub fn is_naive(seed: u64) -> bool {
    seed % 11 == 5 // shares no divisor with what else follows from the seed
}

/// A node's `election_ms` and `patience_ms`.
fn timing(seed: u64, node: usize) -> (u64, u64) {
    match steps_down_late(seed) {
        false => (300, 300),
        true => ([120, 200, 300][Dice::new(seed, 100 + node as u64).index(3)], 5_000),
    }
}

fn count_chosen(coverage: &Coverage, batch: &Batch, behind_a_gap: bool) {
    coverage.count(CHOSEN);
    match batch.len() {
        0 => coverage.count(NO_OPS),
        1 => {}
        _ => coverage.count(BATCHES),
    }
    if behind_a_gap {
        coverage.count(BEHIND_A_GAP);
    }
}
