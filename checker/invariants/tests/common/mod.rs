//! Histories for the tests.

// Each test file uses a part of this module.
#![allow(dead_code)]
#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

pub mod controller;
pub mod notation;
pub mod objects;

use history::{CheckResult, Verdict};

/// `valid`, `inconclusive`, or the kinds of the violations.
pub fn told(result: &CheckResult) -> String {
    match result.verdict {
        Verdict::Valid => "valid".to_owned(),
        Verdict::Inconclusive => "inconclusive".to_owned(),
        Verdict::Violation => {
            let mut kinds: Vec<&str> =
                result.violations.iter().map(|violation| violation.kind.as_str()).collect();
            kinds.dedup();
            kinds.join(", ")
        }
    }
}
