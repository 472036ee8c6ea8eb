//! One object for each key.

use history::{Datum, Operation};

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

    /// The same where arguments and result are pairs with this key.
    fn of_pair(operation: &'a Operation<Datum>, key: &Datum, arguments: &'a Datum) -> Self {
        let result = operation.result().map(|result| match as_pair(result) {
            Some((of, value)) if of == key => value,
            _ => result,
        });
        Self { operation, arguments, result }
    }
}

/// The key of an operation whose value is a pair of key and value, as Jepsen's `independent` makes them.
///
/// `[1 2]` alone could also be what a compare-and-set expects and leaves, so that one must hold another pair.
pub(super) fn of_pair(operation: &Operation<Datum>) -> Option<(&Datum, Part<'_>)> {
    let (key, value) = as_pair(&operation.arguments)?;
    let is_of_key = operation.f != "cas" || as_pair(value).is_some();
    is_of_key.then(|| (key, Part::of_pair(operation, key, value)))
}

/// The key of a store's operation: under `key`, or in a pair, or the only argument.
pub(super) fn of_store(operation: &Operation<Datum>) -> Option<(&Datum, Part<'_>)> {
    match &operation.arguments {
        Datum::Map(_) => Some((operation.arguments.get("key")?, Part::whole(operation))),
        Datum::List(_) | Datum::Integers(_) => {
            let (key, arguments) = as_pair(&operation.arguments)?;
            Some((key, Part::of_pair(operation, key, arguments)))
        }
        Datum::Nil => None,
        key => Some((key, Part::whole(operation))),
    }
}

pub(super) fn as_pair(value: &Datum) -> Option<(&Datum, &Datum)> {
    match value.as_tuple()? {
        [Datum::List(_) | Datum::Integers(_) | Datum::Map(_), _] => None,
        [key, value] => Some((key, value)),
    }
}

/// The key for people.
pub(super) fn name(key: &Datum) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}
