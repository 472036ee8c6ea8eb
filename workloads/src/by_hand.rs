//! `by-hand`: whatever a person asks, of any keys. Keys that some operation touched together are one object, every other key
//! is one by itself; each object must be linearizable.

mod objects;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use contract::Operation;
use history::{CheckResult, Limits};
use isolation::Consistency;
use linearizability::{CHECKER, Call, check_by_key};

use crate::{
    Client, Workload,
    controller::check_configurations,
    record::{self, Record},
    register,
    store::Store,
};
use objects::Objects;

/// Its name in `run.json`. It is none of [`crate::WORKLOADS`]: nothing makes its operations but a person.
pub const NAME: &str = "by-hand";

/// The key that is asked whether the store serves again.
const RECOVERY_KEY: &str = "by-hand:recovery";

/// How many keys are read at the end, at each node.
const FINAL_KEYS: usize = 30;
/// The workload of a person; clones know the same keys.
#[derive(Clone, Debug, Default)]
pub struct ByHand {
    keys: Arc<Mutex<BTreeSet<String>>>,
}

impl ByHand {
    /// Keeps the keys of an operation, to read them at the end.
    pub fn asks(&self, operation: &Operation) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.extend(operation.keys().into_iter().map(str::to_owned));
    }
}

impl Workload for ByHand {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Asks only whether the store serves again, by a key of its own: all else a person asks.
    fn client(&self, _seed: u64, _client: u32) -> Box<dyn Client> {
        Box::new(Recovery { asked: 0 })
    }

    fn final_reads(&self) -> Vec<Operation> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().take(FINAL_KEYS).map(|key| Operation::Get { key: key.clone() }).collect()
    }

    fn must_succeed(&self) -> &'static [&'static str] {
        &["get", "put"]
    }

    fn check(
        &self,
        operations: &[history::Operation],
        _level: Consistency,
        limits: &Limits,
    ) -> Vec<CheckResult> {
        let mut results = match record::read(operations) {
            Ok(records) => check_objects(records, limits),
            Err(reason) => vec![CheckResult::inconclusive(CHECKER, reason)],
        };
        results.extend(check_configurations(operations));
        results
    }
}

/// Writes and reads its key in turn.
struct Recovery {
    asked: u64,
}

impl Client for Recovery {
    fn next(&mut self) -> Operation {
        self.asked += 1;
        let key = RECOVERY_KEY.to_owned();
        match self.asked % 2 {
            1 => Operation::Put { key, value: self.asked.to_string() },
            _ => Operation::Get { key },
        }
    }
}

/// Single keys by the model that knows most about them, keys that belong together by the whole store's. What the bench itself
/// asked comes last: a check tells one violation, and a person's own are plainer.
fn check_objects(records: Vec<Record>, limits: &Limits) -> Vec<CheckResult> {
    let objects = Objects::of(&records);
    let (together, alone): (Vec<Record>, Vec<Record>) =
        records.into_iter().partition(|record| objects.are_together(&record.operation));
    let (of_bench, alone): (Vec<Record>, Vec<Record>) =
        alone.into_iter().partition(|record| record.operation.keys() == [RECOVERY_KEY]);
    let mut results = Vec::new();
    if !alone.is_empty() || together.is_empty() {
        results.push(register::check_order(&alone, limits));
    }
    if !together.is_empty() {
        results.push(check_together(&together, &objects, limits));
    }
    if !of_bench.is_empty() {
        let mut result = register::check_order(&of_bench, limits);
        result.checker = format!("{CHECKER} after healing");
        results.push(result);
    }
    results
}

fn check_together(records: &[Record], objects: &Objects, limits: &Limits) -> CheckResult {
    let mut groups: BTreeMap<usize, Vec<Call<Operation, contract::Outcome>>> = BTreeMap::new();
    for record in records {
        let Some(object) = objects.of_operation(&record.operation) else { continue };
        let call = record.as_call(record.operation.clone(), record.outcome().cloned());
        groups.entry(object).or_default().push(call);
    }
    let groups = groups.into_iter().map(|(object, calls)| (objects.name(object), calls));
    let mut result = check_by_key(&Store, groups.collect(), limits).into_result();
    result.checker = format!("{CHECKER} of several keys");
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::{Completion, Verdict};
    use serde_json::{Value, json};

    /// These, one after the other.
    fn judged(operations: &[(&str, Value, Value)]) -> Vec<CheckResult> {
        let operation = |(at, (f, arguments, result)): (usize, &(&str, Value, Value))| {
            let call = 2 * at as u64;
            history::Operation {
                call,
                process: 0,
                f: (*f).into(),
                arguments: arguments.clone(),
                completion: Completion::Ok(call + 1, result.clone()),
                call_ns: call,
                return_ns: Some(call + 1),
                node: None,
                phase: String::new(),
            }
        };
        let operations: Vec<_> = operations.iter().enumerate().map(operation).collect();
        ByHand::default().check(&operations, Consistency::Linearizable, &Limits::default())
    }

    fn put(key: &str, value: &str) -> (&'static str, Value, Value) {
        ("put", json!({ "key": key, "value": value }), json!({}))
    }

    fn get(key: &str, value: &str) -> (&'static str, Value, Value) {
        ("get", json!({ "key": key }), json!({ "value": value }))
    }

    fn verdicts(operations: &[(&str, Value, Value)]) -> Vec<Verdict> {
        judged(operations).iter().map(|result| result.verdict).collect()
    }

    #[test]
    fn single_keys_are_judged_each_by_itself_whatever_they_hold() {
        let same = [put("x", "1"), put("y", "1"), put("x", "1"), get("x", "1"), get("y", "1")];
        assert_eq!(verdicts(&same), [Verdict::Valid]);
        let stale = [put("x", "1"), put("x", "2"), get("x", "1")];
        let results = judged(&stale);
        assert_eq!(results[0].verdict, Verdict::Violation);
        assert!(results[0].violations[0].sentence.contains("Key x"), "{results:?}");
        assert_eq!(verdicts(&[]), [Verdict::Valid]);
    }

    #[test]
    fn keys_that_were_touched_together_are_one_object() {
        let both = |f, result: Value| (f, json!({ "values": { "x": "1", "y": "1" } }), result);
        let read = |x: &str, y: &str| {
            let values = json!({ "values": { "x": x, "y": y } });
            ("multiget", json!({ "keys": ["x", "y"] }), values)
        };
        let right = [both("multiput", json!({})), put("x", "2"), read("2", "1"), put("z", "0")];
        assert_eq!(verdicts(&right), [Verdict::Valid, Verdict::Valid]);
        // Only the two keys together show it.
        let torn = [both("multiput", json!({})), put("x", "2"), read("1", "1")];
        let results = judged(&torn);
        assert_eq!(results[0].verdict, Verdict::Violation, "{results:?}");
        assert!(results[0].violations[0].sentence.contains("Keys x, y"), "{results:?}");
        let guarded = json!({ "guards": { "x": "2" }, "ops": [["w", "y", "3"], ["r", "x"]] });
        let committed = json!({ "committed": true, "results": ["3", "2"] });
        let txn = [put("x", "2"), ("txn", guarded.clone(), committed), get("y", "3")];
        assert_eq!(verdicts(&txn), [Verdict::Valid]);
        let refused = [put("x", "2"), ("txn", guarded, json!({ "committed": false }))];
        assert_eq!(verdicts(&refused), [Verdict::Violation]);
    }

    /// All that happened to a key is one history, whatever the kind of operation. It was two once: a right store looked
    /// wrong, and a wrong one right.
    #[test]
    fn one_key_in_operations_for_several_is_still_one_object() {
        let multiput =
            |key: &str, value: &str| ("multiput", json!({ "values": { key: value } }), json!({}));
        let multiget = |key: &str, value: &str| {
            ("multiget", json!({ "keys": [key] }), json!({ "values": { key: value } }))
        };
        for key in ["x", RECOVERY_KEY] {
            let right = [put(key, "2"), multiput(key, "3"), get(key, "3"), multiget(key, "3")];
            assert_eq!(verdicts(&right), [Verdict::Valid], "{key}");
            let lost = [put(key, "2"), multiput(key, "3"), get(key, "2")];
            assert_eq!(verdicts(&lost), [Verdict::Violation], "{key}");
        }
        let write = json!({ "guards": {}, "ops": [["w", "x", "1"]] });
        let written = ("txn", write, json!({ "committed": true, "results": ["1"] }));
        assert_eq!(verdicts(&[written.clone(), get("x", "1")]), [Verdict::Valid]);
        assert_eq!(verdicts(&[written, get("x", "2")]), [Verdict::Violation]);
    }

    #[test]
    fn objects_grow_from_key_to_key() {
        let swap = |a: &str, b: &str| ("swap", json!({ "a": a, "b": b }), json!({}));
        let chain = [swap("c", "d"), swap("a", "b"), swap("b", "c"), put("a", "1"), get("d", "1")];
        assert_eq!(verdicts(&chain), [Verdict::Violation], "nothing moved it to d");
        let moved = [put("a", "1"), swap("a", "b"), swap("b", "c"), swap("c", "d"), get("d", "1")];
        assert_eq!(verdicts(&moved), [Verdict::Valid]);
    }

    /// Every answer is late: the first that is told should be one that the person has seen.
    #[test]
    fn what_the_bench_asked_is_judged_by_itself() {
        let stale = |key: &'static str| [put(key, "1"), put(key, "2"), get(key, "1")];
        let results = judged(&[stale("x"), stale(RECOVERY_KEY)].concat());
        let keys = results.iter().map(|result| result.violations[0].sentence.as_str());
        let keys: Vec<bool> = keys.map(|sentence| sentence.contains(RECOVERY_KEY)).collect();
        assert_eq!(keys, [false, true], "{results:?}");
    }

    #[test]
    fn what_was_asked_is_read_at_the_end() {
        let by_hand = ByHand::default();
        by_hand.clone().asks(&Operation::Swap { a: "x".to_owned(), b: "y".to_owned() });
        let get = |key: &str| Operation::Get { key: key.to_owned() };
        assert_eq!(by_hand.final_reads(), [get("x"), get("y")]);
        let mut recovery = by_hand.client(1, 7);
        assert!(!recovery.next().is_read_only() && recovery.next().is_read_only());
    }
}
