//! The verdict on a history, for machines.

use std::collections::BTreeMap;

use history::{CheckResult, Verdict};
use record::{Counts, VERSION};
use serde::Serialize;

use super::{CheckedHistory, Question, WitnessLine, sentence};

/// How operations ended, by function.
pub type Endings = BTreeMap<String, Counts>;

/// What `harness check FILE --json` prints; what it shares with the `results.json` of a run has the same name there.
#[derive(Clone, Debug, Serialize)]
pub struct Document<'a> {
    /// The verdict.
    pub verdict: Verdict,
    /// The version of the schema.
    pub version: u32,
    /// The verdict in one plain sentence.
    pub summary: String,
    /// The file.
    pub file: String,
    /// How it was read.
    pub format: &'static str,
    /// What it was checked against.
    pub model: &'static str,
    /// What the checker found.
    pub checks: [&'a CheckResult; 1],
    /// What the checker of transactions found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<&'a isolation::Report>,
    /// The operations that prove a violation.
    pub witness: &'a [WitnessLine],
    /// How many events there are.
    pub events: u64,
    /// How operations ended, by function.
    pub operations: &'a Endings,
    /// What is worth knowing about the file.
    pub notes: &'a [String],
    /// How long reading took.
    pub reading_ms: f64,
    /// How long checking took.
    pub checking_ms: f64,
}

impl<'a> Document<'a> {
    /// The document about this history.
    #[must_use]
    pub fn new(question: &Question, checked: &'a CheckedHistory) -> Self {
        Self {
            verdict: checked.result.verdict,
            version: VERSION,
            summary: sentence(question, checked),
            file: question.source.to_string(),
            format: question.format.name(),
            model: question.model.name(),
            checks: [&checked.result],
            isolation: checked.isolation.as_ref(),
            witness: &checked.witness,
            events: checked.events,
            operations: &checked.operations,
            notes: &checked.notes,
            reading_ms: checked.reading.as_secs_f64() * 1e3,
            checking_ms: checked.checking.as_secs_f64() * 1e3,
        }
    }
}

/// Functions beyond this many are the work of chance, not of a client.
pub(super) const FUNCTIONS_MAX: usize = 100;

/// Adds how operations of this function ended.
pub(super) fn count(endings: &mut Endings, f: &str, ended: Counts) {
    if let Some(counts) = endings.get_mut(f) {
        *counts += ended;
    } else if endings.len() < FUNCTIONS_MAX {
        endings.insert(f.to_owned(), ended);
    }
}
