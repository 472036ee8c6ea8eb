//! One object for each key.

use history::Operation;
use rustc_hash::FxHashMap;
use serde_json::Value;

/// An operation as one object sees it.
pub(super) struct Part<'a> {
    pub(super) operation: &'a Operation,
    /// The arguments, without the key.
    pub(super) arguments: &'a Value,
    /// The result where it is known, without the key.
    pub(super) result: Option<&'a Value>,
}

impl<'a> Part<'a> {
    pub(super) fn whole(operation: &'a Operation) -> Self {
        Self { operation, arguments: &operation.arguments, result: operation.result() }
    }
}

/// The operations on each key, in order of the keys' first use.
pub(super) type Keyed<'a> = Vec<(String, Vec<Part<'a>>)>;

/// A history whose every value is a pair of key and value, as Jepsen's `independent` makes them; else nothing.
pub(super) fn of_pairs(operations: &[Operation]) -> Option<Keyed<'_>> {
    let split = |operation| {
        let (key, arguments) = pair(operation)?;
        let result = operation.result().map(|result| match as_pair(result) {
            Some((of, value)) if of == key => value,
            _ => result,
        });
        Some((name(key), Part { operation, arguments, result }))
    };
    if operations.is_empty() {
        return None;
    }
    grouped(operations.iter().map(|operation| split(operation).ok_or(()))).ok()
}

/// The key of a store's operation: under `key`, or in a pair, or the only argument.
pub(super) fn of_store(operations: &[Operation]) -> Result<Keyed<'_>, &Operation> {
    grouped(operations.iter().map(|operation| {
        let whole = Part::whole(operation);
        let (key, part) = match &operation.arguments {
            Value::Object(fields) => (fields.get("key").ok_or(operation)?, whole),
            Value::Array(_) => {
                let (key, arguments) = as_pair(&operation.arguments).ok_or(operation)?;
                let result = operation.result().map(|result| match as_pair(result) {
                    Some((of, value)) if of == key => value,
                    _ => result,
                });
                (key, Part { operation, arguments, result })
            }
            Value::Null => return Err(operation),
            key => (key, whole),
        };
        Ok((name(key), part))
    }))
}

fn grouped<'a, E>(
    parts: impl Iterator<Item = Result<(String, Part<'a>), E>>,
) -> Result<Keyed<'a>, E> {
    let mut keyed: Keyed<'a> = Vec::new();
    let mut places: FxHashMap<String, usize> = FxHashMap::default();
    for part in parts {
        let (key, part) = part?;
        let place = *places.entry(key).or_insert_with_key(|key| {
            keyed.push((key.clone(), Vec::new()));
            keyed.len() - 1
        });
        keyed[place].1.push(part);
    }
    Ok(keyed)
}

/// Key and value of an operation on one of many objects. `[1 2]` alone could also be what a compare-and-set expects
/// and leaves, so that one must hold another pair.
fn pair(operation: &Operation) -> Option<(&Value, &Value)> {
    let (key, value) = as_pair(&operation.arguments)?;
    (operation.f != "cas" || as_pair(value).is_some()).then_some((key, value))
}

fn as_pair(value: &Value) -> Option<(&Value, &Value)> {
    match value.as_array()?.as_slice() {
        [key, value] if !key.is_array() && !key.is_object() => Some((key, value)),
        _ => None,
    }
}

fn name(key: &Value) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}
