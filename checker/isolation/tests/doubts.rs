//! What cannot be known is neither an anomaly nor all right. Each of these was once called one or the other.

mod common;

use common::by_hand::event;
use history::{EventKind, Verdict};
use isolation::{Consistency, Datatype, History, Options, Report, check, notation};
use serde_json::{Value, json};

fn report(text: &str, consistency: Consistency) -> Report {
    let (datatype, transactions) = notation::parse(text).expect("a history");
    let options = Options { consistency, ..Options::default() };
    check(&History::from_transactions(datatype, &transactions).expect("fitting reads"), &options)
}

/// Two wrote 1: the updates that read it may each have read another one's.
#[test]
fn an_update_of_a_value_that_two_wrote_is_not_called_lost() {
    let text = "[wx1] [rx1 wx2] [wx1] [rx1 wx3]";
    assert_eq!(report(text, Consistency::StrictSerializable).verdict, Verdict::Inconclusive);
}

/// A fractured read breaks read atomic, but no cycle of its own shows it.
#[test]
fn a_level_that_is_not_searched_for_in_full_is_never_called_kept() {
    for level in ["read-atomic", "prefix", "linearizable", "cursor-stability"] {
        let verdict = report("ax1 ay1 / rx1 ry_", level.parse().unwrap()).verdict;
        assert_eq!(verdict, Verdict::Inconclusive, "{level}");
    }
    for level in ["read-committed", "read-uncommitted"] {
        let verdict = report("ax1 ay1 / rx1 ry_", level.parse().unwrap()).verdict;
        assert_eq!(verdict, Verdict::Valid, "{level}");
    }
}

/// Keys that nobody wrote, one's own writes, writes that failed: nobody looked where another one may have written.
#[test]
fn where_nobody_sees_another_one_nothing_is_tested_and_nothing_stands() {
    let lists = [
        "rx_",
        "ax1 / ry_",
        "ax1 ! / rx_",
        "[ax1]! [rx_]",
        "[ax1]! /       [rx_]",
        "ax1 rx1",
        "rx_ ax1 rx1",
        "rx_ ax1 rx1 ax2 rx12",
        "ax1 / rx rx1",
    ];
    let registers = [
        "wx1",
        "wx1 ! / rx_",
        "wx1 rx1",
        "[wx1 rx1] / [wx2 rx2]",
        "rx_ wx1 rx1 wx2 rx2",
        "wx1 / rx rx1",
        "wx1 ry1 ? / wy1 rx1 ?",
    ];
    for text in lists.into_iter().chain(registers) {
        let report = report(text, Consistency::Serializable);
        assert_eq!(report.verdict, Verdict::Inconclusive, "{text}");
        assert_eq!(report.anomalies, [], "{text}");
        assert_eq!(report.models.standing, [], "{text}");
    }
    for text in ["ax1 / rx1", "rx_ wx1 / wx2 ?"] {
        assert_eq!(report(text, Consistency::Serializable).verdict, Verdict::Valid, "{text}");
    }
}

fn refused(datatype: Datatype, invoked: Value, kind: EventKind, completed: Value) -> bool {
    let events = [event(0, EventKind::Invoke, invoked), event(1, kind, completed)];
    let operations = history::operations(&events).expect("an invocation and its completion");
    History::from_operations(datatype, &operations).is_err()
}

/// Passed over, its writes would be missing, and whoever saw them would be accused of a garbage read.
#[test]
fn a_transaction_that_does_not_say_what_it_did_is_no_history() {
    let append = json!([["append", "x", 1]]);
    let lists = |invoked, kind, completed| refused(Datatype::ListAppend, invoked, kind, completed);
    assert!(lists(append.clone(), EventKind::Ok, Value::Null));
    assert!(lists(Value::Null, EventKind::Info, Value::Null));
    assert!(!lists(append.clone(), EventKind::Info, Value::Null));
    assert!(!lists(append, EventKind::Fail, Value::Null));
}

/// Nil is the version before the first write: written, it would stand for two.
#[test]
fn nil_cannot_be_written() {
    for write in [json!([["w", "x", null]]), json!([["w", "x"]])] {
        assert!(refused(Datatype::Register, write.clone(), EventKind::Ok, write));
    }
}
