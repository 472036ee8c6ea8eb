//! Pairing, and the premises it checks.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use history::{Completion, Event, EventKind, Operation, PairError, operations, read_edn};
use serde_json::json;

/// A history in a line: `3 invoke get`, separated by commas; indices count from 10.
fn events(text: &str) -> Vec<Event> {
    let map = |(i, line): (usize, &str)| {
        let [process, kind, f]: [&str; 3] =
            line.split_whitespace().collect::<Vec<_>>().try_into().unwrap();
        format!(
            "{{:index {} :time {} :process {process} :type :{kind} :f :{f} :value {i}}}",
            i + 10,
            i * 100
        )
    };
    let edn: String = text.split(',').enumerate().map(map).collect();
    read_edn(edn.as_bytes()).unwrap()
}

fn error(text: &str) -> PairError {
    operations(&events(text)).unwrap_err()
}

#[test]
fn invocations_meet_their_completions() {
    let operations = operations(&events(
        "1 invoke put, 2 invoke get, :nemesis info kill, 2 fail get, 1 ok put, 1 invoke cas, 1 info cas, 3 invoke put",
    ))
    .unwrap();
    let expected = [
        (10, 1, Completion::Ok(14, json!(4)), Some(400)),
        (11, 2, Completion::Fail(13, None), Some(300)),
        (15, 1, Completion::Info(None), None),
        (17, 3, Completion::Info(None), None),
    ];
    let found: Vec<_> = operations
        .into_iter()
        .map(|Operation { call, process, completion, return_ns, .. }| {
            (call, process, completion, return_ns)
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn an_operation_belongs_to_the_phase_it_began_in() {
    let mut events = events(
        "1 invoke get, :harness info phase, 1 ok get, 1 invoke get, :harness info phase, 1 ok get, 1 invoke get",
    );
    events[1].value = json!("main");
    events[4].value = json!(":final");
    let phases: Vec<String> = operations(&events).unwrap().into_iter().map(|o| o.phase).collect();
    assert_eq!(phases, ["", "main", "final"]);
}

#[test]
fn broken_premises_are_named() {
    let f = || "get".to_owned();
    assert_eq!(
        error("1 invoke get, 1 invoke get"),
        PairError::Overlap { index: 11, process: 1, f: f(), open: 10 }
    );
    assert_eq!(error("1 ok get"), PairError::NotInvoked { index: 10, process: 1, f: f() });
    assert_eq!(
        error("1 invoke get, 1 ok get, 1 ok get"),
        PairError::NotInvoked { index: 12, process: 1, f: f() }
    );
    assert_eq!(
        error("1 invoke get, 1 info get, 1 invoke get"),
        PairError::UsedAfterInfo { index: 12, process: 1, info: 11 }
    );
    assert_eq!(
        error("1 invoke get, 1 info get, 1 ok get"),
        PairError::UsedAfterInfo { index: 12, process: 1, info: 11 }
    );
    let put = "put".to_owned();
    assert_eq!(
        error("1 invoke put, 1 ok get"),
        PairError::OtherFunction { index: 11, process: 1, f: f(), invoked: put, open: 10 }
    );
    let mut twice = events("1 invoke get, 1 ok get");
    twice[1].index = 10;
    let error = operations(&twice).unwrap_err();
    assert_eq!(error, PairError::Order { index: 10, previous: 10 });
    assert_eq!(error.to_string(), "event 10: its index 10 follows index 10: indices must increase");
    assert_eq!(twice[0].kind, EventKind::Invoke);
}
