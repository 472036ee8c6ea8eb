//! Words for witnesses: who did what and when.

use history::{CheckResult, Violation};

use crate::record::Record;

/// How many violations a checker lists; more would bury the clearest.
pub(crate) const LISTED: usize = 10;

/// The result of a check: what was looked at, and the first of what was found.
pub(crate) fn found(checker: &str, checked: String, violations: Vec<Violation>) -> CheckResult {
    let summary = match violations.as_slice() {
        [] => checked,
        [first, ..] => format!("{checked} First of {}: {}.", violations.len(), first.sentence),
    };
    CheckResult::found(checker, summary, violations)
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
