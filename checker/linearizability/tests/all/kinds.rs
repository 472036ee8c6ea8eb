//! What went wrong has a name and a sentence.

use checker_testing::linearizability::{KvCall, call};
use history::Verdict;
use linearizability::models::kv::{Kv, KvInput, KvOutput};
use linearizability::{Anomaly, Call, Limits, Witness, check};

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
    call(from, KvInput::Get, Some(KvOutput::Value(value.map(Into::into))), from, Some(to))
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

/// An append that says nothing about the value.
fn blind_append(more: &str, from: u64, to: u64) -> KvCall {
    call(from, KvInput::Append(more.into()), Some(KvOutput::Done), from, Some(to))
}

/// The fast path names each of these: kind, witness and sentence.
#[test]
fn anomalies_have_names_and_sentences() {
    let mut wrong = Vec::new();
    for (expected, calls, operations, sentence) in [
        (
            "phantom value",
            vec![put("1", 0, 1), get("2", 2, 3)],
            vec![2],
            "phantom value: get = \"2\" by process 2 (0.0020–0.0030 s) saw a value that nobody ever \
             wrote.",
        ),
        (
            "aborted read",
            vec![put("1", 0, 1), failed(put("2", 2, 3)), get("2", 4, 5)],
            vec![2, 4],
            "aborted read: get = \"2\" by process 4 (0.0040–0.0050 s) saw the value of put \"2\" by \
             process 2 (0.0020–0.0030 s), which failed.",
        ),
        (
            "aborted read",
            vec![append("a", "a", 0, 1), failed(append("b", "", 2, 3)), get("ab", 4, 5)],
            vec![2, 4],
            "aborted read: get = \"ab\" by process 4 (0.0040–0.0050 s) saw the value of append \"b\" \
             by process 2 (0.0020–0.0030 s), which failed.",
        ),
        (
            "read from the future",
            vec![put("1", 0, 1), get("2", 2, 3), put("2", 4, 5)],
            vec![2, 4],
            "read from the future: get = \"2\" by process 2 (0.0020–0.0030 s) had finished before put \
             \"2\" by process 4 (0.0040–0.0050 s) began, yet saw its value.",
        ),
        (
            "stale read",
            vec![put("1", 0, 1), put("2", 2, 3), get("1", 4, 5)],
            vec![0, 2, 4],
            "stale read: get = \"1\" by process 4 (0.0040–0.0050 s) saw an older value: it began after \
             put \"2\" by process 2 (0.0020–0.0030 s) had finished, and that began after put \"1\" by \
             process 0 (0.0000–0.0010 s) had finished.",
        ),
        (
            "stale read",
            vec![put("1", 0, 1), get("nil", 2, 3)],
            vec![0, 2],
            "stale read: get = nil by process 2 (0.0020–0.0030 s) saw an older value: it began after put \
             \"1\" by process 0 (0.0000–0.0010 s) had finished.",
        ),
        (
            "stale read",
            vec![put("3", 70, 80), put("4", 91, 150), get("4", 95, 99), get("3", 102, 104)],
            vec![70, 91, 95, 102],
            "stale read: get = \"3\" by process 102 saw an older value: it began after get = \"4\" by \
             process 95 had finished, and put \"4\" by process 91 began after put \"3\" by process 70 had \
             finished.",
        ),
        (
            "stale read",
            vec![append("a", "a", 0, 1), append("b", "ab", 2, 3), get("a", 4, 5), get("ab", 6, 7)],
            vec![0, 2, 4],
            "stale read: get = \"a\" by process 4 (0.0040–0.0050 s) began after append \"b\" = \"ab\" by \
             process 2 (0.0020–0.0030 s) had finished, yet saw an older value.",
        ),
        (
            "flip-flop",
            vec![put("1", 0, 9), put("2", 1, 10), get("1", 2, 3), get("2", 4, 5), get("1", 6, 7)],
            vec![0, 1, 2, 4, 6],
            "flip-flop: get = \"1\" by process 2 (0.0020–0.0030 s) had finished before get = \"2\" by \
             process 4 (0.0040–0.0050 s) began, and that one before get = \"1\" by process 6 \
             (0.0060–0.0070 s): a value that was gone came back.",
        ),
        (
            "lost update",
            vec![put("0", 0, 1), cas("0", "1", 2, 8), cas("0", "2", 3, 9)],
            vec![0, 2, 3],
            "lost update: cas \"0\" to \"1\", swapped by process 2 (0.0020–0.0080 s) and cas \"0\" to \
             \"2\", swapped by process 3 (0.0030–0.0090 s) both replaced the same value, so that one of \
             them is lost.",
        ),
        (
            "lost write",
            vec![put("0", 0, 1), put("1", 2, 3), cas("0", "2", 4, 5)],
            vec![0, 2, 4],
            "lost write: nobody saw what put \"1\" by process 2 (0.0020–0.0030 s) wrote: cas \"0\" to \
             \"2\", swapped by process 4 (0.0040–0.0050 s) began after it had finished, yet replaced an older \
             value (put \"0\" by process 0 (0.0000–0.0010 s) had finished before the write began).",
        ),
        (
            "lost append",
            vec![append("a", "a", 0, 1), append("b", "b", 2, 3)],
            vec![0, 2],
            "lost append: append \"a\" = \"a\" by process 0 (0.0000–0.0010 s) and append \"b\" = \"b\" by \
             process 2 (0.0020–0.0030 s) both replaced the same value, so that one of them is lost.",
        ),
        (
            "lost append",
            vec![append("a", "a", 0, 1), append("b", "ab", 2, 3), get("a", 4, 5)],
            vec![0, 2, 4],
            "lost append: get = \"a\" by process 4 (0.0040–0.0050 s) began after append \"b\" = \"ab\" by \
             process 2 (0.0020–0.0030 s) had finished, yet what it appended is missing.",
        ),
        (
            "lost append",
            vec![append("a", "a", 0, 1), blind_append("b", 2, 3), get("a", 4, 5)],
            vec![0, 2, 4],
            "lost append: get = \"a\" by process 4 (0.0040–0.0050 s) began after append \"b\" by process \
             2 (0.0020–0.0030 s) had finished, yet what it appended is missing.",
        ),
        (
            "overtaken append",
            vec![blind_append("a", 0, 1), blind_append("b", 2, 3), get("ba", 4, 5)],
            vec![0, 2],
            "overtaken append: append \"a\" by process 0 (0.0000–0.0010 s) had finished before append \
             \"b\" by process 2 (0.0020–0.0030 s) began, yet stands behind it in the value.",
        ),
    ] {
        let found = witness(&calls);
        let found = (found.kind.name(), found.operations, found.sentence);
        let expected = (expected, operations, sentence.to_owned());
        if found != expected {
            wrong.push((found.0.to_owned(), found.1, found.2));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the search finds has a name, too, where the name is clear.
#[test]
fn anomalies_among_equal_values_have_names() {
    for (expected, calls) in [
        ("stale read", vec![put("1", 0, 1), put("1", 2, 3), put("2", 4, 5), get("1", 6, 7)]),
        ("phantom value", vec![put("1", 0, 1), put("1", 2, 3), get("2", 4, 5)]),
        (
            "read from the future",
            vec![put("1", 0, 1), put("1", 2, 3), get("2", 4, 5), put("2", 6, 7)],
        ),
        (
            "aborted read",
            vec![put("1", 0, 1), put("1", 2, 3), failed(put("2", 4, 5)), get("2", 6, 7)],
        ),
        ("duplicated append", vec![append("a", "a", 0, 1), get("aa", 2, 3)]),
    ] {
        assert_eq!(witness(&calls).kind.name(), expected, "{calls:#?}");
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
    assert_eq!(found.operations, [200, 210, 1_000]);
    assert_eq!(
        found.sentence,
        "stale read: get = \"20\" by process 1000 (1.0000–1.1000 s) saw an older value: it began after put \"21\" by \
         process 210 (0.2100–0.2150 s) had finished, and that began after put \"20\" by process 200 (0.2000–0.2050 s) \
         had finished."
    );
}

/// Values are shown escaped and cut: what a store answers must not garble the report.
#[test]
fn hostile_values_are_shown_safely() {
    let value = format!("\x1b[2J\n{}", "x".repeat(100_000));
    let sentence = witness(&[get(&value, 0, 1)]).sentence;
    assert!(sentence.len() < 300 && !sentence.contains(['\x1b', '\n']), "{sentence}");
}

/// A get that saw the newest value was once blamed, and the append that shows the loss was left out.
#[test]
fn who_first_built_on_the_older_value_shows_that_a_write_is_lost() {
    let calls = [
        put("a", 0, 1),
        get("a", 2, 3),
        put("b", 4, 5),
        append("c", "ac", 6, 7),
        cas("ac", "d", 8, 9),
        get("d", 10, 11),
    ];
    let found = witness(&calls);
    assert_eq!((found.kind, &found.operations[..]), (Anomaly::LostWrite, &[0, 4, 6][..]));
    assert_eq!(
        found.sentence,
        "lost write: nobody saw what put \"b\" by process 4 (0.0040–0.0050 s) wrote: append \"c\" = \"ac\" by process 6 \
         (0.0060–0.0070 s) began after it had finished, yet replaced an older value (put \"a\" by process 0 \
         (0.0000–0.0010 s) had finished before the write began)."
    );
    // Near misses: somebody saw it, or nobody built on the older one, so that it may come back.
    let mut seen = calls.to_vec();
    seen.push(get("b", 4, 20));
    assert_ne!(witness(&seen).kind, Anomaly::LostWrite);
    let only_read = [put("a", 0, 1), put("b", 4, 5), get("a", 6, 7), get("a", 8, 9)];
    assert_eq!(
        (witness(&only_read).kind, witness(&only_read).operations[2]),
        (Anomaly::StaleRead, 6)
    );
}
