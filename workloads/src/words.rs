//! Values in words, and a test that sentences stay few and short.

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
    use std::collections::BTreeMap;

    use contract::Operation;
    use history::{Completion, LISTED, Limits};
    use isolation::Consistency;
    use serde_json::{Value, json};

    use crate::record::NAMED;

    /// An operation of a client of its own, after those before it.
    fn recorded(at: usize, f: &str, arguments: Value, result: Value) -> history::Operation {
        let at = at as u64;
        history::Operation {
            call: 2 * at,
            process: at,
            f: f.into(),
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
            let results =
                workload(name).check(&history, Consistency::StrictSerializable, &Limits::default());
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
            for result in
                workload.check(&history, Consistency::StrictSerializable, &Limits::default())
            {
                let sentences = result.violations.iter().map(|violation| &violation.sentence);
                for text in sentences.chain([&result.summary]) {
                    assert!(text.len() < 2_000, "{name}: {} bytes: {text:.200}", text.len());
                    assert!(!text.contains("by ."), "{name}: {text}");
                }
            }
        }
    }
}
