//! What a check found.

use history::{CheckResult, Verdict, Violation};
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::{Anomaly, Consistency, Dependency, Ruling, elision};

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
    /// Which models are violated, and which still stand.
    #[serde(serialize_with = "ruling")]
    pub models: Ruling,
    /// Why the answer says less than it might.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Figures.
    pub statistics: Statistics,
}

/// One anomaly and what proves it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Its kind.
    #[serde(serialize_with = "as_text")]
    pub anomaly: Anomaly,
    /// What happened, in plain words. T1, T2… are the transactions below.
    pub sentence: String,
    /// The edges of a cycle, from T1 on, the last one back to T1; empty for other anomalies. Of a long cycle those
    /// between the transactions below.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// The transactions that prove it, as indices of their invocations: T1, T2… Of a long cycle the first and the last.
    pub transactions: Vec<u64>,
    /// What each of them is and did, in words.
    pub operations: Vec<String>,
    /// How many of a long cycle's transactions are left out, in the middle of those above.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

/// One edge of a cycle: why a transaction comes before the next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
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
    /// `T1 < T2, because T1 appended 3 to x and T2 read [1 2 3] in x`.
    pub sentence: String,
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
        let violation = |finding: &Finding| Violation {
            kind: finding.anomaly.name(),
            sentence: finding.with_events(),
            operations: finding.transactions.clone(),
        };
        let violations: Vec<Violation> = self.forbidden().map(violation).collect();
        let mut result = CheckResult::found("isolation", self.sentence.clone(), violations);
        result.verdict = self.verdict;
        result.with_statistics(json!(self.statistics))
    }
}

/// Of what the consistency forbids, what the fewest transactions prove.
pub(crate) fn clearest(anomalies: &[Finding], consistency: Consistency) -> Option<&Finding> {
    let forbidden = anomalies.iter().filter(|finding| consistency.forbids(finding.anomaly));
    forbidden.min_by_key(|finding| finding.size())
}

impl Finding {
    /// How many transactions prove it.
    #[must_use]
    pub fn size(&self) -> usize {
        self.transactions.len() + self.left_out
    }

    /// The transactions of `operations` by name: T1, T2…
    pub fn named(&self) -> impl Iterator<Item = (String, &str)> {
        self.operations.iter().enumerate().map(|(at, words)| (self.name(at), words.as_str()))
    }

    /// What the transaction at this place of `transactions` is called.
    fn name(&self, at: usize) -> String {
        elision::name(elision::position(at, self.left_out))
    }

    /// Puts a word where transactions are left out.
    fn mark_gap(&self, told: &mut Vec<String>) {
        if let Some(gap) = elision::gap(self.left_out) {
            told.insert(gap, format!("… {} more", self.left_out));
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
    pub fn explanation(&self) -> String {
        let mut lines: Vec<String> =
            self.named().map(|(name, words)| format!("{name} = {words}")).collect();
        self.mark_gap(&mut lines);
        match self.steps.split_last() {
            None => lines.push(self.sentence.clone()),
            Some((last, steps)) => {
                let mut told: Vec<String> =
                    steps.iter().map(|step| format!("{}.", step.sentence)).collect();
                if let Some(gap) = elision::gap(self.left_out) {
                    told.insert(gap - 1, "…".to_owned());
                }
                lines.append(&mut told);
                lines.push(format!("However, {}: a contradiction!", last.sentence));
            }
        }
        lines.join("\n")
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn as_text<S: Serializer>(value: &impl ToString, serializer: S) -> Result<S::Ok, S::Error> {
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
