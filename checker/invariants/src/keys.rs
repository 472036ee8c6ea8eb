//! One object for each key, as Jepsen's `independent` records them.

use history::{CheckResult, Completion, Operation, Verdict};
use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::findings::{LISTED, counted, shown};
use crate::shape::pair;

/// Checks each key on its own where every value is a pair `[key value]`, else the whole.
pub(crate) fn check(
    operations: &[Operation],
    check: impl Fn(&[Operation]) -> CheckResult,
) -> CheckResult {
    match split(operations) {
        Some(parts) if !parts.is_empty() => merge(parts, check),
        _ => check(operations),
    }
}

/// The operations of each key, in order of the keys' first use.
fn split(operations: &[Operation]) -> Option<Vec<(&Value, Vec<Operation>)>> {
    let mut parts: Vec<(&Value, Vec<Operation>)> = Vec::new();
    let mut places: FxHashMap<&Value, usize> = FxHashMap::default();
    for operation in operations {
        let (key, arguments) = pair(&operation.arguments)?;
        let place = *places.entry(key).or_insert_with(|| {
            parts.push((key, Vec::new()));
            parts.len() - 1
        });
        parts[place].1.push(of_key(operation, key, arguments));
    }
    Some(parts)
}

/// The operation as the object of this key sees it.
fn of_key(operation: &Operation, key: &Value, arguments: &Value) -> Operation {
    let completion = match &operation.completion {
        Completion::Ok(index, result) => {
            let value =
                pair(result).filter(|(of, _)| *of == key).map_or(result, |(_, value)| value);
            Completion::Ok(*index, value.clone())
        }
        other => other.clone(),
    };
    Operation {
        arguments: arguments.clone(),
        completion,
        f: operation.f.clone(),
        node: operation.node.clone(),
        phase: operation.phase.clone(),
        ..*operation
    }
}

fn merge(
    parts: Vec<(&Value, Vec<Operation>)>,
    check: impl Fn(&[Operation]) -> CheckResult,
) -> CheckResult {
    let keys = counted(parts.len(), "key");
    let mut merged: Option<CheckResult> = None;
    let mut violations = Vec::new();
    for (key, operations) in parts {
        let mut result = check(&operations);
        result.summary = format!("Key {}, of {keys}: {}", shown(key), result.summary);
        for mut violation in result.violations.drain(..) {
            if violations.len() < LISTED {
                violation.sentence = format!("key {}: {}", shown(key), violation.sentence);
                violations.push(violation);
            }
        }
        // The first of the strongest verdict speaks for all.
        if merged.as_ref().is_none_or(|merged| result.verdict > merged.verdict) {
            merged = Some(result);
        }
    }
    let Some(mut merged) = merged else { return check(&[]) };
    if merged.verdict == Verdict::Valid {
        merged.summary = format!("{keys}, each on its own. {}", merged.summary);
    }
    CheckResult { violations, ..merged }
}
