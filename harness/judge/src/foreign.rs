//! A history that any tool recorded, judged against a model.

mod document;
mod file;
mod initial;
mod model;
mod packed;
mod sentence;
mod witness;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use history::words::counted;
use history::{CheckResult, Datum, Event, Format};
use isolation::Steps;
use linearizability::Limits;
use linearizability::named::Unfit;

pub use document::{Document, Endings};
pub use file::{events, format_of};
pub use initial::initial_that_explains;
pub use model::Model;
pub use sentence::{explanation, sentence};
pub use witness::{WitnessLine, table};

use file::Recorded;
use model::{Gathering, Judged};

/// What is to be checked against what.
#[derive(Clone, Debug)]
pub struct Question {
    /// The file with the history.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// The model that it must follow.
    pub model: Model,
    /// The value before the first operation; `None`: the model's own.
    pub initial: Option<Datum>,
}

/// A history and what was found in it.
#[derive(Clone, Debug)]
pub struct CheckedHistory {
    /// What the checker found.
    pub result: CheckResult,
    /// What the checker of transactions found.
    pub isolation: Option<isolation::Report>,
    /// The operations that prove a violation.
    pub witness: Vec<WitnessLine>,
    /// How many events the file holds.
    pub events: u64,
    /// How the operations ended, by function.
    pub operations: Endings,
    /// Whether the file says when things happened.
    pub has_times: bool,
    /// What is worth knowing about the file.
    pub notes: Vec<String>,
    /// How long reading took.
    pub reading: Duration,
    /// How long checking took.
    pub checking: Duration,
}

/// Why a history was not judged.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// The question makes no sense: no such file, format or model, or operations that are not the model's.
    #[error("{0}")]
    Unfit(String),
    /// The system failed while the file was read.
    #[error("{0}")]
    Io(String),
}

/// Hears how far reading and checking are.
pub trait Progress: Send + Sync {
    /// A file of so many bytes is being read.
    fn reading(&self, _bytes: u64) {}

    /// So many more bytes were read.
    fn read(&self, _bytes: u64) {}

    /// So many operations are being checked.
    fn checking(&self, _operations: u64) {}
}

/// Nobody listens.
impl Progress for () {}

/// Reads the file and checks it.
///
/// # Errors
/// [`ForeignError::Unfit`] where the file is no history of this format, or its operations are not those of the model.
pub fn check(
    question: &Question,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<CheckedHistory, ForeignError> {
    let start = Instant::now();
    let mut gathering = question.model.gathering();
    let (recorded, stopped) = gathering.read(question, limits, progress)?;
    let is_full = match stopped {
        Some(Stopped::Unfit(unfit)) => return Err(misfit(question, &unfit)),
        Some(Stopped::Full) => true,
        None => false,
    };
    let reading = start.elapsed();
    progress.checking(recorded.operations);
    let start = Instant::now();
    let judged = match is_full {
        true => inconclusive(question, &full(&recorded, limits)),
        false => judge(question, &recorded, gathering, limits)?,
    };
    let Judged { result, proof, isolation } = judged;
    let witness = witness::of(question, &proof);
    let mut notes = recorded.notes;
    let reported = isolation.iter().flat_map(|report| &report.notes);
    notes.extend(reported.filter(|note| !result.summary.contains(note.as_str())).cloned());
    Ok(CheckedHistory {
        result,
        isolation,
        witness,
        events: recorded.events,
        operations: recorded.endings,
        has_times: recorded.has_times,
        notes,
        reading,
        checking: start.elapsed(),
    })
}

impl Gathering {
    /// Reads the file, and stops where the limit is exceeded.
    fn read(
        &mut self,
        question: &Question,
        limits: &Limits,
        progress: &dyn Progress,
    ) -> Result<(Recorded, Option<Stopped>), ForeignError> {
        let is_full = |bytes: u64| match bytes > limits.memory_bytes {
            true => Err(Stopped::Full),
            false => Ok(()),
        };
        match self {
            Self::Operations(operations) => {
                file::read(question, progress, without_node, |operation| {
                    operations.add(operation);
                    is_full(operations.bytes)
                })
            }
            Self::Transactions(transactions) => {
                let pack = |event| without_node(event).map(Steps::from);
                file::read(question, progress, pack, |operation| {
                    transactions.add(operation).map_err(Stopped::Unfit)?;
                    is_full(transactions.bytes)
                })
            }
        }
    }
}

/// No model asks for the node; who explains a violation reads the file again.
fn without_node(event: Event<Datum>) -> Event<Datum> {
    Event { node: None, ..event }
}

/// Why not all of a file was read.
enum Stopped {
    Unfit(Unfit),
    Full,
}

fn full(recorded: &Recorded, limits: &Limits) -> String {
    format!(
        "Its first {} alone take more than {} MB of memory; allow it more.",
        counted(usize::try_from(recorded.operations).unwrap_or(usize::MAX), "operation"),
        limits.memory_bytes / 1_000_000
    )
}

fn inconclusive(question: &Question, reason: &str) -> Judged {
    let result = CheckResult::inconclusive(question.model.checker(), reason);
    Judged { result, proof: Vec::new(), isolation: None }
}

fn judge(
    question: &Question,
    recorded: &Recorded,
    gathered: Gathering,
    limits: &Limits,
) -> Result<Judged, ForeignError> {
    if let Some(broken) = &recorded.broken {
        let reason = format!(
            "The record itself breaks the rules of a history, so nothing can be decided from it: {broken}."
        );
        return Ok(inconclusive(question, &reason));
    }
    if recorded.operations == 0 {
        let reason = "There is no operation of a client in it, so nothing was tested.";
        return Ok(inconclusive(question, reason));
    }
    let checked = question.model.check(gathered, question.initial.as_ref(), limits);
    checked.map_err(|unfit| misfit(question, &unfit))
}

fn misfit(question: &Question, unfit: &Unfit) -> ForeignError {
    let line = unfit.event.and_then(|event| file::line_of(question, event));
    let place = line.map_or(String::new(), |line| format!("line {line}: "));
    ForeignError::Unfit(format!("{}: {place}{unfit}", question.path.display()))
}
