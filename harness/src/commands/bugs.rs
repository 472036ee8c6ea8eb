//! `harness bugs`: build and run the planted bugs; which are caught, how fast, how often.

use std::process::Stdio;

use record::{Folder, Mark, Phase, ResultsFile};
use serde::Serialize;

use super::{complain, names_of_failed_checks, say, say_json};
use crate::{
    bugs::{
        patch::Bug,
        table::{BugRun, Table},
        workspace::Workspace,
    },
    cli::BugsArguments,
    exit::{Exit, Failure},
};

/// A bug counts as caught where at least four of five seeds catch it.
const CAUGHT_SHARE: f64 = 0.8;

/// What became of one bug.
#[derive(Clone, Debug, Serialize)]
struct Row {
    bug: String,
    story: String,
    /// Whether enough seeds caught it.
    caught: bool,
    runs: Vec<BugRun>,
    /// What the first violation of this call said.
    sentence: Option<String>,
}

/// Runs the planted bugs. The exit code is 0 where every bug was caught on at least four of five seeds, else 1.
///
/// # Errors
/// No checkout, a patch that no longer applies, a bug that does not build, a table that cannot be kept.
pub fn bugs(arguments: &BugsArguments) -> Result<Exit, Failure> {
    let workspace = Workspace::find().map_err(Failure::Usage)?;
    let filter = arguments.filter.as_deref().unwrap_or("");
    let mut bugs = Bug::all(workspace.root()).map_err(Failure::Failed)?;
    bugs.retain(|bug| bug.id().contains(filter));
    if bugs.is_empty() {
        return Err(Failure::Usage(format!(
            "no planted bug has `{filter}` in its name; see `harness bugs --list`"
        )));
    }
    if arguments.list {
        for bug in &bugs {
            say(&format!("{}\n  {}\n  workload {}\n", bug.id(), bug.story, bug.workload));
        }
        return Ok(Exit::Valid);
    }
    let table = match &arguments.table {
        Some(path) => {
            Table::open(path, &arguments.run_options.join(" ")).map_err(Failure::Usage)?
        }
        None => Table::unkept(),
    };
    let mut campaign = Campaign { workspace, table, options: &arguments.run_options };
    let mut rows = Vec::new();
    for bug in &bugs {
        let row = campaign.run_bug(bug, arguments.seeds)?;
        complain(&describe(&row));
        rows.push(row);
    }
    let all_caught = rows.iter().all(|row| row.caught);
    if arguments.json {
        say_json(&serde_json::json!({ "all_caught": all_caught, "bugs": rows }));
    } else {
        rows.iter().for_each(|row| say(&describe(row)));
        say(&in_total(&rows));
    }
    Ok(if all_caught { Exit::Valid } else { Exit::Violation })
}

/// Runs of planted bugs, all with the same options.
struct Campaign<'a> {
    workspace: Workspace,
    table: Table,
    /// Options of `harness run`.
    options: &'a [String],
}

impl Campaign<'_> {
    /// Runs that the table has are not repeated.
    fn run_bug(&mut self, bug: &Bug, seeds: u32) -> Result<Row, Failure> {
        let mut row = Row {
            bug: bug.id(),
            story: bug.story.clone(),
            caught: false,
            runs: Vec::new(),
            sentence: None,
        };
        for seed in 1..=u64::from(seeds) {
            if self.table.run(&row.bug, seed).is_none() {
                let (run, sentence) = self.run_seed(bug, seed)?;
                complain(&format!("  {} seed {seed}: {}", run.bug, run.outcome));
                row.sentence = row.sentence.or(sentence);
                self.table.add(run)?;
            }
            row.runs.extend(self.table.run(&row.bug, seed).cloned());
        }
        row.caught = share(caught(&row.runs), row.runs.len()) >= CAUGHT_SHARE;
        Ok(row)
    }

    /// One run, in a process of its own: a bug must not take the others down. With what its first violation says.
    fn run_seed(&self, bug: &Bug, seed: u64) -> Result<(BugRun, Option<String>), Failure> {
        let folder = self.workspace.plant(bug).map_err(Failure::Failed)?;
        let root = self.workspace.root();
        let out = root.join("target/bugs/results").join(&bug.system).join(&bug.name);
        let mut command = std::process::Command::new(std::env::current_exe()?);
        command.args(["run", "--json", "--workload", &bug.workload]);
        if let Some(nodes) = bug.nodes {
            command.arg("--nodes").arg(nodes.to_string());
        }
        command.args(self.options).arg("--seed").arg(seed.to_string());
        command.arg("--out").arg(out).arg(folder);
        let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        let (bug, outcome) = (bug.id(), |outcome: &str| outcome.to_owned());
        let mut run =
            BugRun { bug, seed, outcome: String::new(), after_s: None, found_by: Vec::new() };
        run.outcome = match output.status.code() {
            Some(1) => outcome("violation"),
            Some(0) => outcome("valid"),
            Some(3) => outcome("inconclusive"),
            // What breaks the submission instead of its promises must not end the whole table.
            Some(4) => {
                complain(errors.trim_end());
                outcome("broken")
            }
            _ => {
                let bug = run.bug;
                return Err(Failure::Failed(format!(
                    "the planted bug {bug} did not run:\n{errors}"
                )));
            }
        };
        if !run.is_caught() {
            return Ok((run, None));
        }
        let results: ResultsFile = serde_json::from_slice(&output.stdout)
            .map_err(|error| Failure::Failed(format!("the run's results do not parse: {error}")))?;
        run.after_s = seconds_to_witness(&results);
        run.found_by = names_of_failed_checks(&results).collect();
        let first = results.checks.iter().flat_map(|check| &check.violations).next();
        Ok((run, first.map(|violation| violation.sentence.clone())))
    }
}

/// From the start of the main phase until the witness of the first violation was complete, or the violation proven.
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
    let first = results.checks.iter().flat_map(|check| &check.violations).filter_map(end).min();
    // What nodes say of their logs is no operation.
    let is_proof = |event: &&history::Event| matches!(Mark::of(event), Some(Mark::Proven(_)));
    let proven = || events.iter().find(is_proof).map(|event| event.time_ns);
    let seen_ns = first.or_else(proven)?;
    Some(std::time::Duration::from_nanos(seen_ns.saturating_sub(main)).as_secs_f64())
}

fn caught(runs: &[BugRun]) -> usize {
    runs.iter().filter(|run| run.is_caught()).count()
}

fn share(part: usize, whole: usize) -> f64 {
    let count = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { count(part) / count(whole) }
}

/// `, median 4.2 s` until the violation was there to see; empty where none was.
fn median(runs: &[BugRun]) -> String {
    let mut seconds: Vec<f64> = runs.iter().filter_map(|run| run.after_s).collect();
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).map_or(String::new(), |median| format!(", median {median:.1} s"))
}

fn describe(row: &Row) -> String {
    let word = if row.caught { "caught" } else { "MISSED" };
    let (caught, of) = (caught(&row.runs), row.runs.len());
    let mut found_by: Vec<&str> =
        row.runs.iter().flat_map(|run| &run.found_by).map(String::as_str).collect();
    found_by.sort_unstable();
    found_by.dedup();
    let found_by = found_by.join(", ");
    let mut text = format!("{word}  {}  {caught}/{of}{}  [{found_by}]", row.bug, median(&row.runs));
    for run in row.runs.iter().filter(|run| !run.is_caught()) {
        text.push_str(&format!("\n        seed {}: {}", run.seed, run.outcome));
    }
    if let Some(sentence) = &row.sentence {
        text.push_str(&format!("\n        {sentence}"));
    }
    text
}

fn in_total(rows: &[Row]) -> String {
    let runs: Vec<BugRun> = rows.iter().flat_map(|row| row.runs.clone()).collect();
    let bugs = rows.iter().filter(|row| row.caught).count();
    format!(
        "{bugs} of {} bugs caught, in {} of {} runs{}",
        rows.len(),
        caught(&runs),
        runs.len(),
        median(&runs)
    )
}
