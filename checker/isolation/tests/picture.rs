//! The picture of a cycle.

use history::{Event, EventKind, Process};
use isolation::{Datatype, Finding, History, Options, check, notation};
use serde_json::{Value, json};

fn first(history: &History) -> Finding {
    check(history, &Options::default()).anomalies.remove(0)
}

fn drawn(text: &str) -> String {
    let (datatype, transactions) = notation::parse(text).expect("a history");
    first(&History::from_transactions(datatype, &transactions)).svg()
}

#[test]
fn a_cycle_has_a_box_for_each_transaction_and_an_arrow_for_each_edge() {
    let svg = drawn("ax1 / rx1 ay1 / ry1 rx_");
    assert_eq!(svg.matches("<rect class=\"t\"").count(), 3);
    assert_eq!(svg.matches("marker-end").count(), 3);
    for label in [">wr 23<", ">wr 24<", ">rw 23<"] {
        assert!(svg.contains(label), "{label} in {svg}");
    }
    if let Ok(folder) = std::env::var("BENCH_PICTURES") {
        for (name, text) in [
            ("two", "ax1 ay1 / rx1 ry_"),
            ("three", "ax1 / rx1 ay1 / ry1 rx_"),
            ("six", "ax1 / rx1 ay1 / ry1 az1 / rz1 aw1 / rw1 av1 / rv1 rx_"),
            ("none", "ax1 ! / rx1 ay1 ay2 ay3 az4 rz4"),
        ] {
            std::fs::write(format!("{folder}/{name}.svg"), drawn(text)).unwrap();
        }
    }
}

#[test]
fn names_are_escaped() {
    let evil = "</text><script>alert('x')</script>&\u{1}";
    let event = |index: u64, process: u64, kind: EventKind, value: Value| Event {
        index,
        time_ns: index,
        process: Process::Client(process),
        kind,
        f: "txn".to_owned(),
        value,
        error: None,
        node: None,
    };
    let events = [
        (0, 0, EventKind::Invoke, json!([["append", evil, evil], ["append", "y", 1]])),
        (1, 1, EventKind::Invoke, json!([["r", evil, null], ["r", "y", null]])),
        (2, 0, EventKind::Ok, json!([["append", evil, evil], ["append", "y", 1]])),
        (3, 1, EventKind::Ok, json!([["r", evil, [evil]], ["r", "y", []]])),
    ];
    let events = events.map(|(index, process, kind, value)| event(index, process, kind, value));
    let operations = history::operations(&events).unwrap();
    let finding = first(&History::from_operations(Datatype::ListAppend, &operations).unwrap());
    let explanation = finding.explanation();
    assert!(explanation.contains("<script") && !explanation.contains('\u{1}'), "{explanation}");
    let svg = finding.svg();
    assert!(!svg.contains("<script") && !svg.contains('\u{1}'), "{svg}");
}
