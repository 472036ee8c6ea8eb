//! Small histories of registers: what is found, what is not, and how it is told.

use isolation::{
    Consistency, Datatype, History, MicroOp, Options, Outcome, Report, Seen, Transaction, check,
    notation,
};

fn report(text: &str) -> Report {
    let (datatype, transactions) = notation::parse(text).expect("a history");
    check(&History::from_transactions(datatype, &transactions), &Options::default())
}

fn found(report: &Report) -> Vec<String> {
    report.anomalies.iter().map(|finding| finding.anomaly.name()).collect()
}

#[test]
fn each_anomaly_is_found_by_its_name() {
    for (text, expected) in [
        ("wx1 wy1 / rx1 ry1", &[][..]),
        ("rx_ wx1 / rx1 wx2 / rx2", &[]),
        // Without reads nothing is known of the order of 1 and 2.
        ("wx1 wy2 / wx2 wy1 / rx1 ry1", &[]),
        ("wx1 ry1 / wy1 rx1", &["G1c"]),
        ("wx1 wy1 / rx1 ry_", &["G-single-item"]),
        ("wx1 ry_ / wy1 rx_", &["G2-item"]),
        ("wx1 / wy1 / rx1 ry_ / rx_ ry1", &["G-nonadjacent-item"]),
        ("[wx1] [rx_] / rx1", &["G-single-item-process"]),
        ("[wx1]\n      [rx_]\nrx1", &["G-single-item-realtime"]),
        ("rx_ wx1 / rx_ wx2", &["G2-item", "lost-update"]),
        ("wx1 / rx1 wx2 / rx1 wx3", &["G2-item", "lost-update"]),
        ("wx1 ! / rx1", &["G1a"]),
        ("wx1 ! / rx1 wx2", &["G1a", "dirty-update"]),
        ("wx1 wx2 / rx1", &["G1b"]),
        ("wx1 rx_", &["internal"]),
        ("wx1 / wx2 / rx1 rx2", &["internal"]),
        ("rx1 wx1", &["future-read"]),
        ("wx1 / rx3", &["garbage-read"]),
        // The reader of 1 missed 2, which replaced it.
        ("[wx1]\n      [rx1 wx2]\n                [rx1]", &["G-single-item-realtime"]),
    ] {
        assert_eq!(found(&report(text)), expected, "{text}");
    }
}

/// Once a stale read was called a contradiction of the key's versions, which rules out every level: most allow it.
#[test]
fn time_tells_the_order_of_versions_where_the_level_respects_it() {
    let stale = report("[wx1]\n      [wx2]\n            [rx1]");
    assert_eq!(found(&stale), ["G-single-item-realtime"]);
    assert_eq!(stale.models.violated, [Consistency::StrongSnapshotIsolation]);
    assert_eq!(
        stale.anomalies[0].sentence,
        "T1 must come before T2, because T1 had returned (event 3, at 0.000003 s) before T2 was invoked (event 4, at \
         0.000004 s). Yet T2 must come before T1, because T2 read 1 in 23, without T1's 2: the transaction of event 0 left \
         1, and that of event 2, which came after it, found 2."
    );
    let own = report("[wx1] [wx2] [rx1]");
    assert_eq!(found(&own), ["G-single-item-process"]);
    assert_eq!(own.models.violated, [Consistency::StrongSessionSnapshotIsolation]);
    // Time gives the order of x, and y makes a cycle of it.
    let fractured = report("[wx1]\n      [wx2 wy2]\n rx1 ry2");
    assert_eq!(found(&fractured), ["G-single-item-realtime"]);
    // Two read what two wrote, one after the other.
    let crossed = report("wx1 wy2\nwx2 wy1\n[rx1]\n      [rx2]\n[ry1]\n      [ry2]");
    assert_eq!(found(&crossed), ["G-single-item-realtime"]);
    assert!(
        crossed.anomalies[0]
            .sentence
            .contains("T1 wrote 1 to 23 and T2 then 2: the transaction of"),
        "{}",
        crossed.anomalies[0].sentence
    );
}

/// Once each of so many at a time was paired with each of those before.
#[test]
fn versions_of_many_clients_at_a_time_stay_linear() {
    let write = |at: u32, process: u32| Transaction {
        process: process.into(),
        call: (at * 1000 + process).into(),
        ret: Some((at * 1000 + 500 + process).into()),
        call_ns: 0,
        return_ns: Some(0),
        outcome: Outcome::Ok,
        micro_ops: vec![MicroOp::Write { key: 0, value: at * 1000 + process }],
    };
    let edges = |clients: u32| {
        let rounds = 4000 / clients;
        let writes = (0..rounds).flat_map(|at| (0..clients).map(move |process| write(at, process)));
        // Each value is read again at the end, so that all orders matter.
        let reads = (0..rounds * clients).map(|i| {
            let value = i / clients * 1000 + i % clients;
            let micro_ops = vec![MicroOp::Read { key: 0, seen: Seen::Register(Some(value)) }];
            Transaction { micro_ops, ..write(rounds + i, 0) }
        });
        let history: Vec<_> = writes.chain(reads).collect();
        check(&History::from_transactions(Datatype::Register, &history), &Options::default())
            .statistics
            .edges
    };
    let (some, more) = (edges(40), edges(400));
    assert!(more < 4 * some, "{some} edges of 40 clients, {more} of 400");
}
