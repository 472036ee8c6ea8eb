//! Small histories of lists: what is found, what is not, and how it is explained.

use history::Verdict;
use isolation::{
    Consistency, Datatype, History, MicroOp, Options, Outcome, Report, Seen, Transaction, check,
    notation,
};

fn report(text: &str) -> Report {
    let (datatype, transactions) = notation::parse(text).expect("a history");
    check(
        &History::from_transactions(datatype, &transactions).expect("fitting reads"),
        &Options::default(),
    )
}

fn found(report: &Report) -> Vec<String> {
    report.anomalies.iter().map(|finding| finding.anomaly.name()).collect()
}

#[test]
fn each_anomaly_is_found_by_its_name() {
    for (text, expected) in [
        ("ax1 ay1 / rx1 ry1", &[][..]),
        ("rx_ ax1 / rx1 ax2 / rx12", &[]),
        ("ax1 ay2 / ax2 ay1 / rx12 / ry12", &["G0"]),
        ("ax1 ry1 / ay1 rx1", &["G1c"]),
        ("ax1 ay1 / rx1 ry_", &["G-single-item"]),
        ("ax1 ry_ / ay1 rx_", &["G2-item"]),
        ("ax1 / ay1 / rx1 ry_ / rx_ ry1", &["G-nonadjacent-item"]),
        ("[ax1] [rx_] / rx1", &["G-single-item-process"]),
        ("[ax1]\n      [rx_]\nrx1", &["G-single-item-realtime"]),
        ("rx_ ax1 / rx_ ax2 / rx12", &["G-single-item", "lost-update"]),
        ("rx_ ax1 / rx_ ax2", &["G2-item", "lost-update"]),
        ("ax1 ! / rx1", &["G1a"]),
        ("ax1 ! / ax2 / rx12", &["G1a", "dirty-update"]),
        ("ax1 ax2 / rx1 / rx12", &["G-single-item", "G1b"]),
        ("ax1 rx_", &["internal"]),
        ("rx_ rx1 / ax1", &["G-single-item", "internal"]),
        ("rx1 ax1", &["future-read"]),
        ("ax1 / rx1,1", &["duplicate-elements"]),
        ("ax1 / ax2 / rx12 / rx21", &["incompatible-order"]),
        ("rx3", &["garbage-read"]),
    ] {
        assert_eq!(found(&report(text)), expected, "{text}");
    }
}

#[test]
fn what_is_in_doubt_counts_only_where_it_was_seen() {
    assert_eq!(found(&report("ax1 ? / rx1 ry_")), [""; 0]);
    assert_eq!(found(&report("ax1 ay1 ? / rx_ ry_")), [""; 0]);
    // One append shows that the other happened, too.
    assert_eq!(found(&report("ax1 ay1 ? / rx1 ry_")), ["G-single-item"]);
    // It may take effect at any time after its call.
    assert_eq!(found(&report("[ax1]?\n      [rx_] [rx1]")), [""; 0]);
    assert_eq!(found(&report("     [ax1]?\n[rx1]")), ["G1c-realtime"]);
}

/// Of a cycle of three or four, the steps in the middle once had no reason in the sentence.
#[test]
fn the_sentence_of_a_short_cycle_gives_the_reason_of_each_step() {
    let report = report("ax1 / ay1 / rx1 ry_ / rx_ ry1");
    let sentence = &report.anomalies[0].sentence;
    assert_eq!(sentence.matches(", because ").count(), 4, "{sentence}");
    for step in ["T1 must come before T2", "T2 must come before T3", "Yet T4 must come before T1"] {
        assert!(sentence.contains(step), "{sentence}");
    }
}

#[test]
fn an_explanation_gives_the_reason_of_each_edge() {
    let report = report("ax1 ay1 / rx1 ry_");
    let [finding] = report.anomalies.as_slice() else { panic!("{report:#?}") };
    assert_eq!(
        finding.explanation().join("\n"),
        "T1 = event 0, process 0: append 23 1, append 24 1\n\
         T2 = event 1, process 1: r 23 [1], r 24 []\n\
         T1 < T2, because T1 appended 1 to 23 and T2 read [1].\n\
         However, T2 < T1, because T2 read [] in 24, without T1's 1: a contradiction!"
    );
    let steps: Vec<_> = finding
        .steps
        .iter()
        .map(|step| (step.from, step.to, step.dependency.to_string(), step.from_micro_op))
        .collect();
    assert_eq!(steps, [(0, 1, "wr".to_owned(), Some(0)), (1, 0, "rw".to_owned(), Some(1))]);
    assert_eq!(finding.transactions, [0, 1]);
}

#[test]
fn only_what_the_consistency_forbids_is_a_violation() {
    let (datatype, transactions) = notation::parse("ax1 ry_ / ay1 rx_").unwrap();
    let history = History::from_transactions(datatype, &transactions).unwrap();
    let verdict = |consistency| {
        check(&history, &Options { consistency, ..Options::default() }).check_result().verdict
    };
    assert_eq!(verdict(Consistency::Serializable), Verdict::Violation);
    assert_eq!(verdict(Consistency::SnapshotIsolation), Verdict::Valid);
}

#[test]
fn nothing_tested_and_values_written_twice_are_inconclusive() {
    assert_eq!(report("ax1 / ay1").verdict, Verdict::Inconclusive);
    let twice = report("ax1 / ax1 / rx1");
    assert_eq!(twice.verdict, Verdict::Inconclusive);
    assert!(twice.sentence.contains("events 0 and 1 both write 1"), "{}", twice.sentence);
    // A retry of what failed is not the same value twice.
    assert_eq!(report("ax1 ! / ax1 / rx1").verdict, Verdict::Valid);
}

/// A thousand clients read nothing in x and append to it, which nobody sees: a million rw edges, through one hub.
#[test]
fn many_unobserved_appends_stay_linear() {
    let transaction = |process: u32| Transaction {
        process: process.into(),
        call: process.into(),
        ret: Some(2000 + u64::from(process)),
        call_ns: 0,
        return_ns: Some(1),
        outcome: Outcome::Ok,
        micro_ops: vec![
            MicroOp::Read { key: 0, seen: Seen::List(Vec::new()) },
            MicroOp::Write { key: 0, value: process },
        ],
    };
    let transactions: Vec<_> = (0..1000).map(transaction).collect();
    let history = History::from_transactions(Datatype::ListAppend, &transactions).unwrap();
    let report = check(&history, &Options::default());
    assert_eq!(report.statistics.largest_component, 1000);
    assert!(report.statistics.edges < 10_000, "{:?}", report.statistics);
    let cycle = &report.anomalies[0];
    assert_eq!((cycle.anomaly.name().as_str(), cycle.transactions.len()), ("G2-item", 2));
}

/// Readers before, appenders after: each reader leads to the hub, and one of them back.
#[test]
fn nobody_depends_on_itself_through_a_hub() {
    let readers = "[rx_]\n".repeat(100);
    let appenders: String = (1..100).map(|i| format!("      [ax{i}]\n")).collect();
    assert_eq!(found(&report(&format!("{readers}{appenders}[rx_ ax100]"))), [""; 0]);
}

/// Found against brute force: read uncommitted allows it, for in Adya's order of versions only the last append counts.
#[test]
fn an_append_between_two_of_another_transaction_is_no_write_cycle() {
    let report = report("ax1 ax2 / ax3 / rx132");
    assert_eq!(found(&report), ["G1c"]);
    assert_eq!(
        report.anomalies[0].steps[0].sentence(),
        "T1 < T2, because T1 appended 1 to 23 and T2 then 3: [1 3 2] was read"
    );
}
