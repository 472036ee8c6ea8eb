//! `harness check` of a history that any tool recorded, against a model.

mod document;
mod file;
mod model;
mod progress;
mod report;
mod transactions;
mod witness;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use history::{CheckResult, Format, Verdict};
use invariants::Invariant;
use linearizability::Limits;
use serde_json::Value;

pub use document::Document;
pub use file::format_of;
pub use model::Model;
pub use witness::table;

use crate::exit::Failure;
use file::Recorded;
use model::Judgement;
use progress::Progress;
use witness::Witness;

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
    pub initial: Option<Value>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What the checker found.
    pub result: CheckResult,
    /// What the checker of transactions found.
    pub isolation: Option<isolation::Report>,
    /// The operations that prove a violation.
    pub witness: Vec<Witness>,
    /// How many events the file holds.
    pub events: u64,
    /// How the operations ended, by function.
    pub operations: document::Endings,
    /// Whether the file says when things happened.
    pub has_times: bool,
    /// What is worth knowing about the file.
    pub notes: Vec<String>,
    /// How long reading took.
    pub reading: Duration,
    /// How long checking took.
    pub checking: Duration,
}

/// Reads the file and checks it.
///
/// # Errors
/// [`Failure::Usage`] where the file is no history of this format, or its operations are not those of the model.
pub fn answer(question: &Question, limits: &Limits) -> Result<Answer, Failure> {
    let start = Instant::now();
    let progress = Progress::new(&question.path, limits.time);
    let recorded = Recorded::read(question, &progress)?;
    let reading = start.elapsed();
    progress.checking(recorded.operations.len());
    let start = Instant::now();
    let Judgement { result, proof, isolation } = judge(question, &recorded, limits)?;
    let witness = witness::of(&recorded, &proof);
    drop(progress);
    let mut notes = recorded.notes;
    let reported = isolation.iter().flat_map(|report| &report.notes);
    notes.extend(reported.filter(|note| !result.summary.contains(note.as_str())).cloned());
    Ok(Answer {
        result,
        isolation,
        witness,
        events: recorded.events,
        operations: document::endings(&recorded.operations),
        has_times: recorded.operations.iter().any(|operation| operation.call_ns > 0),
        notes,
        reading,
        checking: start.elapsed(),
    })
}

fn judge(question: &Question, recorded: &Recorded, limits: &Limits) -> Result<Judgement, Failure> {
    let inconclusive = |reason: &str| {
        let result = CheckResult::inconclusive(question.model.checker(), reason);
        Ok(Judgement { result, proof: Vec::new(), isolation: None })
    };
    if let Some(broken) = &recorded.broken {
        let reason = format!(
            "The record itself breaks the rules of a history, so nothing can be decided from it: {broken}."
        );
        return inconclusive(&reason);
    }
    if recorded.operations.is_empty() {
        let reason = "There is no operation of a client in it, so nothing was tested.";
        return inconclusive(reason);
    }
    let initial = question.initial.as_ref();
    let checked = question.model.check(&recorded.operations, initial, limits);
    checked.map_err(|unfit| {
        let place = unfit.event.and_then(|event| recorded.place(event));
        let place = place.map_or(String::new(), |line| format!("line {line}: "));
        Failure::Usage(format!("{}: {place}{unfit}", question.path.display()))
    })
}

/// One page about the answer, as a run has.
///
/// # Errors
/// The file cannot be read again, or the page cannot be written.
pub fn write_report(
    question: &Question,
    answer: &Answer,
    command: String,
    to: &std::path::Path,
) -> Result<(), Failure> {
    report::write(question, answer, command, to)
}

/// The verdict as one sentence.
#[must_use]
pub fn sentence(question: &Question, answer: &Answer) -> String {
    let name = question.path.file_name().unwrap_or(question.path.as_os_str()).to_string_lossy();
    let result = &answer.result;
    let model = match question.model {
        Model::Linearizable(object) => object.noun(),
        Model::Transactional(_) => return format!("{name}: {}", result.summary),
        Model::Invariant(invariant) => return invariant_sentence(&name, invariant, result),
    };
    match (result.verdict, result.violations.first()) {
        (Verdict::Valid, _) => {
            let figure = |name: &str| result.statistics[name].as_u64().unwrap_or_default();
            let keys = match figure("keys") {
                1 => String::new(),
                keys => format!(" on {keys} independent keys"),
            };
            let operations = figure("operations");
            format!("{name} is linearizable as a {model}: {operations} operations{keys}.")
        }
        (Verdict::Inconclusive, _) => format!("{name} as a {model}: {}", result.summary),
        (Verdict::Violation, Some(violation)) => {
            format!("{name} is not linearizable as a {model}: {}", violation.sentence)
        }
        (Verdict::Violation, None) => format!("{name} is not linearizable as a {model}."),
    }
}

fn invariant_sentence(name: &str, invariant: Invariant, result: &CheckResult) -> String {
    match (result.verdict, result.violations.first()) {
        (Verdict::Valid, _) => format!("{name} {}. {}", invariant.promise(), result.summary),
        (Verdict::Violation, Some(first)) => {
            format!("{name} breaks `{}`: {}.", invariant.name(), first.sentence)
        }
        _ => format!("{name}, checked for `{}`: {}", invariant.name(), result.summary),
    }
}

/// What is said of transactions beside the sentence: each edge with its reason, and the models.
#[must_use]
pub fn explanation(answer: &Answer) -> Vec<String> {
    let Some(report) = &answer.isolation else { return Vec::new() };
    let explained = report.clearest().map(isolation::Finding::explanation).unwrap_or_default();
    let lines = explained.lines().map(str::to_owned);
    lines.chain(transactions::models(report)).collect()
}
