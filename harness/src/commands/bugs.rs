//! `harness bugs`: build and run the planted bugs, or mutants; which are caught, how fast, how often.

mod campaign;

use campaign::Campaign;
use serde::Serialize;

use super::{complain, say, say_json};
use crate::{
    bugs::{
        mutants,
        patch::Bug,
        table::{BugRun, Table, UNHEALTHY},
        workspace::Workspace,
    },
    cli::BugsArguments,
    exit::{Exit, Failure},
};

/// A bug counts as caught where at least four of five seeds catch it.
const CAUGHT_SHARE: f64 = 0.8;
/// The seed that mutants run with.
const MUTANTS_SEED: u64 = 1;

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

/// Runs the planted bugs, or mutants. The exit code is 0 where every one was caught, of planted bugs on at least four of
/// five seeds; else 1.
///
/// # Errors
/// No checkout, a patch that no longer applies, a bug that does not build, a list of mutants or a table that is none.
pub fn bugs(arguments: &BugsArguments) -> Result<Exit, Failure> {
    let workspace = Workspace::find().map_err(Failure::Usage)?;
    let filter = arguments.filter.as_deref().unwrap_or("");
    let mut bugs = match &arguments.mutants {
        Some(list) => mutants::read(list, workspace.root()).map_err(Failure::Usage)?,
        None => Bug::all(workspace.root()).map_err(Failure::Failed)?,
    };
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
    let (rows, in_total) = if arguments.mutants.is_some() {
        run_mutants(&mut campaign, &bugs, arguments.sample)?
    } else {
        run_bugs(&mut campaign, &bugs, arguments.seeds)?
    };
    let all_caught = rows.iter().all(|row| row.caught);
    if arguments.json {
        say_json(&serde_json::json!({ "all_caught": all_caught, "bugs": rows }));
    } else {
        rows.iter().for_each(|row| say(&describe(row)));
        say(&in_total);
    }
    Ok(if all_caught { Exit::Valid } else { Exit::Violation })
}

/// Each with every seed; and how many were caught, in words.
fn run_bugs(
    campaign: &mut Campaign<'_>,
    bugs: &[Bug],
    seeds: u32,
) -> Result<(Vec<Row>, String), Failure> {
    let mut rows = Vec::new();
    for bug in bugs {
        let mut runs = Vec::new();
        let mut sentence = None;
        for seed in 1..=u64::from(seeds) {
            let (run, says) = campaign.run(bug, seed)?;
            sentence = sentence.or(says);
            runs.push(run);
        }
        let row = row(bug, runs, sentence);
        complain(&describe(&row));
        rows.push(row);
    }
    let in_total = in_total("bugs", &rows);
    Ok((rows, in_total))
}

/// So many as pass a run without faults, in the order that they have; and how many were caught, in words.
fn run_mutants(
    campaign: &mut Campaign<'_>,
    mutants: &[Bug],
    sample: usize,
) -> Result<(Vec<Row>, String), Failure> {
    let (mut rows, mut unhealthy) = (Vec::new(), 0_usize);
    for mutant in mutants {
        if rows.len() == sample {
            break;
        }
        let run = campaign.run_mutant(mutant, MUTANTS_SEED)?;
        if run.outcome == UNHEALTHY {
            unhealthy += 1;
        } else {
            rows.push(row(mutant, vec![run], None));
        }
    }
    let others = format!("; {unhealthy} others did not build, or did not even pass without faults");
    let in_total = in_total("mutants", &rows) + &others;
    Ok((rows, in_total))
}

fn row(bug: &Bug, runs: Vec<BugRun>, sentence: Option<String>) -> Row {
    let caught = share(caught(&runs), runs.len()) >= CAUGHT_SHARE;
    Row { bug: bug.id(), story: bug.story.clone(), caught, runs, sentence }
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

fn in_total(what: &str, rows: &[Row]) -> String {
    let runs: Vec<BugRun> = rows.iter().flat_map(|row| row.runs.clone()).collect();
    let bugs = rows.iter().filter(|row| row.caught).count();
    format!(
        "{bugs} of {} {what} caught, in {} of {} runs{}",
        rows.len(),
        caught(&runs),
        runs.len(),
        median(&runs)
    )
}
