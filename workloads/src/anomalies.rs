//! A record as transactions of reads and writes, searched for anomalies in the manner of Elle.
//!
//! Whatever the store has answered counts: a guard that held is a read, and so is the answer to a step that writes, which
//! is the key's value right after it. A list is a string of elements that each end in `;`, so that a string which was
//! cut anywhere holds an element that nobody appended.

use std::collections::BTreeMap;

use contract::{MicroOperation, Operation, Outcome};
use history::{CheckResult, Limits};
use isolation::{CHECKER, Consistency, Datatype, History, Options};
use serde_json::{Value, json};

use crate::record::Record;

/// What ends each element of a list.
const END: char = ';';
/// Characters shown of what is no element: a broken store may answer anything.
const SHOWN: usize = 40;

/// The string to append for this element.
pub(crate) fn element(tag: &str) -> String {
    format!("{tag}{END}")
}

/// Whether the record keeps this level.
pub(crate) fn judge(
    records: &[Record],
    datatype: Datatype,
    level: Consistency,
    limits: &Limits,
) -> CheckResult {
    match history(records, datatype) {
        Ok(history) => check(&history, level, limits),
        Err(reason) => CheckResult::inconclusive(CHECKER, reason),
    }
}

/// The same of the history that was made from the record.
pub(crate) fn check(history: &History, level: Consistency, limits: &Limits) -> CheckResult {
    let options = Options::new(level, limits.clone());
    isolation::check(history, &options).check_result()
}

/// The record as transactions, one for each operation.
pub(crate) fn history(records: &[Record], datatype: Datatype) -> Result<History, String> {
    let transaction = |record: &Record| {
        let committed =
            |outcome: &&Outcome| !matches!(outcome, Outcome::Committed { committed: false, .. });
        let answered = record.outcome().filter(committed);
        let answered = answered.map(|outcome| micro_ops(record, Some(outcome), datatype));
        let answered = answered.transpose()?;
        // An answer shows more than was asked for: what its guards and writes found.
        let asked = match &answered {
            Some(_) => Value::Array(Vec::new()),
            None => micro_ops(record, None, datatype)?,
        };
        Ok(record.to_operation("txn", asked, |_| answered))
    };
    let operations = records.iter().map(transaction).collect::<Result<Vec<_>, String>>()?;
    History::from_operations(datatype, &operations).map_err(|unfit| format!("{unfit}."))
}

/// The micro-operations of a record, as `isolation` has them; reads only where there is an answer.
fn micro_ops(
    record: &Record,
    outcome: Option<&Outcome>,
    datatype: Datatype,
) -> Result<Value, String> {
    let read_all = |values: &BTreeMap<String, Option<String>>| -> Vec<Value> {
        values.iter().map(|(key, value)| read(key, value.as_deref(), datatype)).collect()
    };
    let micro_ops = match (&record.operation, outcome) {
        (Operation::MultiGet { .. }, Some(Outcome::Values { values })) => read_all(values),
        (Operation::Get { key }, Some(Outcome::Value { value })) => {
            vec![read(key, value.as_deref(), datatype)]
        }
        (Operation::Get { .. } | Operation::MultiGet { .. }, _) => Vec::new(),
        (Operation::Txn { guards, ops }, outcome) => {
            let results = match outcome {
                Some(Outcome::Committed { results: Some(results), .. }) => Some(results),
                _ => None,
            };
            let mut micro_ops = match datatype {
                // They held, if the transaction committed: whether or not anybody got that answer.
                Datatype::Register => guards.iter().map(guard).collect(),
                Datatype::ListAppend if results.is_some() => read_all(guards),
                Datatype::ListAppend => Vec::new(),
            };
            for (at, op) in ops.iter().enumerate() {
                let result = results.and_then(|results| results.get(at)).map(Option::as_deref);
                let steps = steps(op, result, datatype).ok_or_else(|| foreign(record, datatype))?;
                micro_ops.extend(steps);
            }
            micro_ops
        }
        _ => return Err(foreign(record, datatype)),
    };
    Ok(Value::Array(micro_ops))
}

/// What a micro-operation did and saw; `None` where it is none of this datatype.
fn steps(
    op: &MicroOperation,
    result: Option<Option<&str>>,
    datatype: Datatype,
) -> Option<Vec<Value>> {
    let (key, written) = match (op, datatype) {
        (MicroOperation::Read(key), _) => (key, None),
        (MicroOperation::Append(key, value), Datatype::ListAppend) => {
            let element = value.strip_suffix(END).filter(|element| !element.contains(END))?;
            (key, Some(json!(["append", key, element])))
        }
        (MicroOperation::Write(key, value), Datatype::Register) => {
            // The right answer to a write says nothing that the write does not.
            let answer = result.filter(|result| *result != Some(value));
            let answer = answer.map(|value| read(key, value, datatype));
            return Some([json!(["w", key, value])].into_iter().chain(answer).collect());
        }
        (MicroOperation::Append(..) | MicroOperation::Write(..), _) => return None,
    };
    let answer = result.map(|value| read(key, value, datatype));
    Some(written.into_iter().chain(answer).collect())
}

fn guard((key, value): (&String, &Option<String>)) -> Value {
    json!(["guard", key, value])
}

fn read(key: &str, value: Option<&str>, datatype: Datatype) -> Value {
    match datatype {
        Datatype::ListAppend => json!(["r", key, elements(value)]),
        Datatype::Register => json!(["r", key, value]),
    }
}

/// The elements of a list. What is none, because its end is missing or nothing is there, gets a name that no element
/// has.
fn elements(value: Option<&str>) -> Vec<String> {
    let name = |token: &str| match token.strip_suffix(END) {
        Some(element) => element.to_owned(),
        None => format!("{}…", token.chars().take(SHOWN).collect::<String>()),
    };
    match value {
        None => Vec::new(),
        Some("") => vec!["(the empty string)".to_owned()],
        Some(text) => text.split_inclusive(END).map(name).collect(),
    }
}

fn foreign(record: &Record, datatype: Datatype) -> String {
    record.foreign(match datatype {
        Datatype::ListAppend => "list-append",
        Datatype::Register => "rw-register",
    })
}

#[cfg(test)]
mod tests {
    use history::Verdict;

    use super::*;
    use crate::record::End;

    const STRICT: Consistency = Consistency::StrictSerializable;

    /// A transaction that committed with these results, after the others.
    fn committed(at: u64, ops: &Value, results: &Value) -> Record {
        let operation = Operation::from_parts("txn", &json!({ "ops": ops })).unwrap();
        let result = json!({ "committed": true, "results": results });
        let end = End::Ok(operation.parse_outcome(&result).unwrap());
        let (call, ret) = (2 * at, Some(2 * at + 1));
        Record { call, ret, process: at, call_ns: call, return_ns: ret, operation, end }
    }

    fn kinds(records: &[Record], datatype: Datatype) -> Vec<String> {
        let result = judge(records, datatype, STRICT, &Limits::default());
        result.violations.into_iter().map(|violation| violation.kind).collect()
    }

    /// The anomalies if a read after two appends gets this answer.
    fn read_as(seen: &Value) -> Vec<String> {
        let appends = committed(
            0,
            &json!([["append", "k0", "c0.1;"], ["append", "k0", "c0.2;"]]),
            &json!(["c0.1;", "c0.1;c0.2;"]),
        );
        let read = committed(1, &json!([["r", "k0"]]), &json!([seen]));
        kinds(&[appends, read], Datatype::ListAppend)
    }

    #[test]
    fn a_string_that_is_no_list_is_a_garbage_read() {
        assert_eq!(read_as(&json!("c0.1;c0.2;")), [""; 0]);
        for garbage in ["c0.1;c0.2", "c0.1;c0.", "0.1;c0.2;", ";", "c0.1;;c0.2;", "", "7", "ü"] {
            let kinds = read_as(&json!(garbage));
            assert!(kinds.contains(&"garbage-read".to_owned()), "{garbage:?}: {kinds:?}");
        }
    }

    #[test]
    fn a_list_without_its_last_element_or_in_another_order_is_no_garbage() {
        assert!(read_as(&Value::Null).contains(&"G-single-item-realtime".to_owned()));
        assert!(read_as(&json!("c0.1;")).contains(&"G1b".to_owned()));
        assert!(read_as(&json!("c0.2;c0.1;")).contains(&"incompatible-order".to_owned()));
        assert!(read_as(&json!("c0.1;c0.2;c0.2;")).contains(&"duplicate-elements".to_owned()));
    }

    #[test]
    fn the_answer_to_a_write_counts_as_a_read() {
        let lost = committed(0, &json!([["append", "k0", "c0.1;"]]), &json!(["c9.9;c0.1;"]));
        assert_eq!(kinds(&[lost], Datatype::ListAppend), ["garbage-read"]);
        let other = committed(0, &json!([["w", "k0", "c0.1"]]), &json!(["c0.2"]));
        let kinds = kinds(&[other], Datatype::Register);
        assert!(kinds.contains(&"internal".to_owned()), "{kinds:?}");
    }

    #[test]
    fn an_explanation_names_the_transactions_and_every_edge() {
        // T0 and T1 each miss what the other wrote.
        let skew = [
            committed(0, &json!([["r", "x"], ["w", "y", "a"]]), &json!([null, "a"])),
            committed(1, &json!([["r", "y"], ["w", "x", "b"]]), &json!([null, "b"])),
        ];
        let overlapping = skew.map(|record| Record { call: record.process, ..record });
        let ends = [2, 3].map(Some);
        let records: Vec<Record> = overlapping
            .into_iter()
            .zip(ends)
            .map(|(record, ret)| Record { ret, ..record })
            .collect();
        let result = judge(&records, Datatype::Register, STRICT, &Limits::default());
        let [violation] = &result.violations[..] else { panic!("{result:#?}") };
        assert_eq!((violation.kind.as_str(), violation.operations.len()), ("G2-item", 2));
        for part in ["T1 must come before T2, because", "Yet T2", "T1 is that of event"] {
            assert!(violation.sentence.contains(part), "{}", violation.sentence);
        }
        let [picture] = &result.pictures[..] else { panic!("{result:#?}") };
        assert_eq!(picture.violation, 0);
        for part in ["T1 = event", "T2 = event", "T1 < T2, because", "However, T2 < T1"] {
            let is_there = picture.explanation.iter().any(|line| line.starts_with(part));
            assert!(is_there, "{part}: {picture:?}");
        }
        assert!(result.summary.contains("serializable"), "{}", result.summary);
    }

    #[test]
    fn a_record_of_others_or_without_reads_is_inconclusive() {
        let write = committed(0, &json!([["w", "x", "a"]]), &json!(["a"]));
        for datatype in [Datatype::ListAppend, Datatype::Register] {
            let result = judge(std::slice::from_ref(&write), datatype, STRICT, &Limits::default());
            assert_eq!(result.verdict, Verdict::Inconclusive, "{result:?}");
        }
        let again = committed(1, &json!([["w", "x", "a"], ["r", "x"]]), &json!(["a", "a"]));
        let same = [write, again];
        let result = judge(&same, Datatype::Register, STRICT, &Limits::default());
        assert_eq!(result.verdict, Verdict::Inconclusive, "values must be unique: {result:?}");
    }
}
