//! Thousands of simulated clusters under faults: safety after every step, linearizable histories, progress
//! once the faults are over. A failing seed is printed; `Scenario::keep_trace` shows its run.

mod world;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use node::sim::{ClientOptions, Completion, FaultOptions, NetworkOptions, Scenario};

use crate::world::{Seen, disagree, invariants, linearizable, make, settled};

const SEEDS: u64 = 2_400;

/// One seed: the cluster's size, its snapshot limit and all that goes wrong follow from it.
fn scenario(seed: u64) -> Scenario {
    Scenario {
        // Many eager clients fill the pipeline, few leave the checker more order to hold them to.
        clients: ClientOptions {
            clients: [3, 5, 8, 14][(seed / 4 % 4) as usize],
            think_ms_max: [60, 20, 5][(seed % 3) as usize],
            ..ClientOptions::default()
        },
        faults: FaultOptions {
            duration_ms: 4_000,
            interval_ms: 350,
            length_ms_max: 1_000,
            network: if seed % 7 < 2 { NetworkOptions::LOSSY } else { NetworkOptions::UNRELIABLE },
            ..FaultOptions::default()
        },
        settle_ms: 1_500,
        serialize_messages: seed.is_multiple_of(16),
        ..Scenario::new(seed, if seed % 5 < 2 { 5 } else { 3 })
    }
}

/// Runs one seed and says what is wrong with it.
fn run(seed: u64, seen: &Arc<Seen>) -> Result<(), String> {
    let scenario = scenario(seed);
    let make = make(&scenario, seen);
    let mut report = scenario.run(make, invariants(seen));
    if let Some(violation) = report.violation {
        return Err(violation);
    }
    linearizable(&report.history)?;
    if disagree(seed) {
        return Ok(());
    }
    let heal_us = scenario.faults.duration_ms * 1000;
    for operation in report.history.operations() {
        let invoked = &report.history.events()[operation.call as usize];
        if invoked.time_us >= heal_us && !matches!(operation.completion, Completion::Ok(..)) {
            return Err(format!("no progress after everything had healed: {operation:?}"));
        }
    }
    if report.ok_after_heal == 0 {
        return Err("nobody asked anything after the heal".to_owned());
    }
    settled(&mut report.simulator)
}

#[test]
fn thousands_of_faulty_runs_stay_safe_linearizable_and_alive() {
    let seen = Arc::new(Seen::default());
    let next = AtomicU64::new(0);
    let failures = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= SEEDS || failures.lock().unwrap().len() >= 5 {
                        break;
                    }
                    if let Err(reason) = run(seed, &seen) {
                        failures.lock().unwrap().push(format!("seed {seed}: {reason}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    seen.assert_nothing_was_missed();
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let trace = || {
        let scenario = Scenario { keep_trace: true, ..scenario(7) };
        let seen = Arc::default();
        let report = scenario.run(make(&scenario, &seen), invariants(&seen));
        report.simulator.trace().to_vec()
    };
    let first = trace();
    assert!(first.len() > 1_000);
    assert!(first == trace(), "two runs of one seed differ");
}

#[test]
fn a_cluster_of_one_serves_and_survives_its_crashes() {
    use node::sim::FaultFamily::{Crash, Lossy, Pause};
    for seed in 0..50 {
        let mut scenario = Scenario { nodes: vec!["n1".to_owned()], ..scenario(seed) };
        scenario.faults.families = vec![Crash, Lossy, Pause];
        let seen = Arc::default();
        let report = scenario.run(make(&scenario, &seen), invariants(&seen));
        assert_eq!(report.violation, None, "seed {seed}");
        assert_eq!(linearizable(&report.history), Ok(()), "seed {seed}");
        // A crash planned for the next write may strike right after the heal.
        let is_up = report.simulator.protocol("n1").is_some();
        assert!(report.ok_after_heal > 0 || !is_up || disagree(seed), "seed {seed}");
    }
}

#[test]
fn without_faults_everything_succeeds_under_one_leader() {
    for seed in 0..20 {
        let mut scenario = scenario(seed);
        scenario.faults.families.clear();
        scenario.faults.network = NetworkOptions::RELIABLE;
        let seen = Arc::default();
        let report = scenario.run(make(&scenario, &seen), invariants(&seen));
        assert_eq!(report.violation, None, "seed {seed}");
        for operation in report.history.operations() {
            assert!(matches!(operation.completion, Completion::Ok(..)), "{operation:?}");
        }
        assert!(seen.leaders() == 1 || disagree(seed), "seed {seed}");
    }
}
