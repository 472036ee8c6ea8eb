//! The shapes in which Jepsen's tests record values.

use history::{
    Completion, Operation,
    words::{shown, who},
};
use serde_json::Value;

/// The history holds nothing but these functions; operations that failed do not matter.
///
/// What a checker does not know may have changed what it judges, so it must not pass over it.
pub(crate) fn only(operations: &[Operation], functions: &[&str]) -> Result<(), String> {
    let unknown = |operation: &&Operation| {
        !matches!(operation.completion, Completion::Fail(..))
            && !functions.contains(&operation.f.as_str())
    };
    if let Some(operation) = operations.iter().find(unknown) {
        let (who, known) = (who(operation), functions.join(", "));
        return Err(format!("{who} is no operation that this check knows: those are {known}."));
    }
    operations.iter().find(contradicts).map_or(Ok(()), |operation| {
        let done = operation.result().map(shown).unwrap_or_default();
        Err(format!(
            "The completion of {} contradicts its invocation: {} was asked for, {done} is said to have happened.",
            who(operation),
            shown(&operation.arguments)
        ))
    })
}

/// Whether a change says that something else happened than was asked for. It may say nothing, `true`, what came of it in
/// named fields where it was asked for without names, or repeat what was asked.
fn contradicts(operation: &&Operation) -> bool {
    const CHANGES: [&str; 5] = ["add", "write", "enqueue", "insert", "transfer"];
    let (asked, Some(done)) = (&operation.arguments, operation.result()) else { return false };
    CHANGES.contains(&operation.f.as_str())
        && !asked.is_null()
        && done != asked
        && !(done.is_null() || done.is_boolean())
        && (asked.is_object() || !done.is_object())
}

/// The successful operations with this function, with their results.
pub(crate) fn succeeded<'a>(
    operations: &'a [Operation],
    function: &'a str,
) -> impl DoubleEndedIterator<Item = (&'a Operation, &'a Value)> {
    operations
        .iter()
        .filter(move |operation| operation.f == function)
        .filter_map(|operation| Some((operation, operation.result()?)))
}

/// Whether the operation certainly never happened.
pub(crate) fn failed(operation: &Operation) -> bool {
    matches!(operation.completion, Completion::Fail(..))
}

/// The event at which it returned, where it did so successfully.
pub(crate) fn returned(operation: &Operation) -> Option<u64> {
    operation.result().and(operation.return_index())
}

/// Whether `first` was done, successfully, before `then` began.
pub(crate) fn precedes(first: &Operation, then: &Operation) -> bool {
    returned(first).is_some_and(|returned| returned < then.call)
}

/// What stands in a vector, list or set.
pub(crate) fn collection(value: &Value) -> Option<&[Value]> {
    let items = match value {
        Value::Object(fields) if fields.len() == 1 => fields.get("#set")?,
        other => other,
    };
    items.as_array().map(Vec::as_slice)
}

/// The parts of `[key value]`, where the key is no collection itself.
pub(crate) fn pair(value: &Value) -> Option<(&Value, &Value)> {
    match value.as_array()?.as_slice() {
        [key, value] if !key.is_array() && !key.is_object() => Some((key, value)),
        _ => None,
    }
}

/// A whole number, of any size that 128 bits hold.
pub(crate) fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => {
            number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
        }
        // Clojure's big integers.
        Value::Object(fields) => fields.get("#number")?.as_str()?.strip_suffix('N')?.parse().ok(),
        _ => None,
    }
}

/// The field of a map whose keys are keywords, as EDN and as JSON spell them.
pub(crate) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).or_else(|| value.get(format!(":{name}")))
}

/// Why an operation cannot be read.
pub(crate) fn misfit(operation: &Operation, value: &Value, expected: &str) -> String {
    format!("{} has {} where {expected} belongs.", who(operation), shown(value))
}
