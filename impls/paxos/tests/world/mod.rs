//! What a simulated cluster of Paxos nodes is made of, and what must hold of it.

use std::sync::Arc;

use contract::NodeId;
use multi_paxos::{Config, Paxos, message::Record, slot::Batch};
use node::sim::{Dice, Scenario, Simulator, View};
use simulation_checks::{
    Coverage, Recorder,
    invariants::{OneLeaderPerTerm, OneSequenceApplied, OneValuePerSlot},
    recorder::{SNAPSHOTS_READ, SNAPSHOTS_WRITTEN},
};
use single_decree::Ballot;

const STARTS: &str = "nodes started or restarted";
const RECOVERED_SNAPSHOTS: &str = "nodes recovered from a snapshot";
pub const LEADERS: &str = "leaders elected";
const NO_OPS: &str = "holes filled with a no-op";
const BATCHES: &str = "slots with several requests";
const CHOSEN: &str = "slots chosen";
const BEHIND_A_GAP: &str = "slots chosen before an earlier one";

/// Fails unless every mechanism was at work. The bounds are far below what the seeds give.
pub fn assert_nothing_was_missed(coverage: &Coverage) {
    coverage.assert_at_least(&[
        (STARTS, 10_000),
        (LEADERS, 4_000),
        (SNAPSHOTS_WRITTEN, 50_000),
        (RECOVERED_SNAPSHOTS, 1_000),
        (NO_OPS, 10),
        (BATCHES, 100),
        (BEHIND_A_GAP, 1_000),
        (CHOSEN, 100_000),
    ]);
    let installed = coverage.times(SNAPSHOTS_READ) - coverage.times(RECOVERED_SNAPSHOTS);
    assert!(installed >= 1_000, "only {installed} laggards got a snapshot");
}

pub type Node = Paxos<Recorder>;

/// Most clusters compact often, so that laggards meet missing logs; some never.
fn snapshot_bytes(seed: u64) -> Option<u64> {
    [Some(400), Some(1_500), Some(6_000), None][(seed % 4) as usize]
}

/// Whether leaders of this seed's cluster step down late, while the others start elections early. Safety must not
/// depend on timing, and good timing hides that it does.
pub fn steps_down_late(seed: u64) -> bool {
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

/// Makes the nodes of a seed's cluster.
pub fn make(
    scenario: &Scenario,
    coverage: &Arc<Coverage>,
) -> impl Fn(&NodeId, Vec<Record>) -> Node + 'static {
    let (members, seed, coverage) = (scenario.nodes.clone(), scenario.seed, coverage.clone());
    move |node, records| {
        coverage.count(STARTS);
        if records.iter().any(|record| matches!(record, Record::Snapshot { .. })) {
            coverage.count(RECOVERED_SNAPSHOTS);
        }
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

/// What must hold after every step.
pub fn invariants(
    coverage: &Arc<Coverage>,
) -> impl FnMut(&View<'_, Node>) -> Result<(), String> + 'static {
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
            |slot, batch| {
                count_chosen(&coverage, batch, slot > commit);
            },
        )?;
        one_sequence.check(name, learner.application().applied())?;
        let Some(ballot) = node.leading() else { return Ok(()) };
        if one_leader.check(name, ballot)? {
            coverage.count(LEADERS);
        }
        if ballot.node == *name { Ok(()) } else { Err(format!("{name} leads in {ballot:?}")) }
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

/// After some quiet time every node has applied the same.
pub fn settled(simulator: &mut Simulator<Node>) -> Result<(), String> {
    simulation_checks::settled(simulator, |node| node.learner().application().applied().len())
}
