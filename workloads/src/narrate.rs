//! Words for witnesses: who did what and when.

use std::collections::BTreeMap;

use history::{CheckResult, Violation};

use crate::record::Record;

/// How many violations a checker lists; more would bury the clearest.
pub(crate) const LISTED: usize = 10;

/// The result of a check: what was looked at, how much was found, and the first of it.
pub(crate) fn found(checker: &str, checked: String, violations: Vec<Violation>) -> CheckResult {
    let summary = match violations.as_slice() {
        [] => checked,
        [only] => format!("{checked} Violation: {}.", only.sentence),
        [first, ..] => {
            format!("{checked} First of {} violations: {}.", violations.len(), first.sentence)
        }
    };
    let listed = listed(violations, |violation| violation.kind.clone());
    CheckResult::found(checker, summary, listed)
}

/// The first of each kind, then the second of each, and so on, as many as are listed.
pub(crate) fn listed<T>(found: impl IntoIterator<Item = T>, kind: impl Fn(&T) -> String) -> Vec<T> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let rank = |one: T| {
        let count = counts.entry(kind(&one)).or_default();
        *count += 1;
        (*count, one)
    };
    let mut ranked: Vec<(usize, T)> = found.into_iter().map(rank).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().take(LISTED).map(|(_, one)| one).collect()
}

/// `the multiget of process 3 (10.203–10.207 s)`.
pub(crate) fn who(record: &Record) -> String {
    let name = record.operation.name();
    let process = record.process;
    match record.return_ns {
        Some(return_ns) => {
            format!(
                "the {name} of process {process} ({}–{} s)",
                seconds(record.call_ns),
                seconds(return_ns)
            )
        }
        None => format!(
            "the {name} of process {process} (from {} s, never answered)",
            seconds(record.call_ns)
        ),
    }
}

/// `10.203 s` without the unit.
pub(crate) fn seconds(ns: u64) -> String {
    format!("{}.{:03}", ns / 1_000_000_000, ns / 1_000_000 % 1000)
}

/// A value as people read it: quoted, shortened where it is long, `nothing` where the key is missing.
pub(crate) fn value(value: Option<&str>) -> String {
    const SHOWN: usize = 60;
    match value {
        None => "nothing".to_owned(),
        Some(text) if text.chars().count() <= SHOWN => format!("{text:?}"),
        Some(text) => format!("{:?}…", text.chars().take(SHOWN).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_of_each_kind_some_are_listed() {
        let violation = |number: u64| Violation {
            kind: if number < 400 { "common" } else { "rare" }.to_owned(),
            sentence: format!("violation {number}"),
            operations: vec![number],
        };
        let result = found("any", "Checked.".to_owned(), (0..402).map(violation).collect());
        assert!(result.summary.contains("First of 402 violations: violation 0."), "{result:?}");
        let first: Vec<u64> = result.violations.iter().map(|v| v.operations[0]).take(5).collect();
        assert_eq!((first, result.violations.len()), (vec![0, 400, 1, 401, 2], LISTED));
        assert_eq!(found("any", "Checked.".to_owned(), Vec::new()).summary, "Checked.");
    }
}
