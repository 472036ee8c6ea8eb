//! Many runs, on every processor.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use crate::{Coverage, Run, System, replay};

/// After so many failures no further seed is tried.
const FAILURES_MAX: usize = 5;

/// Runs the seeds `0..count` of a system, each of which must be [healthy](Run::healthy). With `SIMULATION_SEED` set it runs
/// that one and prints its trace.
///
/// # Panics
/// A run failed: prints the first few failures, each with the command that shows its trace. Or something happened less often
/// than [`System::AT_LEAST`] says.
pub fn run_seeds<S: System>(count: u64) {
    if let Some(seed) = replay::seed() {
        let failure = replay::print::<S>(seed);
        assert!(failure.is_none(), "seed {seed} failed; what happened before is above");
        return;
    }
    let coverage = Coverage::default();
    let failures = failures::<S>(count, FAILURES_MAX, &coverage);
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
    coverage.assert_at_least(S::AT_LEAST);
}

/// Runs the seeds `0..count` of a system, one of which must fail; prints and returns what is wrong with it. With
/// `SIMULATION_SEED` set it runs that one and prints its trace.
///
/// # Panics
/// All runs were healthy.
#[must_use]
pub fn refuted<S: System>(count: u64) -> String {
    if let Some(seed) = replay::seed() {
        let failure = replay::print::<S>(seed);
        return failure
            .map_or_else(|| panic!("seed {seed} is healthy"), |failure| failure.to_string());
    }
    let failures = failures::<S>(count, 1, &Coverage::default());
    let failure = failures.into_iter().next().expect("one of these seeds must fail");
    println!("{failure}");
    failure
}

/// Says what is wrong with each of the seeds `0..count`, until `failures_max` have failed.
fn failures<S: System>(count: u64, failures_max: usize, coverage: &Coverage) -> Vec<String> {
    let next = AtomicU64::new(0);
    let list = Mutex::new(Vec::new());
    let failures = || list.lock().unwrap_or_else(PoisonError::into_inner);
    // The thread has the test's name.
    let test = thread::current().name().map(str::to_owned);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= count || failures().len() >= failures_max {
                break;
            }
            let mut run = Run::<S>::of(seed);
            if let Err(failure) = run.healthy() {
                let command = replay::command(seed, test.as_deref());
                failures().push((seed, format!("seed {seed}, {failure}\n  its trace: {command}")));
            }
            coverage.add(&run.coverage);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    let mut list = list.into_inner().unwrap_or_else(PoisonError::into_inner);
    list.sort();
    list.truncate(failures_max);
    list.into_iter().map(|(_, failure)| failure).collect()
}

/// Runs a seed twice.
///
/// # Panics
/// The two runs differ, or were too short to.
pub fn same_seed_same_run<S: System>(seed: u64) {
    let trace = || replay::traced::<S>(seed).report.simulator.trace().to_vec();
    let first = trace();
    assert!(first.len() > 1_000, "only {} events", first.len());
    assert!(first == trace(), "two runs of seed {seed} differ");
}
