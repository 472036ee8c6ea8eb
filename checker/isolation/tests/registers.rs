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

/// Round after round so many write at once, and as many read what they write. Once each version was paired with each of
/// the round before.
#[test]
fn versions_of_many_clients_at_a_time_stay_linear() {
    let edges = |clients: u32| {
        let transaction = |round: u32, process: u32, micro_op| Transaction {
            process: process.into(),
            call: (round * 10_000 + process).into(),
            ret: Some((round * 10_000 + 5_000 + process).into()),
            call_ns: 0,
            return_ns: Some(0),
            outcome: Outcome::Ok,
            micro_ops: vec![micro_op],
        };
        let mut transactions = Vec::new();
        for (round, client) in
            (0..4000 / clients).flat_map(|round| (0..clients).map(move |client| (round, client)))
        {
            let (key, value) = (0, round * clients + client);
            let seen = Seen::Register(Some(value));
            transactions.push(transaction(round, client, MicroOp::Write { key, value }));
            transactions.push(transaction(round, clients + client, MicroOp::Read { key, seen }));
        }
        let history = History::from_transactions(Datatype::Register, &transactions);
        let report = check(&history, &Options::default());
        assert_eq!(found(&report), [""; 0]);
        report.statistics.edges
    };
    let (some, more) = (edges(100), edges(1000));
    assert!(more < 2 * some, "{some} edges of 100 clients, {more} of 1000");
}
