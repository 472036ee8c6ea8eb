//! One object for each key.

use history::{Datum, Operation};
use rustc_hash::FxHashMap;

/// An operation as one object sees it.
pub(super) struct Part<'a> {
    pub(super) operation: &'a Operation<Datum>,
    /// The arguments, without the key.
    pub(super) arguments: &'a Datum,
    /// The result where it is known, without the key.
    pub(super) result: Option<&'a Datum>,
}

impl<'a> Part<'a> {
    pub(super) fn whole(operation: &'a Operation<Datum>) -> Self {
        Self { operation, arguments: &operation.arguments, result: operation.result() }
    }
}

/// The operations on each key, in order of the keys' first use.
pub(super) type Keyed<'a> = Vec<(String, Vec<Part<'a>>)>;

/// A history whose every value is a pair of key and value, as Jepsen's `independent` makes them; else nothing.
pub(super) fn of_pairs(operations: &[Operation<Datum>]) -> Option<Keyed<'_>> {
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
pub(super) fn of_store(operations: &[Operation<Datum>]) -> Result<Keyed<'_>, &Operation<Datum>> {
    grouped(operations.iter().map(|operation| {
        let whole = Part::whole(operation);
        let (key, part) = match &operation.arguments {
            Datum::Map(_) => (operation.arguments.get("key").ok_or(operation)?, whole),
            Datum::List(_) => {
                let (key, arguments) = as_pair(&operation.arguments).ok_or(operation)?;
                let result = operation.result().map(|result| match as_pair(result) {
                    Some((of, value)) if of == key => value,
                    _ => result,
                });
                (key, Part { operation, arguments, result })
            }
            Datum::Nil => return Err(operation),
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
fn pair(operation: &Operation<Datum>) -> Option<(&Datum, &Datum)> {
    let (key, value) = as_pair(&operation.arguments)?;
    (operation.f != "cas" || as_pair(value).is_some()).then_some((key, value))
}

pub(super) fn as_pair(value: &Datum) -> Option<(&Datum, &Datum)> {
    match value.as_list()? {
        [Datum::List(_) | Datum::Map(_), _] => None,
        [key, value] => Some((key, value)),
        _ => None,
    }
}

fn name(key: &Datum) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}
