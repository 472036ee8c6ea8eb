//! What a check found.

use history::listed;
use history::{CheckResult, Verdict};
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::{Anomaly, Certificate, Consistency, Finding, Order, Ruling};

/// The name of this check in results.
pub const CHECKER: &str = "isolation";

/// The answer of a check.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether the consistency that was asked for holds.
    pub verdict: Verdict,
    /// The verdict in one plain sentence.
    pub sentence: String,
    /// What was asked for.
    pub consistency: Consistency,
    /// Everything found, the worst first, whether or not that consistency forbids it; of each kind a few.
    pub anomalies: Vec<Finding>,
    /// Which models are violated, and which still stand: of those for whose anomalies the search was finished.
    pub models: Ruling,
    /// The order that shows that the level holds, where it is valid and one was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
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
    /// Edges between transactions, those of real time through moments; 0 where an order was found without them.
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

    /// The result in the form of all checkers: of each kind some, with their pictures.
    #[must_use]
    pub fn check_result(&self) -> CheckResult {
        let summary = match self.models.in_words().filter(|_| self.verdict == Verdict::Violation) {
            Some(models) => format!("The history is not {} ({models}).", self.consistency),
            None => self.sentence.clone(),
        };
        let (cycles, others): (Vec<&Finding>, Vec<&Finding>) =
            self.forbidden().partition(|finding| matches!(finding.anomaly, Anomaly::Cycle(..)));
        // What a read shows by itself is plainer than a cycle, and the forms of one cycle in time are of one kind.
        let findings = listed(others.into_iter().chain(cycles), |finding| match finding.anomaly {
            Anomaly::Cycle(cycle, _) => Anomaly::Cycle(cycle, Order::Data),
            other => other,
        });
        let violations = findings.iter().map(|finding| finding.violation()).collect();
        let pictures = findings.iter().enumerate().map(|(at, finding)| finding.picture(at));
        let mut result = CheckResult::found(CHECKER, summary, violations);
        result.verdict = self.verdict;
        result.with_statistics(json!(self.statistics)).with_pictures(pictures.collect())
    }
}

/// Of what the consistency forbids, what the fewest transactions prove.
pub(crate) fn clearest(anomalies: &[Finding], consistency: Consistency) -> Option<&Finding> {
    let forbidden = anomalies.iter().filter(|finding| consistency.forbids(finding.anomaly));
    forbidden.min_by_key(|finding| finding.size())
}

fn counts<S: Serializer>(counts: &[(Anomaly, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().map(|(anomaly, count)| (anomaly.name(), count)))
}
