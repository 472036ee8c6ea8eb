//! A value that nobody wrote may have been there before the first operation.

use std::time::Instant;

use history::{Datum, Verdict};
use linearizability::{Anomaly, Limits};
use serde_json::Value;

use super::{CheckedHistory, Model, Question, WitnessLine, check};

/// So many values are tried.
const TRIED_MAX: usize = 3;

/// The value for `--initial` with which the history is no violation any more; `None` where there is none, or it is not
/// known to be one.
#[must_use]
pub fn initial_that_explains(
    question: &Question,
    checked: &CheckedHistory,
    limits: &Limits,
) -> Option<Datum> {
    let Model::Linearizable(object) = question.model else { return None };
    let first = checked.result.violations.first()?;
    let is_phantom = first.kind == Anomaly::PhantomValue.name();
    if question.initial.is_some() || !object.has_initial_value() || !is_phantom {
        return None;
    }
    let mut values: Vec<Datum> =
        checked.witness.iter().filter_map(found).map(|value| Datum::from(&value)).collect();
    values.dedup();
    let mut left = limits.time.saturating_sub(checked.reading + checked.checking);
    values.into_iter().take(TRIED_MAX).find(|value| {
        let begun = Instant::now();
        let question = Question { initial: Some(value.clone()), ..question.clone() };
        let limits = Limits { time: left, ..limits.clone() };
        let again = check(&question, &limits, &());
        left = left.saturating_sub(begun.elapsed());
        again.is_ok_and(|again| again.result.verdict == Verdict::Valid)
    })
}

/// What the operation found: the value of a read, also of one key among several; what a `cas` replaced.
fn found(one: &WitnessLine) -> Option<Value> {
    let of_key = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some([_, value]) => value.clone(),
        _ => value.clone(),
    };
    match one.f.as_str() {
        "cas" if one.outcome == "ok" => {
            let arguments = of_key(&one.arguments);
            let old = arguments.as_array().and_then(|pair| pair.first()).cloned();
            // Of `[old new]` without a key the pair itself is the arguments.
            old.or_else(|| one.arguments.get(0).cloned())
        }
        _ => one.result.as_ref().map(of_key).filter(|value| !value.is_null()),
    }
}
