//! One object for each key, as Jepsen's `independent` records them.

use history::{
    CheckResult, Completion, LISTED, Operation, Verdict,
    words::{counted, shown},
};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use crate::judgement::Judgement;
use crate::shape::{failed, misfit, pair};

/// The functions that show a state. Where there is one object their argument is nil, so that a pair can only name a
/// key; of what is added it may be the element itself.
const OBSERVERS: [&str; 3] = ["read", "dequeue", "drain"];

/// Judges each key on its own where observers name keys, else the whole.
pub(crate) fn judge(
    operations: &[Operation],
    judge: impl Fn(&[Operation]) -> Judgement,
) -> Judgement {
    let names_key = |operation: &Operation| {
        OBSERVERS.contains(&operation.f.as_str()) && pair(&operation.arguments).is_some()
    };
    if !operations.iter().any(names_key) {
        return judge(operations);
    }
    split(operations).map_or_else(Judgement::inconclusive, |parts| merge(parts, judge))
}

/// The operations of each key, in order of the keys' first use.
///
/// One without a key may be about any of them, unless it failed and so never happened.
fn split(operations: &[Operation]) -> Result<Vec<(&Value, Vec<Operation>)>, String> {
    let mut parts: Vec<(&Value, Vec<Operation>)> = Vec::new();
    let mut places: FxHashMap<&Value, usize> = FxHashMap::default();
    for operation in operations {
        let Some((key, arguments)) = pair(&operation.arguments) else {
            if failed(operation) {
                continue;
            }
            let expected = "[key value], as in other operations,";
            return Err(misfit(operation, &operation.arguments, expected));
        };
        let place = *places.entry(key).or_insert_with(|| {
            parts.push((key, Vec::new()));
            parts.len() - 1
        });
        parts[place].1.push(of_key(operation, key, arguments));
    }
    Ok(parts)
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
    judge: impl Fn(&[Operation]) -> Judgement,
) -> Judgement {
    let keys = parts.len();
    let mut strongest: Option<(Verdict, String)> = None;
    let mut untested: Option<(Verdict, String)> = None;
    let mut tested = 0_usize;
    let mut violations = Vec::new();
    let mut sums: Map<String, Value> = Map::new();
    for (key, operations) in parts {
        let Judgement { result, is_untested } = judge(&operations);
        tested += usize::from(!is_untested);
        add_up(&mut sums, &result.statistics);
        for mut violation in result.violations {
            if violations.len() < LISTED {
                violation.sentence = format!("key {}: {}", shown(key), violation.sentence);
                violations.push(violation);
            }
        }
        let place = if is_untested { &mut untested } else { &mut strongest };
        if place.as_ref().is_none_or(|(strongest, _)| result.verdict > *strongest) {
            *place = Some((result.verdict, format!("Key {}: {}", shown(key), result.summary)));
        }
    }
    let is_untested = strongest.is_none();
    let Some((verdict, summary)) = strongest.or(untested) else { return judge(&[]) };
    sums.insert("keys".to_owned(), keys.into());
    sums.insert("tested_keys".to_owned(), tested.into());
    let judged = format!("{tested} of {} judged, each on its own.", counted(keys, "key"));
    let mut result = CheckResult::found("", format!("{judged} {summary}"), violations);
    result.verdict = verdict;
    Judgement { result: result.with_statistics(Value::Object(sums)), is_untested }
}

/// Sums the figures that can be summed.
fn add_up(sums: &mut Map<String, Value>, figures: &Value) {
    for (name, figure) in figures.as_object().into_iter().flatten() {
        let Some(figure) = figure.as_u64() else { continue };
        let sum = sums.get(name).and_then(Value::as_u64).unwrap_or(0);
        sums.insert(name.clone(), sum.saturating_add(figure).into());
    }
}
