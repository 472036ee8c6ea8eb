//! What a check came to.

use history::{CheckResult, Findings};
use serde_json::Value;

/// What a check came to.
pub(crate) struct Judgement {
    /// The result, as yet without the checker's name.
    pub(crate) result: CheckResult,
    /// The history is of the right kind, but shows too little.
    pub(crate) is_untested: bool,
}

impl Judgement {
    /// From what was found: `checked` says in a sentence what was looked at, `untested` why that was not enough.
    pub(crate) fn of(findings: Findings, checked: &str, untested: Option<String>) -> Self {
        match untested.filter(|_| findings.is_empty()) {
            Some(reason) => Self { is_untested: true, ..Self::inconclusive(reason) },
            None => Self { result: findings.into_result("", checked), is_untested: false },
        }
    }

    /// The judgement on a history that cannot be judged, such as one of another kind.
    pub(crate) fn inconclusive(reason: String) -> Self {
        Self { result: CheckResult::inconclusive("", reason), is_untested: false }
    }

    pub(crate) fn with_statistics(self, statistics: Value) -> Self {
        Self { result: self.result.with_statistics(statistics), ..self }
    }
}
