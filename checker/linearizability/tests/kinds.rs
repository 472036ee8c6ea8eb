//! What went wrong has a name and a sentence.

mod common;

use common::{KvCall, call};
use history::Verdict;
use linearizability::models::kv::{Kv, KvInput, KvOutput};
use linearizability::{Call, Limits, Witness, check};

fn put(value: &str, from: u64, to: u64) -> KvCall {
    call(from, KvInput::Put(value.into()), Some(KvOutput::Done), from, Some(to))
}

fn append(more: &str, new: &str, from: u64, to: u64) -> KvCall {
    call(
        from,
        KvInput::Append(more.into()),
        Some(KvOutput::Value(Some(new.into()))),
        from,
        Some(to),
    )
}

fn get(value: &str, from: u64, to: u64) -> KvCall {
    let value = (value != "nil").then(|| value.to_owned());
    call(from, KvInput::Get, Some(KvOutput::Value(value)), from, Some(to))
}

fn cas(expect: &str, value: &str, from: u64, to: u64) -> KvCall {
    let input = KvInput::Cas { expect: Some(expect.into()), value: value.into() };
    call(from, input, Some(KvOutput::Cas { swapped: true, current: None }), from, Some(to))
}

fn failed(call: KvCall) -> KvCall {
    Call { failed: true, output: None, ..call }
}

fn witness(calls: &[KvCall]) -> Witness {
    let report = check(&Kv, calls, &Limits::default());
    assert_eq!(report.verdict, Verdict::Violation, "{report:?}");
    report.witness.expect("a violation has a witness")
}

#[test]
fn anomalies_have_names() {
    for (expected, calls) in [
        ("stale read", vec![put("1", 0, 1), put("2", 2, 3), get("1", 4, 5)]),
        ("stale read", vec![put("1", 0, 1), get("nil", 2, 3)]),
        ("read of a value never written", vec![put("1", 0, 1), get("2", 2, 3)]),
        ("read from the future", vec![put("1", 0, 1), get("2", 2, 3), put("2", 4, 5)]),
        ("aborted read", vec![put("1", 0, 1), failed(put("2", 2, 3)), get("2", 4, 5)]),
        (
            "aborted read",
            vec![append("a", "a", 0, 1), failed(append("b", "", 2, 3)), get("ab", 4, 5)],
        ),
        ("lost append", vec![append("a", "a", 0, 1), append("b", "b", 2, 3)]),
        ("lost append", vec![append("a", "a", 0, 1), append("b", "ab", 2, 3), get("a", 4, 5)]),
        ("duplicated append", vec![append("a", "a", 0, 1), get("aa", 2, 3)]),
        ("lost update", vec![put("0", 0, 1), cas("0", "1", 2, 8), cas("0", "2", 3, 9)]),
    ] {
        assert_eq!(witness(&calls).kind, expected, "{calls:#?}");
    }
}

/// The sentence stands alone, and what does not matter is not in it.
#[test]
fn the_witness_is_small() {
    let mut calls: Vec<KvCall> = (0..50).map(|i| put(&i.to_string(), 10 * i, 10 * i + 5)).collect();
    calls.extend((0..50).map(|i| get(&i.to_string(), 10 * i + 6, 10 * i + 7)));
    calls.push(get("20", 1_000, 1_100));
    calls.extend((0..50).map(|i| get("49", 2_000 + i, 3_000)));
    let found = witness(&calls);
    assert_eq!(found.operations, [200, 490, 1_000]);
    assert_eq!(
        found.sentence,
        "stale read: get = \"20\" by process 1000 (1.0000–1.1000 s) fits no order with put \"20\" by process 200 \
         (0.2000–0.2050 s); put \"49\" by process 490 (0.4900–0.4950 s)."
    );
}

/// Values are shown escaped and cut: what a store answers must not garble the report.
#[test]
fn hostile_values_are_shown_safely() {
    let value = format!("\x1b[2J\n{}", "x".repeat(100_000));
    let sentence = witness(&[get(&value, 0, 1)]).sentence;
    assert!(sentence.len() < 300 && !sentence.contains(['\x1b', '\n']), "{sentence}");
}
