//! One object for each key, as Jepsen's `independent` records them.

use history::{CheckResult, Completion, Operation};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use crate::findings::{Judgement, LISTED, counted, shown};
use crate::shape::pair;

/// Checks each key on its own where every value is a pair `[key value]`, else the whole.
pub(crate) fn check(
    operations: &[Operation],
    check: impl Fn(&[Operation]) -> Judgement,
) -> CheckResult {
    match split(operations) {
        Some(parts) if !parts.is_empty() => merge(parts, check),
        _ => check(operations).result,
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

/// The first of the strongest verdict speaks for all; keys that show too little count only where all do.
fn merge(
    parts: Vec<(&Value, Vec<Operation>)>,
    check: impl Fn(&[Operation]) -> Judgement,
) -> CheckResult {
    let keys = parts.len();
    let mut strongest: Option<CheckResult> = None;
    let mut untested: Option<CheckResult> = None;
    let mut tested = 0_usize;
    let mut violations = Vec::new();
    let mut sums: Map<String, Value> = Map::new();
    for (key, operations) in parts {
        let Judgement { mut result, is_untested } = check(&operations);
        tested += usize::from(!is_untested);
        add_up(&mut sums, &result.statistics);
        result.summary = format!("Key {}: {}", shown(key), result.summary);
        for mut violation in result.violations.drain(..) {
            if violations.len() < LISTED {
                violation.sentence = format!("key {}: {}", shown(key), violation.sentence);
                violations.push(violation);
            }
        }
        let place = if is_untested { &mut untested } else { &mut strongest };
        if place.as_ref().is_none_or(|strongest| result.verdict > strongest.verdict) {
            *place = Some(result);
        }
    }
    let Some(merged) = strongest.or(untested) else { return check(&[]).result };
    sums.insert("keys".to_owned(), keys.into());
    sums.insert("tested_keys".to_owned(), tested.into());
    let told = format!("{tested} of {} judged, each on its own.", counted(keys, "key"));
    let summary = format!("{told} {}", merged.summary);
    CheckResult { summary, violations, statistics: Value::Object(sums), ..merged }
}

/// Sums the figures that can be summed.
fn add_up(sums: &mut Map<String, Value>, figures: &Value) {
    for (name, figure) in figures.as_object().into_iter().flatten() {
        let Some(figure) = figure.as_u64() else { continue };
        let sum = sums.get(name).and_then(Value::as_u64).unwrap_or(0);
        sums.insert(name.clone(), sum.saturating_add(figure).into());
    }
}
