//! The picture of a cycle: a box for each transaction, an arrow for each edge.

use history::{Event, EventKind, Process};
use isolation::{Datatype, History, Options, check, notation};
use serde_json::{Value, json};

#[test]
fn a_cycle_has_a_box_for_each_transaction_and_an_arrow_for_each_edge() {
    let (datatype, transactions) = notation::parse("ax1 / rx1 ay1 / ry1 rx_").expect("a history");
    let history = History::from_transactions(datatype, &transactions).unwrap();
    let picture = check(&history, &Options::default()).anomalies.remove(0).picture(3);
    assert_eq!(picture.violation, 3);
    let boxes: Vec<_> = picture.boxes.iter().map(|of| (&*of.title, &*of.text)).collect();
    assert_eq!(
        boxes,
        [
            ("T1 · event 0, process 0", "append 23 1"),
            ("T2 · event 1, process 1", "r 23 [1], append 24 1"),
            ("T3 · event 2, process 2", "r 24 [1], r 23 []"),
        ]
    );
    let arrows: Vec<_> = picture.arrows.iter().map(|arrow| (arrow.from, arrow.to)).collect();
    assert_eq!(arrows, [(0, 1), (1, 2), (2, 0)]);
    let labels = picture.arrows.iter().map(|arrow| (&*arrow.kind, arrow.key.as_deref()));
    let labels: Vec<_> = labels.collect();
    assert_eq!(labels, [("wr", Some("23")), ("wr", Some("24")), ("rw", Some("23"))]);
    assert!(picture.arrows[0].sentence.starts_with("T1 < T2, because "), "{picture:?}");
    assert!(picture.explanation.last().unwrap().ends_with("a contradiction!"), "{picture:?}");
}

#[test]
fn names_hold_nothing_that_a_terminal_would_obey() {
    let evil = "</text><script>alert('x')</script>&\u{1}";
    let event = |index: u64, process: u64, kind: EventKind, value: Value| Event {
        index,
        time_ns: index,
        process: Process::Client(process),
        kind,
        f: "txn".into(),
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
    let history = History::from_operations(Datatype::ListAppend, &operations).unwrap();
    let finding = check(&history, &Options::default()).anomalies.remove(0);
    let explanation = finding.explanation().concat();
    assert!(explanation.contains("<script") && !explanation.contains('\u{1}'), "{explanation}");
    let picture = serde_json::to_string(&finding.picture(0)).unwrap();
    assert!(picture.contains("<script") && !picture.contains("\\u0001"), "{picture}");
}
