//! What a simulated cluster of Raft servers is made of, and what must hold of it.

pub mod operated;
pub mod properties;

use std::sync::Arc;

use contract::NodeId;
use node::sim::{Dice, Scenario, Simulator, View};
use raft::{Config, Raft, Record};
use simulation_checks::{
    Coverage, Recorder,
    recorder::{SNAPSHOTS_READ, SNAPSHOTS_WRITTEN},
    settled::{agreed, settle},
};

use operated::{ADDED, CHUNKS, CONFLICTS, GAPS, Operated, Operator, REMOVED, TRANSFERS};
use properties::{COMMITTED, CONFIGURATIONS, LEADERS, OF_EARLIER_TERMS, Properties, REPLACED};

const STARTS: &str = "servers started or restarted";
const RECOVERED_SNAPSHOTS: &str = "servers recovered from a snapshot";

/// Fails unless every mechanism was at work. The bounds are far below what the seeds give.
pub fn assert_nothing_was_missed(coverage: &Coverage) {
    coverage.assert_at_least(&[
        (STARTS, 10_000),
        (LEADERS, 5_000),
        (OF_EARLIER_TERMS, 1_000),
        (COMMITTED, 200_000),
        (CONFLICTS, 300),
        (GAPS, 30_000),
        (REPLACED, 300),
        (SNAPSHOTS_WRITTEN, 50_000),
        (RECOVERED_SNAPSHOTS, 1_000),
        (CHUNKS, 500),
        (TRANSFERS, 2_000),
        (ADDED, 1_000),
        (REMOVED, 1_000),
        (CONFIGURATIONS, 1_000),
    ]);
    let installed = coverage.times(SNAPSHOTS_READ) - coverage.times(RECOVERED_SNAPSHOTS);
    println!("{installed:>7} snapshots installed");
    assert!(installed >= 500, "only {installed} laggards got a snapshot");
}

/// Most clusters compact often, so that laggards meet missing entries; some never.
fn snapshot_bytes(seed: u64) -> Option<u64> {
    [Some(400), Some(1_500), Some(6_000), None][(seed % 4) as usize]
}

/// Small parts, so that a snapshot takes several.
fn chunk_bytes(seed: u64) -> usize {
    [60, 400, 1 << 20][(seed / 4 % 3) as usize]
}

/// Whether leaders of this seed's cluster step down late, while the others start elections early. Safety must not
/// depend on timing, and good timing hides that it does.
pub fn steps_down_late(seed: u64) -> bool {
    seed / 3 % 2 == 1
}

/// A server's `election_ms` and `patience_ms`.
fn timing(seed: u64, server: usize) -> (u64, u64) {
    match steps_down_late(seed) {
        false => (300, 300),
        true => ([120, 200, 300][Dice::new(seed, 100 + server as u64).index(3)], 5_000),
    }
}

/// In a third of the clusters leaders are made to hand over, and in most of those servers come and go.
fn operator(scenario: &Scenario) -> Option<Operator> {
    let seed = scenario.seed;
    let operator = || Operator {
        interval_ms: [200, 600][(seed / 5 % 2) as usize],
        until_ms: 1_500,
        servers: scenario.nodes.clone(),
        changes: changes(seed),
    };
    (seed % 5 >= 3).then(operator)
}

/// Whether this seed's cluster changes.
pub fn changes(seed: u64) -> bool {
    seed % 5 >= 3 && !seed.is_multiple_of(3)
}

/// Makes the servers of a seed's cluster. One that changes begins with the first three.
pub fn make(
    scenario: &Scenario,
    coverage: &Arc<Coverage>,
) -> impl Fn(&NodeId, Vec<Record>) -> Operated + 'static {
    let (names, seed, coverage) = (scenario.nodes.clone(), scenario.seed, coverage.clone());
    let mut members = names.clone();
    members.truncate(if changes(seed) { 3 } else { names.len() });
    let operator = operator(scenario);
    move |node, records| {
        coverage.count(STARTS);
        if records.iter().any(|record| matches!(record, Record::Snapshot { .. })) {
            coverage.count(RECOVERED_SNAPSHOTS);
        }
        let number = names.iter().position(|id| id == node).expect("one of the nodes");
        let (election_ms, patience_ms) = timing(seed, number);
        let config = Config {
            node: node.clone(),
            members: members.clone(),
            heartbeat_ms: 50,
            election_ms,
            patience_ms,
            snapshot_bytes: snapshot_bytes(seed),
            chunk_bytes: chunk_bytes(seed),
        };
        let server = Raft::new(config, Recorder::new(coverage.clone()), records)
            .expect("a log that this protocol wrote");
        Operated { server, operator: operator.clone(), started_ms: 0, coverage: coverage.clone() }
    }
}

/// What must hold after every step.
pub fn invariants(
    coverage: &Arc<Coverage>,
) -> impl FnMut(&View<'_, Operated>) -> Result<(), String> + 'static {
    let coverage = coverage.clone();
    let mut properties = Properties::default();
    move |view| {
        let (name, node) = view.stepped();
        properties.check(name, &node.server, &coverage)
    }
}

/// After some quiet time every server of the cluster has applied the same.
pub fn settled(simulator: &mut Simulator<Operated>) -> Result<(), String> {
    settle(simulator);
    if let Some(violation) = simulator.violation() {
        return Err(violation.to_owned());
    }
    let servers = simulator.names().iter().filter_map(|name| simulator.protocol(name));
    let leaders = servers.filter(|node| node.server.is_leader());
    let leader = leaders.max_by_key(|node| node.server.current_term()).ok_or("nobody leads")?;
    let members: Vec<NodeId> = leader.server.configuration().servers().cloned().collect();
    agreed(simulator, &members, |node| node.server.application().applied().len())
}
