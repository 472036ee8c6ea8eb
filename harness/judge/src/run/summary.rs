//! The verdict of all checks together, in one sentence, with the figures of the main phase.

use std::collections::BTreeMap;

use history::words::counted;
use history::{CheckResult, Operation, Verdict};
use isolation::Consistency;
use record::{Counts, Quantiles, RunFile};

use super::introspection;
use super::{
    by_hand,
    faults::{self, ByFamily},
    recovery,
};

/// How operations ended, by function.
pub(super) fn endings(operations: &[&Operation]) -> BTreeMap<String, Counts> {
    let mut endings: BTreeMap<String, Counts> = BTreeMap::new();
    for operation in operations {
        endings.entry(operation.f.to_string()).or_default().add(&operation.completion);
    }
    endings
}

/// Latency of the operations that succeeded.
pub(super) fn latency(operations: &[&Operation]) -> Option<Quantiles> {
    let succeeded = operations.iter().filter(|operation| operation.result().is_some());
    let took = succeeded.filter_map(|operation| {
        operation.return_ns.map(|end_ns| end_ns.saturating_sub(operation.call_ns))
    });
    Quantiles::of(took.collect())
}

/// What came of a run.
pub(super) struct Verdicts<'a> {
    /// What was asked.
    pub(super) run: &'a RunFile,
    /// The level that the store was held to.
    pub(super) level: Consistency,
    /// Of all checks together.
    pub(super) verdict: Verdict,
    /// Of the checks of the answers alone.
    pub(super) answers: Verdict,
}

impl Verdicts<'_> {
    /// The verdict in one sentence.
    pub(super) fn sentence(
        &self,
        checks: &[CheckResult],
        operations: &BTreeMap<String, Counts>,
        faults: &ByFamily,
    ) -> String {
        let Self { run, level, verdict, .. } = *self;
        let done: u64 = operations.values().map(|counts| counts.ok).sum();
        let held = faults::held(faults);
        let of = |wanted: Verdict| checks.iter().filter(move |check| check.verdict == wanted);
        match verdict {
            Verdict::Violation => of(verdict)
                .find_map(|check| Some(proof(check, level, &check.violations.first()?.sentence)))
                .unwrap_or_else(|| "A promise was broken.".to_owned()),
            Verdict::Inconclusive => {
                // A node that ended by itself explains what the others lack.
                let (first, others): (Vec<_>, Vec<_>) =
                    of(verdict).partition(|check| check.checker == recovery::CHECKER);
                let summaries = first.into_iter().chain(others).map(|check| check.summary.as_str());
                self.played(done)
                    .iter()
                    .map(String::as_str)
                    .chain(summaries)
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            Verdict::Valid => {
                let workload = &run.workload;
                let under = match run.faults.as_slice() {
                    [] if held == 0 => "without faults".to_owned(),
                    _ => format!("under {held} faults"),
                };
                format!(
                    "{done} successful operations {under} kept every promise of a {level} store that `{workload}` checks."
                )
            }
        }
    }

    /// What can be said of the answers to a person, though the run as a whole says too little.
    fn played(&self, done: u64) -> Option<String> {
        let fits = by_hand::is(self.run) && self.answers == Verdict::Valid && done > 0;
        fits.then(|| {
            let (level, answers) = (self.level, counted(usize::try_from(done).unwrap_or(usize::MAX), "answer"));
            format!("No answer was wrong: what was played by hand, {answers}, is {level}. But that proves little.")
        })
    }
}

/// Why it is a violation. That a store serves again is no matter of the level, nor what its nodes say of themselves.
fn proof(check: &CheckResult, level: Consistency, sentence: &str) -> String {
    match check.checker.as_str() {
        recovery::CHECKER | recovery::RESTART => sentence.to_owned(),
        of_nodes if introspection::CHECKS.contains(&of_nodes) => sentence.to_owned(),
        _ => format!("Not {level}: {sentence}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::Completion;
    use record::Phase;
    use serde_json::Value;

    /// A histogram that was made too small once called every slow operation two milliseconds long.
    #[test]
    fn quantiles_are_those_of_the_latencies_however_far_apart() {
        let took = |ms: u64| Operation {
            call: 0,
            process: 0,
            f: "get".into(),
            arguments: Value::Null,
            completion: Completion::Ok(1, Value::Null),
            call_ns: 0,
            return_ns: Some(ms * 1_000_000),
            node: None,
            phase: Phase::Main.name().to_owned(),
        };
        let mut operations: Vec<Operation> = (0..98).map(|_| took(5)).collect();
        operations.extend([took(700), took(9000)]);
        let quantiles = latency(&operations.iter().collect::<Vec<_>>()).unwrap();
        let close = |found: f64, ms: f64| (found / ms - 1.0).abs() < 0.01;
        assert!(
            close(quantiles.p50, 5.0)
                && close(quantiles.p99, 700.0)
                && close(quantiles.max, 9000.0),
            "{quantiles:?}"
        );
    }
}
