//! What a checker has found, and the words for it.

use history::{CheckResult, Operation, Violation};
use serde_json::Value;

/// How many violations are listed; more would bury the clearest.
pub(crate) const LISTED: usize = 10;
/// How many operations prove one.
pub(crate) const WITNESSES: usize = 8;

/// The violations of one checker: all are counted, the first are kept.
pub(crate) struct Findings {
    checker: &'static str,
    listed: Vec<Violation>,
    count: u64,
}

impl Findings {
    pub(crate) fn new(checker: &'static str) -> Self {
        Self { checker, listed: Vec::new(), count: 0 }
    }

    /// A violation; the sentence is only made where it is kept.
    pub(crate) fn add(
        &mut self,
        kind: &str,
        witness: &[&Operation],
        sentence: impl FnOnce() -> String,
    ) {
        self.count += 1;
        if self.listed.len() == LISTED {
            return;
        }
        let mut operations: Vec<u64> = Vec::new();
        for operation in witness {
            if operations.len() < WITNESSES && !operations.contains(&operation.call) {
                operations.push(operation.call);
            }
        }
        let (kind, sentence) = (kind.to_owned(), sentence());
        self.listed.push(Violation { kind, sentence, operations });
    }

    /// The verdict: `checked` says in a sentence what was looked at, `untested` why that was not enough.
    pub(crate) fn conclude(self, checked: &str, untested: Option<String>) -> Judgement {
        let is_untested = self.listed.is_empty() && untested.is_some();
        let result = match (self.listed.first(), untested) {
            (None, Some(reason)) => CheckResult::inconclusive(self.checker, reason),
            (None, None) => CheckResult::valid(self.checker, checked),
            (Some(first), _) => {
                let summary = match self.count {
                    1 => format!("{checked} Violation: {}.", first.sentence),
                    count => format!("{checked} First of {count} violations: {}.", first.sentence),
                };
                CheckResult::found(self.checker, summary, self.listed)
            }
        };
        Judgement { result, is_untested }
    }
}

/// What a check came to.
pub(crate) struct Judgement {
    pub(crate) result: CheckResult,
    /// The history is of the right kind, but shows too little.
    pub(crate) is_untested: bool,
}

impl Judgement {
    pub(crate) fn with_statistics(self, statistics: Value) -> Self {
        Self { result: self.result.with_statistics(statistics), ..self }
    }
}

/// The judgement on a history that may be of another kind.
pub(crate) fn decided(checker: &str, judgement: Result<Judgement, String>) -> Judgement {
    judgement.unwrap_or_else(|reason| Judgement {
        result: CheckResult::inconclusive(checker, reason),
        is_untested: false,
    })
}

/// `the read of process 3 (10.203–10.207 s)`, or the event where the history has no times.
pub(crate) fn who(operation: &Operation) -> String {
    let Operation { f, process, call, call_ns, .. } = operation;
    match operation.return_ns {
        _ if *call_ns == 0 => format!("the {f} of process {process} (event {call})"),
        Some(return_ns) => {
            let (from, to) = (seconds(*call_ns), seconds(return_ns));
            format!("the {f} of process {process} ({from}–{to} s)")
        }
        None => {
            format!("the {f} of process {process} (from {} s, never answered)", seconds(*call_ns))
        }
    }
}

fn seconds(ns: u64) -> String {
    format!("{}.{:03}", ns / 1_000_000_000, ns / 1_000_000 % 1000)
}

/// A value for people: short, without control characters.
pub(crate) fn shown(value: &Value) -> String {
    const CHARS: usize = 60;
    let text = if value.is_null() { "nil".to_owned() } else { value.to_string() };
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let start: String = text.chars().take(CHARS).map(visible).collect();
    if text.chars().nth(CHARS).is_some() { format!("{start}…") } else { start }
}

/// `1 read`, `2 reads`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
