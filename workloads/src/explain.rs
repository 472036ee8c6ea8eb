//! Violations in words: who did what and when.

use std::collections::BTreeMap;

use history::{CheckResult, Violation};

use crate::record::Record;

/// How many violations a checker lists; more would bury the clearest.
pub(crate) const LISTED: usize = 10;

/// A violation that is put into words only if it is listed.
pub(crate) struct LazyViolation<'a> {
    kind: &'static str,
    explain: Box<dyn Fn() -> Explanation + 'a>,
}

/// What happened, in a sentence, and the operations that prove it.
pub(crate) type Explanation = (String, Vec<u64>);

impl<'a> LazyViolation<'a> {
    /// A violation of this kind.
    pub(crate) fn new(kind: &'static str, explain: impl Fn() -> Explanation + 'a) -> Self {
        Self { kind, explain: Box::new(explain) }
    }

    fn violation(&self) -> Violation {
        let (sentence, operations) = (self.explain)();
        Violation { kind: self.kind.to_owned(), sentence, operations }
    }
}

/// The result of a check: what was looked at, how much was found, and the first of it.
pub(crate) fn found(checker: &str, checked: String, found: &[LazyViolation<'_>]) -> CheckResult {
    let listed = listed(found, |one| one.kind).into_iter().map(LazyViolation::violation);
    let violations: Vec<Violation> = listed.collect();
    let summary = match violations.as_slice() {
        [] => checked,
        [only] => format!("{checked} Violation: {}.", only.sentence),
        [first, ..] => {
            format!("{checked} First of {} violations: {}.", found.len(), first.sentence)
        }
    };
    CheckResult::found(checker, summary, violations)
}

/// The first of each kind, then the second of each, and so on, as many as are listed.
pub(crate) fn listed<T, K: Ord>(
    found: impl IntoIterator<Item = T>,
    kind: impl Fn(&T) -> K,
) -> Vec<T> {
    let mut counts: BTreeMap<K, usize> = BTreeMap::new();
    let rank = |one: T| {
        let count = counts.entry(kind(&one)).or_default();
        *count += 1;
        (*count, one)
    };
    let mut ranked: Vec<(usize, T)> = found.into_iter().map(rank).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().take(LISTED).map(|(_, one)| one).collect()
}

#[cfg(test)]
thread_local! {
    /// How often an operation was named: what sentences cost.
    static NAMED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// `the multiget of process 3 (10.203–10.207 s)`.
pub(crate) fn who(record: &Record) -> String {
    #[cfg(test)]
    NAMED.set(NAMED.get() + 1);
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
    use contract::Operation;
    use history::{Completion, Limits};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn all_are_counted_and_of_each_kind_some_are_listed() {
        let violation = |number: u64| {
            let kind = if number < 400 { "common" } else { "rare" };
            LazyViolation::new(kind, move || (format!("violation {number}"), vec![number]))
        };
        let all: Vec<_> = (0..402).map(violation).collect();
        let result = found("any", "Checked.".to_owned(), &all);
        assert!(result.summary.contains("First of 402 violations: violation 0."), "{result:?}");
        let first: Vec<u64> = result.violations.iter().map(|v| v.operations[0]).take(5).collect();
        assert_eq!((first, result.violations.len()), (vec![0, 400, 1, 401, 2], LISTED));
        assert_eq!(found("any", "Checked.".to_owned(), &[]).summary, "Checked.");
    }

    /// An operation of a client of its own, after those before it.
    fn recorded(at: usize, f: &str, arguments: Value, result: Value) -> history::Operation {
        let at = at as u64;
        history::Operation {
            call: 2 * at,
            process: at,
            f: f.to_owned(),
            arguments,
            completion: Completion::Ok(2 * at + 1, result),
            call_ns: 2 * at,
            return_ns: Some(2 * at + 1),
            node: None,
            phase: String::new(),
        }
    }

    /// These, and then so many of the last.
    fn repeated(times: usize, operations: &[(&str, Value, Value)]) -> Vec<history::Operation> {
        let last = operations.last().expect("some");
        let all = operations.iter().chain(std::iter::repeat_n(last, times));
        all.enumerate().map(|(at, (f, a, r))| recorded(at, f, a.clone(), r.clone())).collect()
    }

    /// What a client of the workload asks, each read answered by what nobody wrote.
    fn all_lies(workload: &dyn crate::Workload, ending: &str) -> Vec<history::Operation> {
        let mut client = workload.client(1, 0);
        let reads = std::iter::from_fn(|| Some(client.next())).filter(Operation::is_read_only);
        let lie = |(at, operation): (usize, Operation)| {
            let (name, arguments) = (operation.name(), operation.arguments());
            let lie = |number: usize| format!("-{number} lie{at}.{number}{ending}");
            let result = match &operation {
                Operation::Get { .. } => json!({ "value": lie(1) }),
                Operation::MultiGet { keys } => {
                    let values = keys.iter().enumerate().map(|(number, key)| (key, lie(number)));
                    json!({ "values": values.collect::<BTreeMap<_, _>>() })
                }
                Operation::Txn { ops, .. } => {
                    json!({ "committed": true, "results": (0..ops.len()).map(lie).collect::<Vec<_>>() })
                }
                other => panic!("{other:?} is no read"),
            };
            recorded(at, name, arguments, result)
        };
        reads.take(2000).enumerate().map(lie).collect()
    }

    /// Once every violation got its sentence, although only ten were kept.
    #[test]
    fn of_very_many_violations_only_the_listed_are_put_into_words() {
        let all = [contract::manifest::Capability::Txn, contract::manifest::Capability::Multi];
        let workload = |name| crate::by_name(name, &all).expect("it is known");
        let unguarded = json!({ "guards": {}, "ops": [["r", "k0"]] });
        let refused = repeated(500, &[("txn", unguarded, json!({ "committed": false }))]);
        for (name, history) in [
            ("multi", all_lies(&*workload("multi"), "")),
            ("write-skew", all_lies(&*workload("write-skew"), "")),
            ("bank:txn", all_lies(&*workload("bank:txn"), "")),
            ("bank:swap", all_lies(&*workload("bank:swap"), "")),
            ("register", all_lies(&*workload("register"), "")),
            ("list-append", refused),
        ] {
            NAMED.set(0);
            let results = workload(name).check(&history, &Limits::default());
            let violations = results.iter().map(|result| result.violations.len()).sum::<usize>();
            assert!(violations >= LISTED, "{name}: {results:?}");
            assert!(NAMED.get() <= 4 * violations, "{name}: {} for {violations}", NAMED.get());
            println!("{name}: {} operations named for {violations} violations", NAMED.get());
        }
    }
    /// Some of them once quoted whole answers, which may have megabytes.
    #[test]
    fn sentences_stay_short_whatever_a_store_answers() {
        let all = [contract::manifest::Capability::Txn, contract::manifest::Capability::Multi];
        for name in ["multi", "write-skew", "bank:txn", "bank:swap", "register"] {
            let workload = crate::by_name(name, &all).expect("it is known");
            let history = all_lies(&*workload, &"!".repeat(5_000));
            for result in workload.check(&history, &Limits::default()) {
                let sentences = result.violations.iter().map(|violation| &violation.sentence);
                for text in sentences.chain([&result.summary]) {
                    assert!(text.len() < 2_000, "{name}: {} bytes: {text:.200}", text.len());
                    assert!(!text.contains("by ."), "{name}: {text}");
                }
            }
        }
    }
}
