//! What a checker has found, and the words for it.

use history::{Operation, Verdict, Violation};
use serde_json::Value;

/// How many violations are listed; more would bury the clearest.
pub(crate) const LISTED: usize = 10;
/// How many operations prove one.
pub(crate) const WITNESSES: usize = 8;

/// The violations of one checker: all are counted, the first are kept.
#[derive(Default)]
pub(crate) struct Findings {
    listed: Vec<Violation>,
    count: u64,
}

impl Findings {
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
        let Some(first) = self.listed.first() else {
            return match untested {
                Some(reason) => Judgement { is_untested: true, ..Judgement::inconclusive(reason) },
                None => Judgement::new(Verdict::Valid, checked.to_owned()),
            };
        };
        let summary = match self.count {
            1 => format!("{checked} Violation: {}.", first.sentence),
            count => format!("{checked} First of {count} violations: {}.", first.sentence),
        };
        Judgement { violations: self.listed, ..Judgement::new(Verdict::Violation, summary) }
    }

    /// The verdict where enough happened, but, for this reason, it may be right or wrong.
    pub(crate) fn undecided(self, checked: &str, reason: String) -> Judgement {
        Judgement { is_untested: false, ..self.conclude(checked, Some(reason)) }
    }
}

/// What a check came to.
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    pub(crate) summary: String,
    pub(crate) violations: Vec<Violation>,
    pub(crate) statistics: Value,
    /// The history is of the right kind, but shows too little.
    pub(crate) is_untested: bool,
}

impl Judgement {
    fn new(verdict: Verdict, summary: String) -> Self {
        let (violations, statistics) = (Vec::new(), Value::Null);
        Self { verdict, summary, violations, statistics, is_untested: false }
    }

    /// The judgement on a history that cannot be judged, such as one of another kind.
    pub(crate) fn inconclusive(reason: String) -> Self {
        Self::new(Verdict::Inconclusive, reason)
    }

    pub(crate) fn with_statistics(self, statistics: Value) -> Self {
        Self { statistics, ..self }
    }
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
