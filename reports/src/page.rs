//! What a page shows, as a value: of a run, read from its results folder, or of a history that another tool recorded.

use std::collections::{BTreeMap, BTreeSet};

use history::{CheckResult, Event, Picture, Verdict, Violation};
use record::{
    Behaviour, Counts, FailureFile, FaultCounts, Folder, FolderError, Measured, Promise, Quantiles,
    Reading, ResultsFile, RunFile, files,
};

use crate::ReportError;
use crate::attempts::{self, Attempts};
use crate::faults::Faults;
use crate::logs::Logs;
use crate::markup::counted;
use crate::messages::Messages;
use crate::operations::{self, Operations, WitnessRow};
use crate::states::{self, StateLane};

/// So many violations are shown in full.
pub const VIOLATIONS_MAX: usize = 20;
/// So many operations of each.
pub const WITNESSES_MAX: usize = 200;
/// Between two events of a history without times.
const DRAWN_APART_NS: u64 = 1_000_000;

/// What a page shows.
#[derive(Debug)]
pub struct Page {
    /// What was judged; `None`: a results folder that does not say.
    pub subject: Option<Subject>,
    /// What came of it; `None`: not judged yet.
    pub judgement: Option<Judgement>,
    /// Why it has no verdict.
    pub failure: Option<FailureFile>,
    /// The record.
    pub operations: Operations,
    /// What only the bench's own runs have.
    pub cluster: Option<Cluster>,
    /// Whether the record says when things happened; else its times only order the events.
    pub is_timed: bool,
    /// What is missing or damaged.
    pub remarks: Vec<String>,
    /// The time of the last thing that happened.
    pub end_ns: u64,
}

/// What was judged.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A run of the bench.
    Run(Box<RunFile>),
    /// A history in a file.
    History(History),
}

/// A history that another tool recorded.
#[derive(Clone, Debug)]
pub struct History {
    /// The file's name.
    pub file: String,
    /// Where it is.
    pub folder: String,
    /// What it was checked against.
    pub model: String,
    /// When, in local time.
    pub checked: String,
    /// The version of the bench.
    pub harness: String,
    /// The command that checks it again.
    pub command: String,
    /// Whether it says when things happened.
    pub has_times: bool,
}

/// What came of a check.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The merged verdict.
    pub verdict: Verdict,
    /// The verdict in one plain sentence.
    pub summary: String,
    /// What each checker found.
    pub checks: Vec<CheckResult>,
    /// How the operations that count ended, by function.
    pub operations: BTreeMap<String, Counts>,
    /// Latency of those that succeeded, where it was judged.
    pub latency_ms: Option<Quantiles>,
    /// What a valid run must have seen, and what was seen.
    pub evidence: Vec<Measured>,
    /// What the store promises, and what came of it.
    pub promises: Vec<Promise>,
    /// How the store behaved, where that was measured; it decides nothing.
    pub behaviour: Option<Behaviour>,
    /// What a person should know that decides nothing.
    pub notes: Vec<String>,
}

/// What the bench did to the nodes of a run, and what they said.
#[derive(Debug, Default)]
pub struct Cluster {
    /// The results folder, for the command that judges it.
    pub folder: String,
    /// The faults that were planned, and what became of each.
    pub faults: Faults,
    /// By family, as judged: how many were planned, and how many took hold.
    pub effective: BTreeMap<String, FaultCounts>,
    /// The messages between the nodes.
    pub messages: Messages,
    /// The nodes' logs.
    pub logs: Logs,
    /// The requests behind the operations that prove a violation.
    pub attempts: Attempts,
    /// What each node was doing.
    pub states: Vec<StateLane>,
}

impl Page {
    /// The page of a run, complete or not. Whatever is missing, torn or unreadable is a remark, not an error: a run that
    /// was killed deserves a report, too, and so does one whose store spoilt a file.
    ///
    /// # Errors
    /// The folder is no results folder, or was written by a newer bench.
    pub fn of_run(folder: &Folder) -> Result<Self, ReportError> {
        if !folder.holds_a_record() {
            return Err(ReportError::NotAResultsFolder(folder.path().to_path_buf()));
        }
        let mut remarks = Vec::new();
        let mut run = if_there(folder.run(), files::RUN, &mut remarks)?;
        let results = if_there(folder.results(), files::RESULTS, &mut remarks)?;
        let failure = if_there(folder.failure(), files::FAILURE, &mut remarks)?;
        if let (Some(run), Some(results)) = (&mut run, &results) {
            // It may have been judged at another level than was asked for in the run.
            run.consistency = results.consistency.clone().or(run.consistency.take());
        }
        if run.is_none() && remarks.is_empty() {
            remarks.push("There is no run.json: what was asked is not known.".into());
        }
        let (effective, judgement) = results.map(Judgement::of_run).unzip();

        let mut gathered = operations::Gathering::default();
        let history = folder.read_history(|event| gathered.take(event));
        remark(files::HISTORY, history, &mut remarks);
        let (faults, reading) = Faults::read(folder);
        remark(files::FAULTS, reading, &mut remarks);
        let (messages, reading) = Messages::read(folder);
        remark(files::MESSAGES, reading, &mut remarks);

        let nodes = run.as_ref().map_or_else(Vec::new, |run| run.nodes.clone());
        let subject = run.map(|run| Subject::Run(Box::new(run)));
        let mut page = Self::new(subject, judgement, gathered, remarks);
        page.failure = failure;
        // A fault healed after the last operation still belongs to the time axis.
        page.end_ns = page.end_ns.max(faults.end_ns);
        page.operations.end_ns = page.end_ns;
        let windows: Vec<Option<(u64, u64)>> =
            page.shown_violations().map(|violation| page.window_ns(violation)).collect();
        let (attempts, reading) = attempts::read(folder, &page.operations.witnesses);
        remark(files::ATTEMPTS, reading, &mut page.remarks);
        let states = states::lanes(&nodes, &page.operations.marks, &faults, page.end_ns);
        page.cluster = Some(Cluster {
            folder: folder.path().display().to_string(),
            faults,
            effective: effective.unwrap_or_default(),
            messages,
            logs: Logs::read(&folder.path().join(files::NODES), &windows),
            attempts,
            states,
        });
        Ok(page)
    }

    /// The page of a history that another tool recorded. Events without times are drawn in their order.
    pub fn of_history(
        history: History,
        judgement: Judgement,
        events: impl IntoIterator<Item = Event>,
    ) -> Self {
        let has_times = history.has_times;
        let mut gathered = operations::Gathering::default();
        for mut event in events {
            if !has_times {
                event.time_ns = event.index.saturating_mul(DRAWN_APART_NS);
            }
            gathered.take(event);
        }
        let mut page =
            Self::new(Some(Subject::History(history)), Some(judgement), gathered, Vec::new());
        page.is_timed = has_times;
        page
    }

    fn new(
        subject: Option<Subject>,
        judgement: Option<Judgement>,
        gathered: operations::Gathering,
        mut remarks: Vec<String>,
    ) -> Self {
        remarks.extend(gathered.remark());
        let operations = gathered.finish(&witnesses(judgement.as_ref()));
        let end_ns = operations.end_ns;
        Self {
            subject,
            judgement,
            failure: None,
            operations,
            cluster: None,
            is_timed: true,
            remarks,
            end_ns,
        }
    }

    /// All violations, each with the name of its checker.
    pub fn violations(&self) -> impl Iterator<Item = (&str, &Violation)> {
        violations(self.judgement.as_ref())
    }

    /// The violations that are shown in full.
    pub fn shown_violations(&self) -> impl Iterator<Item = &Violation> {
        self.violations().map(|(_, violation)| violation).take(VIOLATIONS_MAX)
    }

    /// The picture of each violation, where it has one, in the same order.
    pub fn pictures(&self) -> impl Iterator<Item = Option<&Picture>> {
        let checks = self.judgement.iter().flat_map(|judgement| &judgement.checks);
        checks.flat_map(|check| {
            (0..check.violations.len())
                .map(|at| check.pictures.iter().find(|picture| picture.violation == at))
        })
    }

    /// The operations that prove a violation, as far as the record has them, in order of invocation.
    pub fn witnesses_of(&self, violation: &Violation) -> Vec<&WitnessRow> {
        let indices: BTreeSet<&u64> = violation.operations.iter().take(WITNESSES_MAX).collect();
        indices.into_iter().filter_map(|index| self.operations.witnesses.get(index)).collect()
    }

    /// The moments between which the operations that prove a violation lie.
    pub fn window_ns(&self, violation: &Violation) -> Option<(u64, u64)> {
        operations::window_ns(&self.witnesses_of(violation))
    }
}

impl Judgement {
    /// The faults that took hold, and the rest.
    fn of_run(results: ResultsFile) -> (BTreeMap<String, FaultCounts>, Self) {
        let ResultsFile { verdict, summary, checks, operations, latency_ms, .. } = results;
        let ResultsFile { evidence, promises, behaviour, notes, .. } = results;
        let judgement = Self {
            verdict,
            summary,
            checks,
            operations,
            latency_ms,
            evidence,
            promises,
            behaviour,
            notes,
        };
        (results.faults, judgement)
    }
}

fn violations(judgement: Option<&Judgement>) -> impl Iterator<Item = (&str, &Violation)> {
    let checks = judgement.into_iter().flat_map(|judgement| &judgement.checks);
    checks.flat_map(|check| {
        check.violations.iter().map(|violation| (check.checker.as_str(), violation))
    })
}

fn witnesses(judgement: Option<&Judgement>) -> BTreeSet<u64> {
    let shown = violations(judgement).take(VIOLATIONS_MAX);
    shown
        .flat_map(|(_, violation)| violation.operations.iter().take(WITNESSES_MAX))
        .copied()
        .collect()
}

/// A missing document is `None`, a damaged or unreadable one `None` and a remark.
fn if_there<T>(
    read: Result<T, FolderError>,
    name: &'static str,
    remarks: &mut Vec<String>,
) -> Result<Option<T>, FolderError> {
    match read {
        Ok(document) => Ok(Some(document)),
        Err(FolderError::Missing(_)) => Ok(None),
        Err(FolderError::Damaged { source, .. }) => {
            let fault = if source.is_data() { "does not follow its schema" } else { "is damaged" };
            remarks.push(format!("{name} {fault} and was left out: {source}."));
            Ok(None)
        }
        Err(error @ FolderError::Unreadable(_)) => {
            remarks.push(left_out(&error));
            Ok(None)
        }
        Err(error @ FolderError::Newer { .. }) => Err(error),
    }
}

fn left_out(error: &FolderError) -> String {
    format!("Left out: {error}.")
}

fn remark(name: &str, reading: Result<Reading, FolderError>, remarks: &mut Vec<String>) {
    let reading = match reading {
        Ok(reading) => reading,
        Err(error) => return remarks.push(left_out(&error)),
    };
    if reading.missing {
        remarks.push(format!("There is no {name}."));
    }
    if reading.torn_line.is_some() {
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
