//! Thousands of simulated runs: one server that crashes, and a network that loses, doubles and delays what clients say.

use std::sync::Arc;

use contract::NodeId;
use exactly_once::{Record, Server};
use kv::{ExactlyOnce, Store};
use node::Application;
use node::sim::{FaultFamily, NetworkOptions, Scenario, View};
use simulation_checks::{
    Coverage, Recorder, System,
    recorder::SNAPSHOTS_WRITTEN,
    run::{SNAPSHOTS_RECOVERED, STARTS},
    run_seeds, same_seed_same_run,
};

const APPLIED: &str = "requests applied";

/// The server under simulation.
struct Alone;

impl System for Alone {
    type Node = Server<Recorder>;

    const AT_LEAST: &'static [(&'static str, u64)] = &[
        (STARTS, 10_000),
        (APPLIED, 200_000),
        (SNAPSHOTS_WRITTEN, 10_000),
        (SNAPSHOTS_RECOVERED, 1_000),
    ];

    fn scenario(seed: u64) -> Scenario {
        use FaultFamily::{Crash, Lossy, Pause};
        let mut scenario = Scenario::new(seed, 1);
        scenario.settle_ms = 1_000;
        scenario.clients.clients = [2, 4, 8][(seed % 3) as usize];
        scenario.clients.think_ms_max = [40, 10][(seed / 3 % 2) as usize];
        scenario.faults.families = vec![Crash, Lossy, Pause];
        scenario.faults.duration_ms = 3_000;
        scenario.faults.interval_ms = 300;
        scenario.faults.length_ms_max = 600;
        if seed.is_multiple_of(4) {
            scenario.faults.network = NetworkOptions::LOSSY;
        }
        scenario
    }

    fn make(
        scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl Fn(&NodeId, Vec<Record>) -> Self::Node + 'static {
        let snapshot_bytes = [Some(300), Some(2_000), None][(scenario.seed / 2 % 3) as usize];
        let coverage = coverage.clone();
        move |_, records| {
            Server::new(Recorder::new(coverage.clone()), snapshot_bytes, records)
                .expect("a log that this server wrote")
        }
    }

    /// No request is applied twice, not even one that would change nothing: the server knows its answer.
    fn invariant(
        _scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl FnMut(&View<'_, Self::Node>) -> Result<(), String> + 'static {
        let (coverage, mut seen) = (coverage.clone(), 0);
        move |view| {
            let applied = view.stepped().1.application().applied();
            // After a restart what was not durable is gone.
            seen = seen.min(applied.len());
            for (at, request) in applied.iter().enumerate().skip(seen) {
                coverage.count(APPLIED);
                if applied[..at].contains(request) {
                    return Err(format!("{request:?} was applied twice"));
                }
            }
            seen = applied.len();
            Ok(())
        }
    }

    fn recorder(node: &Self::Node) -> Option<&Recorder> {
        Some(node.application())
    }
}

#[test]
fn thousands_of_faulty_runs_carry_out_each_request_exactly_once() {
    run_seeds::<Alone>(5_000);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    same_seed_same_run::<Alone>(5);
}

/// The table as it was, and a store that is none.
#[test]
fn a_snapshot_that_is_none_is_refused() {
    let records = vec![Record::Snapshot { applied: 1, state: vec![1, 2, 3] }];
    let error = Server::new(ExactlyOnce::new(Store::default()), None, records).unwrap_err();
    assert!(error.contains("the log's snapshot cannot be restored"), "{error}");
}

#[test]
fn a_compacted_log_gives_back_the_same_server() {
    use contract::{Operation, Request};
    use node::{Effect, Effects, Protocol};
    let mut server =
        Server::new(ExactlyOnce::new(Store::default()), Some(500), Vec::new()).unwrap();
    let mut log = Vec::new();
    let mut rewrites = 0;
    for number in 0..100 {
        let op = Operation::Append { key: "x".to_owned(), value: "y".to_owned() };
        let request = Request { client: format!("c{}", number % 7), seq: number, op };
        let mut effects = Effects::new(0, number);
        server.on_request(number, request, &mut effects);
        for effect in effects.into_list() {
            match effect {
                Effect::Persist(record) => log.push(record),
                Effect::Rewrite(records) => {
                    rewrites += 1;
                    log = records;
                }
                _ => {}
            }
        }
    }
    assert!(rewrites > 5 && log.len() < 20, "{rewrites} rewrites, {} records", log.len());
    let again = Server::new(ExactlyOnce::new(Store::default()), Some(500), log).unwrap();
    assert_eq!(again.application(), server.application());
    assert_eq!(again.application().snapshot(), server.application().snapshot());
}
