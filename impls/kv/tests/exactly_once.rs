//! Retries, late duplicates and restored tables.

use contract::{Answer, ErrorCode, MicroOperation, Operation, Outcome, Request};
use kv::{ExactlyOnce, Store};
use node::Application;

type Wrapped = ExactlyOnce<Store>;

fn wrapped() -> Wrapped {
    ExactlyOnce::new(Store::default())
}

fn append(client: &str, seq: u64, value: &str) -> Request {
    let op = Operation::Append { key: "x".to_owned(), value: value.to_owned() };
    Request { client: client.to_owned(), seq, op }
}

fn get(client: &str, seq: u64) -> Request {
    Request { client: client.to_owned(), seq, op: Operation::Get { key: "x".to_owned() } }
}

fn value(text: &str) -> Answer {
    Answer::Ok(Outcome::Value { value: Some(text.to_owned()) })
}

fn is_stale(answer: &Answer) -> bool {
    matches!(answer, Answer::Error(refusal) if refusal.code == ErrorCode::StaleSeq)
}

#[test]
fn without_the_wrapper_a_retry_is_applied_twice() {
    let mut store = Store::default();
    store.apply(&append("c1", 1, "a").op);
    store.apply(&append("c1", 1, "a").op);
    assert_eq!(store.get("x"), Some("aa"));
}

#[test]
fn a_retry_gets_the_same_answer_and_changes_nothing() {
    let mut wrapped = wrapped();
    assert_eq!(wrapped.apply(&append("c1", 1, "a")), value("a"));
    assert_eq!(wrapped.apply(&append("c2", 1, "b")), value("ab"));
    let before = wrapped.clone();
    assert_eq!(wrapped.apply(&append("c1", 1, "a")), value("a"), "the answer of the first time");
    assert_eq!(wrapped.query(&append("c1", 1, "a")), Some(value("a")));
    assert_eq!(wrapped, before);
}

#[test]
fn a_duplicate_of_an_older_request_is_stale_and_changes_nothing() {
    let mut wrapped = wrapped();
    wrapped.apply(&append("c1", 1, "a"));
    wrapped.apply(&append("c1", 2, "b"));
    let before = wrapped.clone();
    assert!(is_stale(&wrapped.apply(&append("c1", 1, "a"))));
    assert!(is_stale(&wrapped.query(&append("c1", 1, "a")).unwrap()));
    assert_eq!(wrapped, before);
    assert_eq!(wrapped.apply(&append("c1", 3, "c")), value("abc"));
}

#[test]
fn a_new_request_is_not_answered_by_a_query() {
    assert_eq!(wrapped().query(&append("c1", 1, "a")), None);
}

#[test]
fn sequence_numbers_may_skip_and_clients_do_not_disturb_each_other() {
    let mut wrapped = wrapped();
    wrapped.apply(&append("c1", 7, "a"));
    assert_eq!(wrapped.apply(&append("c2", 1, "b")), value("ab"));
    assert!(is_stale(&wrapped.apply(&append("c1", 6, "c"))));
}

#[test]
fn reads_leave_no_trace_in_the_table() {
    let mut wrapped = wrapped();
    wrapped.apply(&append("c1", 1, "a"));
    let before = wrapped.clone();
    assert_eq!(wrapped.apply(&get("c1", 2)), value("a"));
    assert_eq!(wrapped.query(&get("c1", 2)), Some(value("a")));
    let ops = vec![MicroOperation::Read("x".to_owned())];
    let read_only = Operation::Txn { guards: [].into(), ops };
    let committed = wrapped.apply(&Request { client: "c1".to_owned(), seq: 2, op: read_only });
    assert!(matches!(committed, Answer::Ok(Outcome::Committed { committed: true, .. })));
    assert_eq!(wrapped, before);
    // A read is answered afresh, even where its number has passed: its client no longer listens.
    wrapped.apply(&append("c1", 3, "b"));
    assert_eq!(wrapped.apply(&get("c1", 2)), value("ab"));
}

/// A request of each shape of answer.
fn one_of_each() -> Vec<Operation> {
    let (key, value) = ("k".to_owned(), "v".to_owned());
    let cas = |expect: Option<&str>| Operation::Cas {
        key: "k".to_owned(),
        expect: expect.map(str::to_owned),
        value: "w".to_owned(),
    };
    let txn = |guard: Option<&str>| Operation::Txn {
        guards: [("k".to_owned(), guard.map(str::to_owned))].into(),
        ops: vec![
            MicroOperation::Read("missing".to_owned()),
            MicroOperation::Append("k".to_owned(), "z".to_owned()),
        ],
    };
    vec![
        Operation::Append { key: key.clone(), value: value.clone() },
        Operation::PutHash { key: key.clone(), value: value.clone() },
        Operation::Put { key: key.clone(), value: value.clone() },
        cas(Some("v")),
        cas(Some("v")),
        Operation::Cas { key: "missing".to_owned(), expect: Some("v".to_owned()), value },
        Operation::MultiPut { values: [(key.clone(), "1".to_owned())].into() },
        Operation::Swap { a: key, b: "other".to_owned() },
        txn(None),
        txn(None),
    ]
}

#[test]
fn a_restored_replica_gives_the_remembered_answers_of_every_shape() {
    let mut wrapped = wrapped();
    let mut answers = Vec::new();
    for (number, op) in one_of_each().into_iter().enumerate() {
        let request = Request { client: format!("c{number}"), seq: 1, op };
        let answer = wrapped.apply(&request);
        answers.push((request, answer));
    }
    let mut restored = ExactlyOnce::new(Store::default());
    restored.restore(&wrapped.snapshot()).unwrap();
    assert_eq!(restored, wrapped);
    for (request, answer) in answers {
        assert_eq!(restored.apply(&request), answer, "{request:?}");
    }
    assert_eq!(restored, wrapped, "no retry was applied again");
}

#[test]
fn a_snapshot_that_is_none_changes_nothing() {
    let mut wrapped = wrapped();
    wrapped.apply(&append("c1", 1, "a"));
    let (before, good) = (wrapped.clone(), wrapped.snapshot());
    for length in 0..good.len() {
        assert!(wrapped.restore(&good[..length]).is_err(), "cut to {length} bytes");
        assert_eq!(wrapped, before);
    }
    let absurd = [u64::MAX.to_le_bytes().as_slice(), b"{}"].concat();
    assert!(wrapped.restore(&absurd).is_err());
    assert_eq!(wrapped, before);
}

fn is_forgotten(answer: &Answer) -> bool {
    matches!(answer, Answer::Error(refusal) if refusal.code == ErrorCode::Internal)
}

#[test]
fn answers_of_the_quietest_clients_are_forgotten_but_no_retry_is_applied_again() {
    // The values are "a", "ab"…: 1, 2, 3 and 4 bytes, beside what each answer takes.
    let limit = 7 + 3 * size_of::<Option<String>>();
    let mut wrapped = ExactlyOnce::remembering(Store::default(), limit);
    for (client, value) in [("c1", "a"), ("c2", "b"), ("c3", "c")] {
        wrapped.apply(&append(client, 1, value));
    }
    assert_eq!(wrapped.apply(&append("c1", 1, "a")), value("a"), "6 bytes are within the limit");
    wrapped.apply(&append("c4", 1, "d"));
    let before = wrapped.clone();
    for client in ["c1", "c2"] {
        assert!(is_forgotten(&wrapped.apply(&append(client, 1, "x"))), "{client}");
    }
    assert_eq!(wrapped.apply(&append("c3", 1, "c")), value("abc"));
    assert_eq!(wrapped.apply(&append("c4", 1, "d")), value("abcd"));
    assert_eq!(wrapped, before, "no retry was applied again");
    // Whoever is heard of again is the last to be forgotten, though its answer alone is longer than the limit.
    let long = "e".repeat(limit);
    for _ in 0..2 {
        assert_eq!(wrapped.apply(&append("c1", 2, &long)), value(&format!("abcd{long}")));
    }
    assert!(is_forgotten(&wrapped.apply(&append("c4", 1, "d"))));
}

/// Results of reads of what is not there have no bytes of their own, and are many.
#[test]
fn answers_of_empty_results_count_too() {
    let reads = |client: &str| {
        let read = |number| MicroOperation::Read(format!("missing{number}"));
        let mut ops: Vec<MicroOperation> = (0..100).map(read).collect();
        ops.push(MicroOperation::Write("x".to_owned(), "1".to_owned()));
        Request { client: client.to_owned(), seq: 1, op: Operation::Txn { guards: [].into(), ops } }
    };
    let mut wrapped = ExactlyOnce::remembering(Store::default(), 1000);
    wrapped.apply(&reads("c1"));
    wrapped.apply(&reads("c2"));
    assert!(is_forgotten(&wrapped.apply(&reads("c1"))));
    assert!(matches!(wrapped.apply(&reads("c2")), Answer::Ok(_)));
}

#[test]
fn a_restored_replica_forgets_what_the_others_forget() {
    let limit = 9 + 3 * size_of::<Option<String>>();
    let mut wrapped = ExactlyOnce::remembering(Store::default(), limit);
    for number in 0..5 {
        wrapped.apply(&append(&format!("c{}", 5 - number), 1, "x"));
    }
    let mut restored = ExactlyOnce::remembering(Store::default(), limit);
    restored.restore(&wrapped.snapshot()).unwrap();
    assert_eq!(restored, wrapped);
    for number in 0..5 {
        let request = append(&format!("d{number}"), 1, "");
        assert_eq!(restored.apply(&request), wrapped.apply(&request));
        assert_eq!(restored, wrapped);
    }
}
