//! A history that any tool recorded, judged against a model.

mod document;
mod file;
mod gathered;
mod initial;
mod judged;
mod model;
mod sentence;
mod source;
mod witness;

use std::time::{Duration, Instant};

use history::words::counted;
use history::{CheckResult, Datum, Format};
use isolation::History;
use linearizability::Limits;
use linearizability::named::Unfit;

pub use document::{Document, Endings};
pub use file::{events, format_of};
pub use initial::initial_that_explains;
pub use model::{Model, Transactional};
pub use sentence::{explanation, sentence};
pub use source::Source;
pub use witness::{WitnessLine, table};

use file::Recorded;
use gathered::Gathered;
use judged::Judged;

/// What is to be checked against what.
#[derive(Clone, Debug)]
pub struct Question {
    /// Where the history is.
    pub source: Source,
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
    let initial = question.initial.as_ref();
    match question.model {
        Model::Linearizable(object) => {
            let (calls, read) = gathered::calls(object, question, limits, progress)?.split();
            read.check(question, limits, progress, || Judged::by_object(calls?, limits))
        }
        Model::Invariant(invariant) => {
            let read = gathered::operations(question, limits, progress)?;
            let (operations, read) = read.split();
            let judge = || Judged::by_invariant(invariant, operations, initial);
            read.check(question, limits, progress, judge)
        }
        Model::Transactional(asked) => Transactions::read(asked, question, limits, progress)?
            .check(asked, question, limits, progress),
    }
}

/// A history of transactions that was read, to be checked at several levels.
pub struct Transactions(Gathered<History>);

impl Transactions {
    /// Reads the file.
    ///
    /// # Errors
    /// As for [`check`].
    pub fn read(
        asked: Transactional,
        question: &Question,
        limits: &Limits,
        progress: &dyn Progress,
    ) -> Result<Self, ForeignError> {
        gathered::transactions(asked.datatype, question, limits, progress).map(Self)
    }

    /// Checks it at this level.
    ///
    /// # Errors
    /// As for [`check`].
    pub fn check(
        &self,
        asked: Transactional,
        question: &Question,
        limits: &Limits,
        progress: &dyn Progress,
    ) -> Result<CheckedHistory, ForeignError> {
        let initial = question.initial.as_ref();
        let judge = || Judged::by_level(asked, &self.0.kept, initial, limits);
        self.0.check(question, limits, progress, judge)
    }
}

impl<T> Gathered<T> {
    /// What is to be said of the history, where `judge` holds it against its model.
    fn check(
        &self,
        question: &Question,
        limits: &Limits,
        progress: &dyn Progress,
        judge: impl FnOnce() -> Result<Judged, Unfit>,
    ) -> Result<CheckedHistory, ForeignError> {
        progress.checking(self.recorded.operations);
        let start = Instant::now();
        let judged = match self.why_undecided(limits) {
            Some(reason) => Judged::inconclusive(question.model, &reason),
            None => judge().map_err(|unfit| misfit(question, &unfit))?,
        };
        let Judged { result, proof, isolation } = judged;
        let witness = witness::of(question, &proof);
        let mut notes = self.recorded.notes.clone();
        let reported = isolation.iter().flat_map(|report| &report.notes);
        notes.extend(reported.filter(|note| !result.summary.contains(note.as_str())).cloned());
        Ok(CheckedHistory {
            result,
            isolation,
            witness,
            events: self.recorded.events,
            operations: self.recorded.endings.clone(),
            has_times: self.recorded.has_times,
            notes,
            reading: self.reading,
            checking: start.elapsed(),
        })
    }

    /// Why nothing can be decided, whatever the model.
    fn why_undecided(&self, limits: &Limits) -> Option<String> {
        let Recorded { operations, broken, .. } = &self.recorded;
        if self.is_full {
            return Some(format!(
                "Its first {} alone take more than {} MB of memory; allow it more.",
                counted(usize::try_from(*operations).unwrap_or(usize::MAX), "operation"),
                limits.memory_bytes / 1_000_000
            ));
        }
        if let Some(broken) = broken {
            return Some(format!(
                "The record itself breaks the rules of a history, so nothing can be decided from it: {broken}."
            ));
        }
        (*operations == 0)
            .then(|| "There is no operation of a client in it, so nothing was tested.".to_owned())
    }
}

fn misfit(question: &Question, unfit: &Unfit) -> ForeignError {
    let line = unfit.event.and_then(|event| file::line_of(question, event));
    let place = line.map_or(String::new(), |line| format!("line {line}: "));
    ForeignError::Unfit(format!("{}: {place}{unfit}", question.source))
}
