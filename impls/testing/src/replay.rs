//! One seed again, to be read.

use std::{env, path::Path};

use node::{Protocol, sim::Scenario};

use crate::{Failure, Run, System};

/// Names the seed to run instead of all.
const SEED: &str = "SIMULATION_SEED";
/// Names how many lines of the trace to print.
const LINES: &str = "SIMULATION_LINES";
const LINES_DEFAULT: usize = 200;
/// A line's end is worth less than the overview.
const COLUMNS_MAX: usize = 180;

/// The seed that somebody wants to see.
///
/// # Panics
/// The variable is set to something that is no number.
pub(crate) fn seed() -> Option<u64> {
    let value = env::var(SEED).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{SEED}={value} is no number")))
}

/// The command that prints the trace of a seed: this test program again, as cargo calls it.
pub(crate) fn command(seed: u64, test: Option<&str>) -> String {
    let program = env::args().next().unwrap_or_default();
    let path = Path::new(&program);
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let target = stem.rsplit_once('-').map_or(stem.as_str(), |(target, _hash)| target);
    let kind = if path.parent().is_some_and(|folder| folder.ends_with("examples")) {
        "example"
    } else {
        "test"
    };
    // Where tests run one at a time, that thread is the main one.
    let test = test.filter(|name| *name != "main").map(|name| format!(" {name}"));
    let test = test.unwrap_or_default();
    match env::var("CARGO_PKG_NAME") {
        Ok(package) => {
            format!("{SEED}={seed} cargo test -p {package} --{kind} {target}{test} -- --nocapture")
        }
        Err(_) => format!("{SEED}={seed} {program}{test} --nocapture"),
    }
}

/// The run of a seed, with its trace.
pub(crate) fn traced<S: System>(seed: u64) -> Run<S> {
    let scenario = Scenario { keep_trace: true, ..S::scenario(seed) };
    let plan = S::plan(&scenario);
    Run::planned(scenario, plan)
}

/// Runs a seed and prints what happened until it failed, where it did.
pub(crate) fn print<S: System>(seed: u64) -> Option<Failure> {
    let mut run = traced::<S>(seed);
    let failure = run.healthy().err();
    let simulator = &run.report.simulator;
    let until_us = failure.as_ref().map_or(u64::MAX, |failure| failure.time_us);
    let lines = simulator.trace();
    let lines = &lines[..lines.partition_point(|line| line.time_us <= until_us)];
    let lines_max = env::var(LINES).ok().and_then(|lines| lines.parse().ok());
    let left_out = lines.len().saturating_sub(lines_max.unwrap_or(LINES_DEFAULT));
    println!(
        "seed {seed}: who sent what to whom (-x: it was lost) and what each node did, in virtual seconds"
    );
    if left_out > 0 {
        println!("… {left_out} lines before these; {LINES}={} shows them", lines.len());
    }
    for line in &lines[left_out..] {
        println!("{}", shortened(&line.to_string()));
    }
    println!("in the end:");
    for name in simulator.names() {
        let status = simulator.protocol(name).map(|node| node.status().to_string());
        println!("{name}  {}", shortened(&status.unwrap_or_else(|| "down".to_owned())));
    }
    match &failure {
        Some(failure) => println!("seed {seed}, {failure}"),
        None => println!("seed {seed} is healthy"),
    }
    failure
}

fn shortened(line: &str) -> String {
    if line.chars().count() <= COLUMNS_MAX {
        return line.to_owned();
    }
    line.chars().take(COLUMNS_MAX - 1).chain(['…']).collect()
}
