//! One seed again, to be read.

use std::{env, path::Path};

use node::{
    Protocol,
    sim::{Scenario, TraceLine},
};

use crate::{Failure, Run, System, failure::seconds, recorder::Applied};

/// Names the seed to run instead of all.
const SEED: &str = "SIMULATION_SEED";
/// Names how many lines of the trace to print.
const LINES: &str = "SIMULATION_LINES";
const LINES_DEFAULT: usize = 200;
/// So many lines before and after one that proves the failure are printed.
const AROUND: usize = 12;
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
    // Where tests run one at a time, that thread is the main one.
    let test = test.filter(|name| *name != "main").map(|name| format!(" {name}"));
    let test = test.unwrap_or_default();
    let program = env::args().next().unwrap_or_default();
    match env::var("CARGO_PKG_NAME") {
        Ok(package) => {
            let target = target(Path::new(&program), &package);
            format!("{SEED}={seed} cargo test -p {package} {target}{test} -- --nocapture")
        }
        Err(_) => format!("{SEED}={seed} {program}{test} --nocapture"),
    }
}

/// How cargo is told to run the tests in `program`.
fn target(program: &Path, package: &str) -> String {
    let stem = program.file_stem().unwrap_or_default().to_string_lossy();
    let name = stem.rsplit_once('-').map_or(&*stem, |(name, _hash)| name);
    if program.parent().is_some_and(|folder| folder.ends_with("examples")) {
        format!("--example {name}")
    } else if name == package.replace('-', "_") {
        "--lib".to_owned()
    } else {
        format!("--test {name}")
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
    println!("seed {seed}: what happened, in virtual seconds (-> arrived, -x was lost)");
    let lines_max = env::var(LINES).ok().and_then(|lines| lines.parse().ok());
    print!(
        "{}",
        trace_text(simulator.trace(), failure.as_ref(), lines_max.unwrap_or(LINES_DEFAULT))
    );
    println!("when the run ended, at {}:", seconds(simulator.now_us()));
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

/// What happened until the failure; where that is too long, what is around the requests that prove it, else the end.
fn trace_text(lines: &[TraceLine], failure: Option<&Failure>, lines_max: usize) -> String {
    let until_us = failure.map_or(u64::MAX, |failure| failure.time_us);
    let lines = &lines[..lines.partition_point(|line| line.time_us <= until_us)];
    let requests = failure.map_or(&[][..], |failure| &failure.requests);
    let marks: Vec<bool> = lines.iter().map(|line| is_of(line, requests)).collect();
    let is_shown = |at: usize| {
        let around = at.saturating_sub(AROUND)..(at + AROUND + 1).min(lines.len());
        if lines.len() > lines_max && !requests.is_empty() {
            marks[around].contains(&true)
        } else {
            at + lines_max >= lines.len()
        }
    };
    let mut text = String::new();
    let mut left_out = 0;
    for (at, line) in lines.iter().enumerate() {
        if !is_shown(at) {
            left_out += 1;
            continue;
        }
        if left_out > 0 {
            text += &format!("… {left_out} lines ({LINES}={} shows all)\n", lines.len());
            left_out = 0;
        }
        let mark = if marks[at] { '>' } else { ' ' };
        text += &shortened(&format!("{mark}{line}"));
        text.push('\n');
    }
    text
}

/// Whether somebody sends one of these requests, or answers it.
fn is_of(line: &TraceLine, requests: &[Applied]) -> bool {
    let is_of = |(client, seq): &Applied| {
        line.who.split(' ').any(|name| name == client)
            && ["request", "answer"]
                .iter()
                .any(|what| line.what.starts_with(&format!("{what} {seq}:")))
    };
    requests.iter().any(is_of)
}

fn shortened(line: &str) -> String {
    if line.chars().count() <= COLUMNS_MAX {
        return line.to_owned();
    }
    line.chars().take(COLUMNS_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: u64) -> Vec<TraceLine> {
        let line = |time_us| {
            let (who, what) = match time_us {
                30 => ("c1 -> n1", "request 2: get x"),
                31 => ("c11 -> n1", "request 2: get x"),
                _ => ("n1", "timer"),
            };
            TraceLine { time_us, who: who.to_owned(), what: what.to_owned() }
        };
        (0..count).map(line).collect()
    }

    #[test]
    fn a_trace_ends_where_the_failure_showed() {
        let failure = Failure::new(59, "two leaders".to_owned());
        let text = trace_text(&lines(100), Some(&failure), 10);
        let shown: Vec<&str> = text.lines().collect();
        assert_eq!(shown[0], "… 50 lines (SIMULATION_LINES=60 shows all)");
        assert_eq!(shown.len(), 11);
        assert!(shown[10].contains("0.000059"), "{text}");
    }

    #[test]
    fn a_trace_shows_the_requests_that_prove_the_failure_wherever_they_are() {
        let requests = vec![("c1".to_owned(), 2)];
        let failure = Failure { requests, ..Failure::new(90, "a stale read".to_owned()) };
        let text = trace_text(&lines(100), Some(&failure), 10);
        assert_eq!(text.lines().count(), 2 * AROUND + 2, "{text}");
        let marked: Vec<&str> = text.lines().filter(|line| line.starts_with('>')).collect();
        assert_eq!(marked, [">   0.000030   c1 -> n1  request 2: get x"]);
    }

    #[test]
    fn the_command_runs_this_test_again() {
        let expected =
            "SIMULATION_SEED=17 cargo test -p simulation-checks --lib thousands -- --nocapture";
        assert_eq!(command(17, Some("thousands")), expected);
        for (program, expected) in [
            ("target/debug/deps/simulation-0123", "--test simulation"),
            ("target/debug/examples/primary_backup-0123", "--example primary_backup"),
            ("target/debug/deps/my_store-0123", "--lib"),
        ] {
            assert_eq!(target(Path::new(program), "my-store"), expected);
        }
    }
}
