//! The page that a run has, for a history that has no run.

use std::path::Path;

use history::{Events, Writer};
use record::{ResultsFile, RunFile, VERSION, files};

use super::file::{open, unreadable};
use super::{Answer, Question, sentence};
use crate::exit::Failure;

/// Between two events of a history without times.
const DRAWN_APART_NS: u64 = 1_000_000;

/// Writes the page; what it is made from is a results folder for a moment.
pub(super) fn write(
    question: &Question,
    answer: &Answer,
    command: String,
    to: &Path,
) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    write_history(question, &folder.path().join(files::HISTORY), answer.has_times)?;
    // There were no faults and messages to record, which is not the same as a record that is lost.
    for name in [files::FAULTS, files::MESSAGES] {
        std::fs::write(folder.path().join(name), "")?;
    }
    let document = |name: &str, value: serde_json::Result<String>| {
        let text = value.map_err(|error| Failure::Failed(format!("{name}: {error}")))?;
        std::fs::write(folder.path().join(name), text).map_err(Failure::from)
    };
    document(files::RUN, serde_json::to_string(&run(question, command, answer.has_times)))?;
    document(files::RESULTS, serde_json::to_string(&results(question, answer)))?;
    let page = reports::render(folder.path())
        .map_err(|error| Failure::Failed(format!("no report: {error}")))?;
    std::fs::write(to, page)
        .map_err(|error| Failure::Failed(format!("no report in {}: {error}", to.display())))
}

/// Copies the events; those without times are drawn in their order.
fn write_history(question: &Question, to: &Path, has_times: bool) -> Result<(), Failure> {
    let mut writer = Writer::create(to)?;
    for located in Events::new(open(&question.path)?, question.format) {
        let mut event = located.map_err(|error| unreadable(&question.path, &error))?.event;
        if !has_times {
            event.time_ns = event.index.saturating_mul(DRAWN_APART_NS);
        }
        writer.append(&event)?;
    }
    Ok(writer.flush()?)
}

fn run(question: &Question, command: String, has_times: bool) -> RunFile {
    let path = &question.path;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    RunFile {
        version: VERSION,
        harness: env!("CARGO_PKG_VERSION").to_owned(),
        target: name,
        target_folder: path.parent().unwrap_or(path).display().to_string(),
        workload: question.model.name().to_owned(),
        seed: 0,
        nodes: Vec::new(),
        clients: 0,
        rate: None,
        faults: Vec::new(),
        fault_interval_ms: 0,
        time_limit_ms: 0,
        started: jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        command,
        machine: std::collections::BTreeMap::new(),
        lacks: Vec::new(),
        untimed: !has_times,
    }
}

fn results(question: &Question, answer: &Answer) -> ResultsFile {
    let mut notes = answer.notes.clone();
    if !answer.has_times {
        notes.push(
            "The history has no times: its events are drawn a millisecond apart, in their order."
                .to_owned(),
        );
    }
    ResultsFile {
        verdict: answer.result.verdict,
        version: VERSION,
        summary: sentence(question, answer),
        checks: vec![answer.result.clone()],
        operations: answer.operations.clone(),
        latency_ms: None,
        faults: std::collections::BTreeMap::new(),
        notes,
        folder: question.path.display().to_string(),
    }
}
