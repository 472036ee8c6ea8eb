//! Checks that look inside: what the nodes of a store say of their logs is compared, of a store that promises it.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use common::{Bench, Ran, example};
use serde_json::Value;

const CHECKS: [&str; 3] =
    ["log:one-value-a-slot", "log:one-leader-a-term", "log:promises-are-kept"];
const PROMISES: [&str; 3] = ["one value a slot", "one leader a term", "promises are kept"];

/// The verdicts of these checks; `null` where there is none.
fn verdicts(ran: &Ran) -> Vec<Value> {
    let results = ran.json();
    let checks = results["checks"].as_array().unwrap().clone();
    let verdict = |name| checks.iter().find(|check| check["checker"] == name);
    CHECKS.map(|name| verdict(name).map_or(Value::Null, |check| check["verdict"].clone())).into()
}

/// What was seen, of these promises.
fn seen(ran: &Ran) -> Vec<String> {
    let results = ran.json();
    let promises = results["promises"].as_array().unwrap().clone();
    let is_one = |row: &&Value| PROMISES.contains(&row["promise"].as_str().unwrap());
    promises.iter().filter(is_one).map(|row| row["seen"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_raft_has_one_value_a_slot_and_one_leader_a_term_and_keeps_its_promises() {
    let bench = Bench::with_store("raft", "raft");
    let run = "--nodes 3 --workload register --faults partition,kill,pause --seed 6 --json";
    let ran = bench.run_until(run, |ran| {
        assert!(matches!(ran.code, 0 | 3), "exit {}\n{}\n{}", ran.code, ran.stdout, ran.stderr);
        ran.code == 0 && verdicts(ran) == ["valid"; 3]
    });
    assert_eq!(verdicts(&ran), ["valid"; 3], "{}", ran.stdout);
    let results = ran.json();
    let checks = results["checks"].as_array().unwrap();
    let slots = checks.iter().find(|check| check["checker"] == CHECKS[0]).unwrap();
    let compared = slots["statistics"]["compared"].as_u64().unwrap();
    assert!(compared > 100, "only {compared} slots were compared");
    bench.check().expect(0, "VALID");
}

/// The toy store as three stores, each of which shows what it likes, with these `caps`.
fn three_toys(flaw: &str, caps: &str) -> Bench {
    Bench::with_manifest(&format!(
        "name = \"toy\"\nserves = [\"replicated-kv\"]\ncaps = [{caps}]\nrun = [{:?}, {flaw:?}]\n",
        example("toy_store")
    ))
}

const SHORT: &str =
    "--nodes 3 --workload register --faults none --clients 4 --seed 1 --time-limit 3s --json";

#[test]
fn nodes_that_contradict_each_other_break_what_the_store_promises() {
    let promising = three_toys("own-log", "\"introspect\", \"log\"");
    let ran = promising.run(SHORT).expect(1, "was chosen as the first of n");
    assert_eq!(verdicts(&ran), ["violation"; 3]);
    promising.check().expect(1, "VIOLATION");
    let report = std::fs::read_to_string(promising.latest().join("report.html")).unwrap();
    assert!(report.contains("Slot 1 was chosen as the first of n"));
    assert!(report.contains("said that they led in term 7"));
    assert!(report.contains("said that it had promised term"));
}

/// The same nodes, in a store that does not promise it: a term may be something else there.
#[test]
fn a_store_without_log_is_neither_asked_nor_judged() {
    let silent = three_toys("own-log", "\"introspect\"");
    let ran = silent.run(SHORT);
    assert_eq!(verdicts(&ran), [Value::Null, Value::Null, Value::Null]);
    assert_eq!(seen(&ran), [""; 3]);
    assert!(!silent.latest().join("introspection.jsonl").exists());
}

#[test]
fn answers_that_make_no_sense_are_told_and_prove_nothing() {
    let ran = three_toys("odd-log", "\"introspect\", \"log\"").run(SHORT);
    assert_eq!(verdicts(&ran), [Value::Null, Value::Null, Value::Null]);
    assert!(seen(&ran)[0].contains("could not be used: GET /v1/log"), "{:?}", seen(&ran));
}
