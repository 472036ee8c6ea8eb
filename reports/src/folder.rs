//! Everything a results folder says, read once. Whatever is missing or torn is a remark, not an error: a run that was
//! killed deserves a report too.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use history::{Picture, Violation};
use jiff::Timestamp;
use record::{ResultsFile, RunFile, files};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ReportError;
use crate::faults::Faults;
use crate::jsonl::Reading;
use crate::logs::Logs;
use crate::markup::counted;
use crate::messages::Messages;
use crate::operations::{Operations, Witness};
use crate::timeline;

/// So many violations are shown in full.
pub const VIOLATIONS_MAX: usize = 20;
/// So many operations of each.
pub const WITNESSES_MAX: usize = 200;
const JSON_BYTES_MAX: u64 = 64 << 20;

/// A results folder.
#[derive(Debug)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// What was asked.
    pub run: Option<RunFile>,
    /// What came of it; `None`: not judged yet.
    pub results: Option<ResultsFile>,
    /// The record.
    pub operations: Operations,
    /// What the nemesis did.
    pub faults: Faults,
    /// What the nodes said to each other.
    pub messages: Messages,
    /// The nodes' logs.
    pub logs: Logs,
    /// What is missing or damaged.
    pub remarks: Vec<String>,
    /// The time of the last thing that happened.
    pub end_ns: u64,
}

impl Folder {
    /// Reads it.
    pub fn read(path: &Path) -> Result<Self, ReportError> {
        let known = [files::RUN, files::RESULTS, files::HISTORY];
        if !known.iter().any(|name| path.join(name).is_file()) {
            return Err(ReportError::NotAResultsFolder(path.to_path_buf()));
        }
        let mut remarks = Vec::new();
        let run: Option<RunFile> = document(path, files::RUN, &mut remarks)?;
        let results: Option<ResultsFile> = document(path, files::RESULTS, &mut remarks)?;
        if run.is_none() && remarks.is_empty() {
            remarks.push("There is no run.json: what was asked is not known.".into());
        }

        let mut operations =
            Operations::read(&path.join(files::HISTORY), witnesses(results.as_ref()))?;
        let faults = Faults::read(&path.join(files::FAULTS))?;
        let messages = Messages::read(&path.join(files::MESSAGES))?;
        remark(files::HISTORY, &operations.reading, &mut remarks);
        remark(files::FAULTS, &faults.reading, &mut remarks);
        remark(files::MESSAGES, &messages.reading, &mut remarks);
        // A fault healed after the last operation still belongs to the time axis.
        operations.end_ns = operations.end_ns.max(faults.end_ns);

        let mut folder = Self {
            path: path.to_path_buf(),
            run,
            results,
            end_ns: operations.end_ns,
            operations,
            faults,
            messages,
            logs: Logs::default(),
            remarks,
        };
        let windows: Vec<Option<(u64, u64)>> = folder
            .violations()
            .take(VIOLATIONS_MAX)
            .map(|(_, violation)| timeline::window_ns(&folder.witnesses_of(violation)))
            .collect();
        folder.logs = Logs::read(&path.join(files::NODES), folder.started(), &windows);
        Ok(folder)
    }

    /// All violations, each with the name of its checker.
    pub fn violations(&self) -> impl Iterator<Item = (&str, &Violation)> {
        violations(self.results.as_ref())
    }

    /// The picture of each violation, where it has one, in the same order.
    pub fn pictures(&self) -> impl Iterator<Item = Option<&Picture>> {
        let checks = self.results.iter().flat_map(|results| &results.checks);
        checks.flat_map(|check| {
            (0..check.violations.len())
                .map(|at| check.pictures.iter().find(|picture| picture.violation == at))
        })
    }

    /// The operations that prove a violation, as far as the record has them, in order of invocation.
    pub fn witnesses_of(&self, violation: &Violation) -> Vec<&Witness> {
        let indices: BTreeSet<&u64> = violation.operations.iter().take(WITNESSES_MAX).collect();
        indices.into_iter().filter_map(|index| self.operations.witnesses.get(index)).collect()
    }

    /// Is it the record of a run of this bench, with nodes and faults, and not some tool's history?
    pub fn is_run(&self) -> bool {
        self.run.as_ref().is_none_or(|run| !run.nodes.is_empty())
    }

    /// Do its times tell more than an order?
    pub fn is_timed(&self) -> bool {
        self.run.as_ref().is_none_or(|run| !run.untimed)
    }

    fn started(&self) -> Option<Timestamp> {
        let started = &self.run.as_ref()?.started;
        // A zone in brackets may follow the RFC 3339 part.
        started.split('[').next()?.parse().ok()
    }
}

fn violations(results: Option<&ResultsFile>) -> impl Iterator<Item = (&str, &Violation)> {
    let checks = results.into_iter().flat_map(|results| &results.checks);
    checks.flat_map(|check| {
        check.violations.iter().map(|violation| (check.checker.as_str(), violation))
    })
}

fn witnesses(results: Option<&ResultsFile>) -> BTreeSet<u64> {
    let shown = violations(results).take(VIOLATIONS_MAX);
    shown
        .flat_map(|(_, violation)| violation.operations.iter().take(WITNESSES_MAX))
        .copied()
        .collect()
}

/// One JSON document; a missing one is `None`, a damaged one `None` and a remark.
fn document<T: DeserializeOwned>(
    folder: &Path,
    name: &'static str,
    remarks: &mut Vec<String>,
) -> Result<Option<T>, ReportError> {
    let path = folder.join(name);
    if !path.exists() {
        return Ok(None);
    }
    let mut text = Vec::new();
    File::open(&path)
        .and_then(|file| file.take(JSON_BYTES_MAX).read_to_end(&mut text))
        .map_err(ReportError::io("read", &path))?;
    let value: Value = match serde_json::from_slice(&text) {
        Ok(value) => value,
        Err(error) => {
            remarks.push(format!("{name} is damaged and was left out: {error}."));
            return Ok(None);
        }
    };
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version > u64::from(record::VERSION) => {
            Err(ReportError::Newer { path, version })
        }
        _ => match serde_json::from_value(value) {
            Ok(document) => Ok(Some(document)),
            Err(error) => {
                remarks
                    .push(format!("{name} does not follow its schema and was left out: {error}."));
                Ok(None)
            }
        },
    }
}

fn remark(name: &str, reading: &Reading, remarks: &mut Vec<String>) {
    if reading.missing {
        remarks.push(format!("There is no {name}."));
    }
    if reading.torn {
        remarks.push(format!(
            "The last line of {name} is incomplete: the run was stopped while writing it."
        ));
    }
    if reading.unreadable > 0 {
        remarks.push(format!(
            "Left out because unreadable: {} of {name}.",
            counted(reading.unreadable, "line")
        ));
    }
}
