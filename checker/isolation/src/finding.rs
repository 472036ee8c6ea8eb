//! An anomaly and what proves it.

use std::fmt;

use history::Violation;
use serde::{Serialize, Serializer};

use crate::{Anomaly, Dependency, elision};

/// One anomaly and what proves it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Its kind.
    pub anomaly: Anomaly,
    /// What happened, in plain words. T1, T2… are the transactions below.
    pub sentence: String,
    /// The edges of a cycle, from T1 on, the last one back to T1; empty for other anomalies. Of a long cycle those
    /// between the transactions below.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<CycleStep>,
    /// The transactions that prove it, as indices of their invocations: T1, T2… Of a long cycle the first and the last.
    pub transactions: Vec<u64>,
    /// What each of them is and did, in words.
    pub operations: Vec<TxnWords>,
    /// How many of a long cycle's transactions are left out, in the middle of those above.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

/// A transaction in words: `event 17, process 3: append x 3, r y []`. Serialized as that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxnWords {
    /// `event 17, process 3`.
    pub who: String,
    /// `append x 3, r y []`, and how it ended if it did not commit.
    pub what: String,
}

impl fmt::Display for TxnWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.who, self.what)
    }
}

impl Serialize for TxnWords {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One edge of a cycle: why a transaction comes before the next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CycleStep {
    /// The earlier transaction: its invocation's index.
    pub from: u64,
    /// The later one.
    pub to: u64,
    /// The kind of reason.
    pub dependency: Dependency,
    /// The key where the reason lies, if it lies in data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Which micro-operation of the earlier transaction, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_micro_op: Option<usize>,
    /// Which micro-operation of the later transaction, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_micro_op: Option<usize>,
    /// Further transactions that the reason names: those whose order shows which of two versions came first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shown_by: Vec<u64>,
    /// What the two transactions are called: T1, T2…
    pub names: [String; 2],
    /// What the reason is about.
    #[serde(skip)]
    pub basis: Basis,
    /// Why, in words: `T1 appended 3 to x and T2 read [1 2 3] in x`.
    pub reason: String,
}

/// What makes a transaction come before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The other one wrote a later version.
    Overwrote,
    /// The other one saw what it wrote.
    Saw,
    /// It did not see what the other one wrote.
    Missed,
    /// It was earlier.
    Time,
}

impl CycleStep {
    /// `T1 < T2, because ` and the reason.
    #[must_use]
    pub fn sentence(&self) -> String {
        let [from, to] = &self.names;
        format!("{from} < {to}, because {}", self.reason)
    }
}

impl Finding {
    /// How many transactions prove it.
    #[must_use]
    pub fn size(&self) -> usize {
        self.transactions.len() + self.left_out
    }

    /// The transactions of `operations` by name: T1, T2…
    pub fn named(&self) -> impl Iterator<Item = (String, &TxnWords)> {
        self.operations.iter().enumerate().map(|(at, words)| (self.name(at), words))
    }

    /// What the transaction at this place of `transactions` is called.
    fn name(&self, at: usize) -> String {
        elision::name(elision::position(at, self.left_out))
    }

    /// Puts a word where transactions are left out.
    fn mark_gap(&self, lines: &mut Vec<String>) {
        if let Some(gap) = elision::gap(self.left_out) {
            lines.insert(gap, format!("… {} more", self.left_out));
        }
    }

    /// The finding in the form of all checkers; its [`Finding::picture`] says more.
    #[must_use]
    pub fn violation(&self) -> Violation {
        let mut operations = self.transactions.clone();
        for &shown_by in self.steps.iter().flat_map(|step| &step.shown_by) {
            if !operations.contains(&shown_by) {
                operations.push(shown_by);
            }
        }
        let sentence = format!("{}. {}", self.title(), self.with_events());
        Violation { kind: self.anomaly.name(), sentence, operations }
    }

    /// `G-single-item (read skew; breaks consistent-view and all stronger levels)`.
    #[must_use]
    pub fn title(&self) -> String {
        let weakest = self.anomaly.rules_out().iter().map(|model| model.name());
        let breaks =
            format!("breaks {} and all stronger levels", weakest.collect::<Vec<_>>().join(", "));
        match self.usual_name() {
            Some(usual) => format!("{} ({usual}; {breaks})", self.anomaly),
            None => format!("{} ({breaks})", self.anomaly),
        }
    }

    /// The sentence, for readers who see nothing else of the finding.
    fn with_events(&self) -> String {
        let named = self.transactions.iter().enumerate();
        let mut names: Vec<String> = named
            .map(|(at, event)| format!("{} is that of event {event}", self.name(at)))
            .collect();
        self.mark_gap(&mut names);
        format!("{} ({})", self.sentence, names.join(", "))
    }

    /// The whole explanation, line by line: the transactions, each edge with its reason, the contradiction.
    #[must_use]
    pub fn explanation(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.named().map(|(name, words)| format!("{name} = {words}")).collect();
        self.mark_gap(&mut lines);
        match self.steps.split_last() {
            None => lines.push(self.sentence.clone()),
            Some((last, steps)) => {
                let mut reasons: Vec<String> =
                    steps.iter().map(|step| format!("{}.", step.sentence())).collect();
                if let Some(gap) = elision::gap(self.left_out) {
                    reasons.insert(gap - 1, "…".to_owned());
                }
                lines.append(&mut reasons);
                lines.push(format!("However, {}: a contradiction!", last.sentence()));
            }
        }
        lines
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}
