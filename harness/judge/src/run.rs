//! The record of a run of this bench, judged from its results folder alone.

mod diagnosis;
mod evidence;
mod faults;
mod headline;
mod majority;
mod recovery;
mod summary;
mod witnesses;

use contract::manifest::CAPABILITIES;
use history::{CheckResult, Event, Operation, Verdict};
use linearizability::Limits;
use record::{
    FaultRecord, Folder, FolderError, Mark, Phase, Reading, ResultsFile, RunFile, Unreadable,
    VERSION, files,
};

use diagnosis::Diagnosis;
use evidence::Seen;
use witnesses::Witnesses;

/// Why there is no verdict on a folder.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is no results folder.
    #[error("{0} is no results folder: there is no {run} in it", run = files::RUN)]
    NoRun(String),
    /// A file of it cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A line in the middle of a file is damaged.
    #[error("{file} {unreadable}")]
    Damaged {
        /// The file.
        file: String,
        /// The line.
        unreadable: Unreadable,
    },
    /// A workload that this version does not have.
    #[error("{0}")]
    Workload(String),
}

impl RunError {
    /// Whether the system refused; otherwise the folder is not what it should be.
    #[must_use]
    pub fn is_of_the_system(&self) -> bool {
        matches!(self, Self::Folder(error) if error.is_of_the_system())
    }
}

/// What a run left behind.
struct Record {
    run: RunFile,
    events: Vec<Event>,
    faults: Vec<FaultRecord>,
    /// The line of the history in whose middle the run ended.
    torn_line: Option<u64>,
}

/// Reads `run.json`.
///
/// # Errors
/// The folder holds none, it is damaged, or it was written by a newer bench.
pub fn read_run(folder: &Folder) -> Result<RunFile, RunError> {
    folder.run().map_err(|error| match error {
        FolderError::Missing(_) => RunError::NoRun(folder.path().display().to_string()),
        error => error.into(),
    })
}

/// Judges the record in a folder.
///
/// # Errors
/// A folder that holds no record of a run, or one that cannot be read.
pub fn judge(folder: &Folder, limits: &Limits) -> Result<ResultsFile, RunError> {
    let record = Record::read(folder)?;
    let Record { run, events, faults, .. } = &record;
    // The record decides, whatever the store can do.
    let all = CAPABILITIES.map(|entry| entry.capability);
    let workload = workloads::by_name(&run.workload, &all).map_err(RunError::Workload)?;
    let marks: Vec<Mark> = events.iter().filter_map(Mark::of).collect();
    let paired = history::operations(events);
    // A record that breaks the rules has no operations; the checks say so.
    let main = in_main(paired.as_deref().unwrap_or_default());
    let mut checks = match &paired {
        Ok(operations) => {
            let seen = Seen {
                main: &main,
                must_succeed: workload.must_succeed(),
                clients: run.clients,
                faults,
            };
            let mut checks = workload.check(operations, limits);
            checks.push(evidence::check(&seen, &run.require));
            checks.extend(majority::check(&run.nodes, faults, &main));
            checks
        }
        Err(error) => vec![broken(error)],
    };
    checks.push(recovery::check(&marks, events));
    checks.extend(final_reads(&marks));
    let by_family = faults::count(faults);
    checks.extend(faults::check(&run.faults, &by_family));
    tell(&mut checks, paired.as_deref().unwrap_or_default(), faults);
    let verdict = checks.iter().map(|check| check.verdict).fold(Verdict::Valid, Verdict::merge);
    let operations = summary::endings(&main);
    Ok(ResultsFile {
        verdict,
        version: VERSION,
        summary: summary::sentence(run, verdict, &checks, &operations, &by_family),
        checks,
        operations,
        latency_ms: summary::latency(&main),
        faults: by_family,
        notes: notes(&marks, record.torn_line),
        folder: folder.path().display().to_string(),
    })
}

impl Record {
    fn read(folder: &Folder) -> Result<Self, RunError> {
        let run = read_run(folder)?;
        let mut events = Vec::new();
        let history = folder.read_history(|event| events.push(event))?;
        if history.missing {
            return Err(FolderError::Missing(folder.path().join(files::HISTORY)).into());
        }
        let mut faults = Vec::new();
        let reading = folder.read_faults(|fault| faults.push(fault))?;
        undamaged(folder, files::FAULTS, reading)?;
        let torn_line = history.torn_line;
        undamaged(folder, files::HISTORY, history)?;
        Ok(Self { run, events, faults, torn_line })
    }
}

/// So many violations get a diagnosis: each looks at the whole record.
const DIAGNOSED_MAX: usize = 10;

/// The clearest violation first, and to each what the checkers cannot know: what it comes to, who answered, and what
/// was broken then.
fn tell(checks: &mut [CheckResult], operations: &[Operation], faults: &[FaultRecord]) {
    if checks.iter().all(|check| check.violations.is_empty()) {
        return;
    }
    let witnesses = Witnesses::new(operations, faults);
    headline::order(checks, &witnesses);
    let diagnosis = Diagnosis::new(operations, &witnesses);
    let violations = checks.iter_mut().flat_map(|check| &mut check.violations);
    for (place, violation) in violations.enumerate() {
        if let Some(context) = witnesses.context(violation) {
            let end = if violation.sentence.ends_with(['.', ')']) { "" } else { "." };
            violation.sentence.push_str(&format!("{end} {context}"));
        }
        let named = (place < DIAGNOSED_MAX).then(|| diagnosis.of(violation)).flatten();
        if let Some(named) = named {
            violation.sentence = format!("{named}. {}", violation.sentence);
        }
    }
}

/// From a record that lacks a line in its middle nothing can be decided.
fn undamaged(folder: &Folder, name: &str, reading: Reading) -> Result<(), RunError> {
    let file = folder.path().join(name).display().to_string();
    match reading.first_unreadable {
        None => Ok(()),
        Some(unreadable) => Err(RunError::Damaged { file, unreadable }),
    }
}

fn broken(error: &history::PairError) -> CheckResult {
    CheckResult::inconclusive(
        "premises",
        format!(
            "The record itself breaks the rules of a history, so nothing can be decided from it: {error}."
        ),
    )
}

/// The last look at every node is part of the test.
fn final_reads(marks: &[Mark]) -> Option<CheckResult> {
    let (asked, answered) = marks.iter().rev().find_map(|mark| match mark {
        Mark::FinalReads { asked, answered } => Some((*asked, *answered)),
        _ => None,
    })?;
    let sentence = format!("{answered} of {asked} reads after the end were answered.");
    Some(match answered {
        0 if asked > 0 => CheckResult::inconclusive("final-reads", sentence),
        _ => CheckResult::valid("final-reads", sentence),
    })
}

fn notes(marks: &[Mark], torn_line: Option<u64>) -> Vec<String> {
    let note = |mark: &Mark| match mark {
        Mark::Note(text) => Some(text.clone()),
        _ => None,
    };
    let torn = torn_line.map(|line| {
        format!(
            "Line {line} of {} was cut off: the run ended while it was being written.",
            files::HISTORY
        )
    });
    marks.iter().filter_map(note).chain(torn).collect()
}

/// The operations of the main phase.
fn in_main(operations: &[Operation]) -> Vec<&Operation> {
    operations.iter().filter(|operation| operation.phase == Phase::Main.name()).collect()
}
