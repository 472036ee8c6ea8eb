//! What a check found.

use std::time::Duration;

use history::{CheckResult, Verdict, Violation};
use serde_json::json;

use crate::Anomaly;
use crate::limits::Explained;

/// The checker's name in reports.
pub const CHECKER: &str = "linearizability";

/// The verdict, and what supports it.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is inconclusive; nothing for other verdicts.
    pub reason: Option<String>,
    /// The proof of a violation, always there; nothing for other verdicts.
    pub witness: Option<Witness>,
    /// What the check took.
    pub statistics: Statistics,
}

/// Operations that no order explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// What is wrong.
    pub kind: Anomaly,
    /// What happened, in words that need nothing else.
    pub sentence: String,
    /// Ids of the operations that prove it, in order of invocation.
    pub operations: Vec<u64>,
    /// The key, where the history was checked by key.
    pub key: Option<String>,
}

/// Figures about a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Operations given, failed ones included.
    pub operations: u64,
    /// Independent parts.
    pub keys: u64,
    /// Parts that were decided without a search.
    pub fast: u64,
    /// Parts that only a search decided.
    pub searched: u64,
    /// Configurations the search visited.
    pub nodes: u64,
    /// Which attempt decided the part that was searched last; nothing where none did.
    pub attempt: Option<&'static str>,
    /// How far the search came that did not finish; nothing where all did.
    pub stopped: Option<Explained>,
    /// Memory of the largest search.
    pub memory_bytes: u64,
    /// Wall time until the verdict.
    pub deciding: Duration,
    /// Wall time, the witness and its sentence included.
    pub elapsed: Duration,
}

impl Report {
    /// The result as every checker of the bench gives it.
    #[must_use]
    pub fn into_result(self) -> CheckResult {
        let Self { verdict, reason, witness, statistics } = self;
        let result = match (verdict, witness) {
            (_, Some(Witness { kind, sentence, operations, .. })) => {
                let kind = kind.name().to_owned();
                let summary = format!("Not linearizable: {kind}.");
                CheckResult::found(CHECKER, summary, vec![Violation { kind, sentence, operations }])
            }
            (Verdict::Inconclusive | Verdict::Violation, None) => CheckResult::inconclusive(
                CHECKER,
                reason.unwrap_or_else(|| "The check could not finish.".to_owned()),
            ),
            (Verdict::Valid, None) => CheckResult::valid(
                CHECKER,
                format!(
                    "Linearizable: {} operations on {} {}.",
                    statistics.operations,
                    statistics.keys,
                    if statistics.keys == 1 { "object" } else { "independent keys" },
                ),
            ),
        };
        result.with_statistics(json!({
            "operations": statistics.operations,
            "keys": statistics.keys,
            "fast": statistics.fast,
            "searched": statistics.searched,
            "nodes": statistics.nodes,
            "stopped": statistics.stopped.map(|Explained { first, of }| json!({ "explained": first, "of": of })),
            "memory_bytes": statistics.memory_bytes,
            "deciding_us": u64::try_from(statistics.deciding.as_micros()).unwrap_or(u64::MAX),
            "elapsed_us": u64::try_from(statistics.elapsed.as_micros()).unwrap_or(u64::MAX),
        }))
    }
}
