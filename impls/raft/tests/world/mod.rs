//! What a simulated cluster of Raft servers is made of, and what must hold of it.

pub mod operated;
pub mod properties;

use std::sync::Arc;

use contract::NodeId;
use node::sim::{ClientOptions, Dice, NetworkOptions, Scenario, Simulator, View};
use raft::{Config, Raft, Record};
use simulation_checks::{
    Coverage, Recorder, System,
    recorder::SNAPSHOTS_WRITTEN,
    run::{SNAPSHOTS_INSTALLED, SNAPSHOTS_RECOVERED, STARTS},
};

use operated::{ADDED, CHUNKS, CONFLICTS, GAPS, Operated, Operator, REMOVED, TRANSFERS};
use properties::{COMMITTED, CONFIGURATIONS, LEADERS, OF_EARLIER_TERMS, Properties, REPLACED};

/// Raft under simulation.
pub struct Cluster;

impl System for Cluster {
    type Node = Operated;

    /// Far below what the seeds give.
    const AT_LEAST: &'static [(&'static str, u64)] = &[
        (STARTS, 10_000),
        (LEADERS, 5_000),
        (OF_EARLIER_TERMS, 1_000),
        (COMMITTED, 200_000),
        (CONFLICTS, 300),
        (GAPS, 30_000),
        (REPLACED, 300),
        (SNAPSHOTS_WRITTEN, 50_000),
        (SNAPSHOTS_RECOVERED, 1_000),
        (SNAPSHOTS_INSTALLED, 500),
        (CHUNKS, 500),
        (TRANSFERS, 2_000),
        (ADDED, 1_000),
        (REMOVED, 1_000),
        (CONFIGURATIONS, 1_000),
    ];

    fn scenario(seed: u64) -> Scenario {
        let mut scenario = Scenario::new(seed, if seed % 5 == 1 || changes(seed) { 5 } else { 3 });
        scenario.settle_ms = 1_500;
        scenario.serialize_messages = seed.is_multiple_of(16);
        if Self::takes_turns(seed) {
            // Few requests: entries imply terms, so a lost vote shows only between elections and entries.
            scenario.clients =
                ClientOptions { clients: 2, think_ms_max: 400, ..ClientOptions::default() };
            scenario.faults.duration_ms = 3_000;
        } else {
            // Many eager clients fill the pipeline, few leave the checker more order to hold them to.
            scenario.clients.clients = [2, 4, 8][(seed / 4 % 3) as usize];
            scenario.clients.think_ms_max = [120, 60, 30][(seed % 3) as usize];
            scenario.faults.duration_ms = 1_800;
            scenario.faults.interval_ms = 250;
            scenario.faults.length_ms_max = 800;
            if seed % 7 < 2 {
                scenario.faults.network = NetworkOptions::LOSSY;
            }
        }
        scenario
    }

    fn takes_turns(seed: u64) -> bool {
        steps_down_late(seed) && seed.is_multiple_of(2)
    }

    /// A cluster that changes begins with the first three.
    fn make(
        scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl Fn(&NodeId, Vec<Record>) -> Operated + 'static {
        let (names, seed, coverage) = (scenario.nodes.clone(), scenario.seed, coverage.clone());
        let mut members = names.clone();
        members.truncate(if changes(seed) { 3 } else { names.len() });
        let operator = operator(scenario);
        move |node, records| {
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
            let (operator, coverage) = (operator.clone(), coverage.clone());
            Operated { server, operator, started_ms: 0, coverage }
        }
    }

    fn invariant(
        _scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl FnMut(&View<'_, Operated>) -> Result<(), String> + 'static {
        let coverage = coverage.clone();
        let mut properties = Properties::default();
        move |view| {
            let (name, node) = view.stepped();
            properties.check(name, &node.server, &coverage)
        }
    }

    fn recorder(node: &Operated) -> Option<&Recorder> {
        Some(node.server.application())
    }

    /// The servers of the last leader's configuration.
    fn copies(simulator: &Simulator<Operated>) -> Result<Vec<NodeId>, String> {
        let servers = simulator.names().iter().filter_map(|name| simulator.protocol(name));
        let leaders = servers.filter(|node| node.server.is_leader());
        let leader = leaders.max_by_key(|node| node.server.current_term()).ok_or("nobody leads")?;
        Ok(leader.server.configuration().servers().cloned().collect())
    }
}

/// Most clusters compact often, so that laggards meet missing entries; some never.
fn snapshot_bytes(seed: u64) -> Option<u64> {
    [Some(400), Some(1_500), Some(6_000), None][(seed % 4) as usize]
}

/// Small parts, so that a snapshot takes several.
fn chunk_bytes(seed: u64) -> usize {
    [60, 400, 1 << 20][(seed / 5 % 3) as usize]
}

/// Whether leaders of this seed's cluster step down late, while the others start elections early. Safety must not
/// depend on timing, and good timing hides that it does.
fn steps_down_late(seed: u64) -> bool {
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
