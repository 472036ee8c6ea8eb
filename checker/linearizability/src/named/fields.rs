//! The fields of operations whose arguments and results have names.

use history::Datum;

use super::shown;

/// The arguments of a function have these fields and no others, so that a misspelt one is not taken for one left out.
pub(super) fn all_known(f: &str, arguments: &Datum, expected: &[&str]) -> Result<(), String> {
    let Some(found) = arguments.as_map() else { return Ok(()) };
    let unknown = found.iter().map(|(name, _)| &**name).find(|name| !expected.contains(name));
    let missing: Vec<&str> =
        expected.iter().copied().filter(|name| arguments.get(name).is_none()).collect();
    match (unknown, &missing[..]) {
        (None, []) => Ok(()),
        (None, _) => Err(format!("`{f}` lacks {}", named(&missing))),
        (Some(unknown), _) => {
            let likely = likely(unknown, &missing);
            let likely = likely.map(|name| format!(": did you mean `{name}`?"));
            Err(format!(
                "`{}` is no field of `{f}`, which has {}{}",
                shown(unknown),
                named(expected),
                likely.unwrap_or_default()
            ))
        }
    }
}

/// The field of a result, which is there if the result has names at all; a result without names is the value itself.
pub(super) fn of_result<'a>(result: &'a Datum, name: &str) -> Result<&'a Datum, String> {
    let Some(found) = result.as_map() else { return Ok(result) };
    let value = found.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    value.ok_or_else(|| {
        let names: Vec<&str> = found.iter().map(|(name, _)| &**name).collect();
        let found = if names.is_empty() { "nothing".to_owned() } else { named(&names) };
        format!("its result must have `{name}`, but has {found}")
    })
}

/// Which of the missing names was meant: the only one, or the one that begins alike.
fn likely<'a>(unknown: &str, missing: &[&'a str]) -> Option<&'a str> {
    let alike = |name: &str| name.chars().zip(unknown.chars()).take_while(|(a, b)| a == b).count();
    match missing {
        [only] => Some(only),
        _ => missing.iter().copied().filter(|name| alike(name) > 0).max_by_key(|name| alike(name)),
    }
}

/// `` `key`, `value` ``
fn named(names: &[&str]) -> String {
    const LISTED_MAX: usize = 8;
    let names = names.iter().take(LISTED_MAX).map(|name| format!("`{}`", shown(name)));
    names.collect::<Vec<_>>().join(", ")
}

/// A change that only says that it happened: with nothing, `true`, fields, or its arguments once more.
///
/// # Errors
/// It says that something else happened than was asked for.
pub(super) fn agrees(arguments: &Datum, result: Option<&Datum>) -> Result<(), String> {
    match result {
        None | Some(Datum::Nil | Datum::Bool(_)) => Ok(()),
        Some(result) if result == arguments => Ok(()),
        // What a result calls its value may be what came of the change.
        Some(Datum::Map(_)) if !differs(arguments, result, "key") => Ok(()),
        Some(result) => Err(contradiction(arguments, result)),
    }
}

/// Whether both name this field, and say different things of it.
pub(super) fn differs(arguments: &Datum, result: Option<&Datum>, name: &str) -> bool {
    let done = result.and_then(|result| result.get(name));
    arguments.get(name).zip(done).is_some_and(|(asked, done)| asked != done)
}

pub(super) fn contradiction(arguments: &Datum, result: &Datum) -> String {
    let (asked, done) = (arguments.to_string(), result.to_string());
    format!(
        "its completion contradicts its invocation: {} was asked for, {} is said to have happened",
        shown(&asked),
        shown(&done)
    )
}
