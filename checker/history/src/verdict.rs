//! The three-valued verdict and its one merge rule: violation > inconclusive > valid.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a check, or a whole run, comes to. The order is the merge rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Everything that was checked holds.
    Valid,
    /// Not enough was seen, or the check could not finish.
    Inconclusive,
    /// A promise was broken, and there is a witness.
    Violation,
}

impl Verdict {
    /// The stronger of two verdicts.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        self.max(other)
    }
}

/// What one checker found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The checker's name, such as `linearizability` or `bank-total`.
    pub checker: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// One plain sentence: what was checked and found, or why it is inconclusive.
    pub summary: String,
    /// Every violation, the clearest first; bounded by the checker.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// Figures for people and machines: how many operations, which path decided, memory…
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub statistics: Value,
    /// Pictures of some of the violations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<Picture>,
}

/// A violation as boxes and arrows, for a report to draw, and explained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Which violation of the result, from 0.
    pub violation: usize,
    /// What happened, around a circle.
    #[serde(default)]
    pub boxes: Vec<PictureBox>,
    /// What must have come before what.
    #[serde(default)]
    pub arrows: Vec<Arrow>,
    /// What it shows, step by step, a line each.
    pub explanation: Vec<String>,
}

/// A box of a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureBox {
    /// Its first line: `T1 · event 17, process 3`.
    pub title: String,
    /// The lines below, to be broken where they fit: `append x 3, r y []`.
    pub text: String,
}

/// An arrow of a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrow {
    /// The position of the box where it begins.
    pub from: usize,
    /// The position of the box where it ends.
    pub to: usize,
    /// The kind of dependency: `ww`, `wr`, `rw`, or one of time.
    pub kind: String,
    /// The key that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Why it is there.
    pub sentence: String,
}

/// One broken promise with the operations that prove it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// The anomaly in the field's terms: `stale read`, `lost update`, `wrong total`…
    pub kind: String,
    /// What happened, in a sentence that needs nothing else.
    pub sentence: String,
    /// The witness: indices of the invocation events of the operations that prove it.
    pub operations: Vec<u64>,
}

impl CheckResult {
    /// A check that holds.
    pub fn valid(checker: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::new(checker, Verdict::Valid, summary, Vec::new())
    }

    /// A check that could not decide, and why.
    pub fn inconclusive(checker: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(checker, Verdict::Inconclusive, reason, Vec::new())
    }

    /// A check that found violations (`valid` where the list is empty).
    pub fn found(
        checker: impl Into<String>,
        summary: impl Into<String>,
        violations: Vec<Violation>,
    ) -> Self {
        let verdict = if violations.is_empty() { Verdict::Valid } else { Verdict::Violation };
        Self::new(checker, verdict, summary, violations)
    }

    fn new(
        checker: impl Into<String>,
        verdict: Verdict,
        summary: impl Into<String>,
        violations: Vec<Violation>,
    ) -> Self {
        let (checker, summary) = (checker.into(), summary.into());
        let (statistics, pictures) = (Value::Null, Vec::new());
        Self { checker, verdict, summary, violations, statistics, pictures }
    }

    /// The same result with pictures attached.
    #[must_use]
    pub fn with_pictures(mut self, pictures: Vec<Picture>) -> Self {
        self.pictures = pictures;
        self
    }

    /// The same result with figures attached.
    #[must_use]
    pub fn with_statistics(mut self, statistics: Value) -> Self {
        self.statistics = statistics;
        self
    }
}
