//! What a check found.

use history::{CheckResult, Verdict};
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::{Anomaly, Consistency, Finding, Ruling};

/// The answer of a check.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether the consistency that was asked for holds.
    pub verdict: Verdict,
    /// The verdict in one plain sentence.
    pub sentence: String,
    /// What was asked for.
    #[serde(serialize_with = "as_text")]
    pub consistency: Consistency,
    /// Everything found, the worst first, whether or not that consistency forbids it; of each kind a few.
    pub anomalies: Vec<Finding>,
    /// Which models are violated, and which still stand: of those for whose anomalies the search was finished.
    #[serde(serialize_with = "ruling")]
    pub models: Ruling,
    /// Why the answer says less than it might.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Figures.
    pub statistics: Statistics,
}

/// Figures about a check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Transactions that committed.
    pub ok: usize,
    /// Transactions that failed.
    pub failed: usize,
    /// Transactions in doubt.
    pub info: usize,
    /// Micro-operations of all of them.
    pub micro_ops: usize,
    /// Keys.
    pub keys: usize,
    /// Edges between transactions, those of real time through moments.
    pub edges: usize,
    /// Sets of transactions that all depend on each other.
    pub components: usize,
    /// Transactions in the largest of them.
    pub largest_component: usize,
    /// How many of each anomaly there are; of cycles, how many components were found to have one.
    #[serde(serialize_with = "counts")]
    pub anomalies: Vec<(Anomaly, u64)>,
    /// What the searches for cycles cost: edges that they followed, and edges and nodes that they set out from.
    pub work: u64,
}

impl Report {
    /// What was found that the consistency forbids, the worst first.
    pub fn forbidden(&self) -> impl Iterator<Item = &Finding> {
        self.anomalies.iter().filter(|finding| self.consistency.forbids(finding.anomaly))
    }

    /// Of those the one that the fewest transactions prove.
    #[must_use]
    pub fn clearest(&self) -> Option<&Finding> {
        clearest(&self.anomalies, self.consistency)
    }

    /// The result in the form of all checkers.
    #[must_use]
    pub fn check_result(&self) -> CheckResult {
        let violations = self.forbidden().map(Finding::violation).collect();
        let pictures = self.forbidden().enumerate().map(|(at, finding)| finding.picture(at));
        let mut result = CheckResult::found("isolation", self.sentence.clone(), violations);
        result.verdict = self.verdict;
        result.with_statistics(json!(self.statistics)).with_pictures(pictures.collect())
    }
}

/// Of what the consistency forbids, what the fewest transactions prove.
pub(crate) fn clearest(anomalies: &[Finding], consistency: Consistency) -> Option<&Finding> {
    let forbidden = anomalies.iter().filter(|finding| consistency.forbids(finding.anomaly));
    forbidden.min_by_key(|finding| finding.size())
}

pub(crate) fn as_text<S: Serializer>(
    value: &impl ToString,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

fn ruling<S: Serializer>(ruling: &Ruling, serializer: S) -> Result<S::Ok, S::Error> {
    let names = |models: &[Consistency]| models.iter().map(|m| m.name()).collect::<Vec<_>>();
    json!({
        "violated": names(&ruling.violated),
        "also_violated": names(&ruling.also_violated),
        "standing": names(&ruling.standing),
    })
    .serialize(serializer)
}

fn counts<S: Serializer>(counts: &[(Anomaly, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().map(|(anomaly, count)| (anomaly.name(), count)))
}
