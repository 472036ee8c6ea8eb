//! `harness bugs`: build and run the planted bugs; which are caught, how fast, how often.

use std::{path::Path, process::Stdio};

use record::{Folder, Mark, Phase, ResultsFile};
use serde::Serialize;

use super::{complain, say, say_json};
use crate::{
    bugs::{patch::Bug, workspace::Workspace},
    cli::BugsArguments,
    exit::{Exit, Failure},
};

/// A bug counts as caught where at least four of five seeds catch it.
const CAUGHT_SHARE: f64 = 0.8;

/// What became of one bug.
#[derive(Clone, Debug, Serialize)]
struct Row {
    system: String,
    name: String,
    story: String,
    /// Whether enough seeds caught it.
    caught: bool,
    /// The seeds that did, with the seconds from the start of the main phase to the last operation of the witness.
    caught_after_s: Vec<(u64, f64)>,
    /// The seeds that did not, with what came instead.
    missed: Vec<(u64, String)>,
    /// The kinds of violation that were reported.
    kinds: Vec<String>,
    /// Whether a checker that the patch names was among those that caught it, every time.
    as_expected: bool,
    /// What the first violation said, by seed.
    sentences: Vec<(u64, String)>,
}

/// Runs the planted bugs. The exit code is 0 where every bug was caught on at least four of five seeds, else 1.
///
/// # Errors
/// No checkout, a patch that no longer applies, a bug that does not build.
pub fn bugs(arguments: &BugsArguments) -> Result<Exit, Failure> {
    let workspace = Workspace::find().map_err(Failure::Usage)?;
    let filter = arguments.filter.as_deref().unwrap_or("");
    let mut bugs = Bug::all(workspace.root()).map_err(Failure::Failed)?;
    bugs.retain(|bug| format!("{}/{}", bug.system, bug.name).contains(filter));
    if bugs.is_empty() {
        return Err(Failure::Usage(format!(
            "no planted bug has `{filter}` in its name; see `harness bugs --list`"
        )));
    }
    if arguments.list {
        for bug in &bugs {
            say(&format!(
                "{}/{}\n  {}\n  {} under {}\n",
                bug.system, bug.name, bug.story, bug.workload, bug.faults
            ));
        }
        return Ok(Exit::Valid);
    }
    let mut rows = Vec::new();
    for bug in &bugs {
        let row = run_bug(&workspace, bug, arguments.seeds)?;
        complain(&describe(&row));
        rows.push(row);
    }
    let all_caught = rows.iter().all(|row| row.caught);
    if arguments.json {
        say_json(&serde_json::json!({ "all_caught": all_caught, "bugs": rows }));
    } else {
        rows.iter().for_each(|row| say(&describe(row)));
    }
    Ok(if all_caught { Exit::Valid } else { Exit::Violation })
}

fn run_bug(workspace: &Workspace, bug: &Bug, seeds: u32) -> Result<Row, Failure> {
    let folder = workspace.plant(bug).map_err(Failure::Failed)?;
    let out = workspace.root().join("target/bugs/results").join(&bug.system).join(&bug.name);
    let mut row = Row {
        system: bug.system.clone(),
        name: bug.name.clone(),
        story: bug.story.clone(),
        caught: false,
        caught_after_s: Vec::new(),
        missed: Vec::new(),
        kinds: Vec::new(),
        as_expected: true,
        sentences: Vec::new(),
    };
    for seed in 1..=u64::from(seeds) {
        match run_seed(&folder, &out, bug, seed)? {
            Seen::Violation(results, after_s) => {
                row.caught_after_s.push((seed, after_s));
                row.as_expected &= bug.expect.iter().any(|name| found_something(&results, name));
                let violations = results.checks.iter().flat_map(|check| &check.violations);
                row.kinds.extend(violations.clone().map(|violation| violation.kind.clone()));
                let sentence = violations.map(|violation| violation.sentence.clone()).next();
                row.sentences.extend(sentence.map(|sentence| (seed, sentence)));
            }
            Seen::Other(what) => row.missed.push((seed, what)),
        }
        complain(&format!(
            "  {}/{} seed {seed}: {} caught so far",
            bug.system,
            bug.name,
            row.caught_after_s.len()
        ));
    }
    row.as_expected &= !row.caught_after_s.is_empty();
    row.kinds.sort();
    row.kinds.dedup();
    row.caught = f64::from(u32::try_from(row.caught_after_s.len()).unwrap_or(0))
        >= CAUGHT_SHARE * f64::from(seeds);
    Ok(row)
}

enum Seen {
    Violation(Box<ResultsFile>, f64),
    Other(String),
}

/// One run, in a process of its own: a bug must not take the others down.
fn run_seed(folder: &Path, out: &Path, bug: &Bug, seed: u64) -> Result<Seen, Failure> {
    let output = std::process::Command::new(std::env::current_exe()?)
        .args(["run", "--json", "--workload", &bug.workload, "--faults", &bug.faults])
        .args(&bug.options)
        .arg("--seed")
        .arg(seed.to_string())
        .arg("--out")
        .arg(out)
        .arg(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(1) => {
            let results: ResultsFile = serde_json::from_slice(&output.stdout).map_err(|error| {
                Failure::Failed(format!("the run's results do not parse: {error}"))
            })?;
            let after_s = seconds_to_witness(&results).unwrap_or(f64::NAN);
            Ok(Seen::Violation(Box::new(results), after_s))
        }
        Some(0) => Ok(Seen::Other("valid".to_owned())),
        Some(3) => Ok(Seen::Other("inconclusive".to_owned())),
        // What breaks the submission instead of its promises must not end the whole table.
        Some(4) => Ok(Seen::Other(format!("broken: {}", errors.trim_end()))),
        _ => Err(Failure::Failed(format!(
            "the planted bug {}/{} did not run:\n{errors}",
            bug.system, bug.name
        ))),
    }
}

fn found_something(results: &ResultsFile, checker: &str) -> bool {
    results.checks.iter().any(|check| check.checker == checker && !check.violations.is_empty())
}

/// From the start of the main phase until the witness of the first violation was complete.
fn seconds_to_witness(results: &ResultsFile) -> Option<f64> {
    let mut events = Vec::new();
    Folder::existing(results.folder.clone().into())
        .read_history(|event| events.push(event))
        .ok()?;
    let main =
        events.iter().find(|event| Mark::of(event) == Some(Mark::Phase(Phase::Main)))?.time_ns;
    let operations = history::operations(&events).ok()?;
    let end = |violation: &history::Violation| {
        let witness =
            operations.iter().filter(|operation| violation.operations.contains(&operation.call));
        witness.map(|operation| operation.return_ns.unwrap_or(operation.call_ns)).max()
    };
    let first = results.checks.iter().flat_map(|check| &check.violations).filter_map(end).min()?;
    Some(std::time::Duration::from_nanos(first.saturating_sub(main)).as_secs_f64())
}

fn describe(row: &Row) -> String {
    let word = if row.caught { "caught" } else { "MISSED" };
    let seeds = row.caught_after_s.len() + row.missed.len();
    // What nodes say of themselves is a violation without operations, and has no such time.
    let seconds = row.caught_after_s.iter().map(|(_, seconds)| *seconds);
    let mut seconds: Vec<f64> = seconds.filter(|seconds| seconds.is_finite()).collect();
    seconds.sort_by(f64::total_cmp);
    let median = seconds
        .get(seconds.len() / 2)
        .map_or(String::new(), |median| format!(", median {median:.1} s"));
    let kinds = row.kinds.join(", ");
    let mut text = format!(
        "{word}  {}/{}  {}/{seeds}{median}  [{kinds}]",
        row.system,
        row.name,
        row.caught_after_s.len()
    );
    if !row.as_expected && !row.caught_after_s.is_empty() {
        text.push_str("\n        not always by a checker that its patch names");
    }
    for (seed, what) in &row.missed {
        text.push_str(&format!("\n        seed {seed}: {what}"));
    }
    if let Some((seed, sentence)) = row.sentences.first() {
        text.push_str(&format!("\n        seed {seed}: {sentence}"));
    }
    text
}
