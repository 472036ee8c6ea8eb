//! Small histories of registers: what is found, what is not, and how it is explained.

mod common;

use common::by_hand::{read, rounds, transaction, write};
use history::Verdict;
use isolation::{
    Consistency, Datatype, History, MicroOp, Options, Report, Seen, Transaction, check, notation,
};

fn report(text: &str) -> Report {
    let (datatype, transactions) = notation::parse(text).expect("a history");
    check(
        &History::from_transactions(datatype, &transactions).expect("fitting reads"),
        &Options::default(),
    )
}

fn registers(transactions: &[Transaction]) -> Report {
    registers_at(transactions, Consistency::StrictSerializable)
}

fn registers_at(transactions: &[Transaction], consistency: Consistency) -> Report {
    check(
        &History::from_transactions(Datatype::Register, transactions).expect("fitting reads"),
        &Options { consistency, ..Options::default() },
    )
}

fn found(report: &Report) -> Vec<String> {
    report.anomalies.iter().map(|finding| finding.anomaly.name()).collect()
}

#[test]
fn a_read_that_saw_what_such_a_key_cannot_hold_is_refused() {
    let read = |datatype, seen| {
        let micro_ops = vec![MicroOp::Read { key: 0, seen }];
        History::from_transactions(datatype, &[transaction(0, 3, 4, micro_ops)])
            .map(|read| read.len())
    };
    let (list, register) = (Seen::List(vec![1]), Seen::Register(None));
    assert_eq!(read(Datatype::ListAppend, list.clone()), Ok(1));
    assert_eq!(read(Datatype::Register, register.clone()), Ok(1));
    assert_eq!(read(Datatype::Register, list).unwrap_err().index, 3);
    assert_eq!(read(Datatype::ListAppend, register).unwrap_err().index, 3);
}

#[test]
fn each_anomaly_is_found_by_its_name() {
    for (text, expected) in [
        ("wx1 wy1 / rx1 ry1", &[][..]),
        ("rx_ wx1 / rx1 wx2 / rx2", &[]),
        // Whichever of 1 and 2 comes first, the reader saw too much of one and too little of the other.
        ("wx1 wy2 / wx2 wy1 / rx1 ry1", &["G-nonadjacent-item"]),
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
        // What the read between returned does not matter.
        ("wx1 rx rx2 / wx2", &["internal"]),
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
         0.000004 s). Yet T2 must come before T1, because T2 read 1 in 23, without T1's 2: of two transactions one after \
         the other, that of event 0 wrote 1 and that of event 2 wrote 2."
    );
    // Those who show the order of the two versions are part of the proof.
    assert_eq!(stale.check_result().violations[0].operations, [2, 4, 0]);
    let own = report("[wx1] [wx2] [rx1]");
    assert_eq!(found(&own), ["G-single-item-process"]);
    assert_eq!(own.models.violated, [Consistency::StrongSessionSnapshotIsolation]);
    // Time gives the order of x, and y makes a cycle of it.
    let fractured = report("[wx1]\n      [wx2 wy2]\n rx1 ry2");
    assert_eq!(found(&fractured), ["G-single-item-realtime"]);
    // Two read what two wrote, one after the other.
    let crossed = report("wx1 wy2\nwx2 wy1\n[rx1]\n      [rx2]\n[ry1]\n      [ry2]");
    assert_eq!(found(&crossed), ["G-single-item-realtime", "G-nonadjacent-item-realtime"]);
    assert!(
        crossed.anomalies[0]
            .sentence
            .contains("T1 wrote 1 to 23 and T2 then 2: of two transactions one after"),
        "{}",
        crossed.anomalies[0].sentence
    );
}

/// Once each version was paired with each of the round before.
#[test]
fn versions_of_many_clients_at_a_time_stay_linear() {
    let edges = |clients: u32| {
        // Of the strongest level an order shows the same without them.
        let consistency = Consistency::StrongSnapshotIsolation;
        let report = registers_at(&rounds(4000 / clients, clients), consistency);
        assert_eq!(found(&report), [""; 0]);
        report.statistics.edges
    };
    let (some, more) = (edges(100), edges(1000));
    assert!(more < 2 * some, "{some} edges of 100 clients, {more} of 1000");
}

/// Once nothing told that the rest was not compared.
#[test]
fn of_too_many_versions_at_a_time_not_all_are_ordered_and_the_report_says_so() {
    let ordered = crowd(64);
    assert_eq!(found(&ordered), ["G-single-item-realtime"]);
    assert_eq!(ordered.notes, Vec::<String>::new());
    let crowded = crowd(65);
    // The sweep does not compare the two; the search for an order does.
    assert_eq!(crowded.verdict, Verdict::Violation, "{}", crowded.sentence);
    assert_eq!(found(&crowded), ["G-nonadjacent-item-realtime"]);
    let start = "Key 7 had more than 64 versions next to each other in time, of which only 64";
    assert!(crowded.notes[0].starts_with(start), "{:?}", crowded.notes);
    assert_eq!(crowded.models.violated, [Consistency::StrongSnapshotIsolation]);
}

/// So many versions of 7 are written at once. While the next is written, and 8 with it, somebody reads the first of them
/// and the new 8: only time shows that it missed the new 7.
fn crowd(versions: u32) -> Report {
    let at = u64::from;
    let one = |value| transaction(at(value), at(value), 1000 + at(value), vec![write(7, value)]);
    let mut transactions: Vec<_> = (0..versions).map(one).collect();
    let next = vec![write(7, versions), write(8, 1)];
    transactions.push(transaction(1000, 2000, 2500, next));
    transactions.push(transaction(1001, 2001, 2501, vec![read(7, 0), read(8, 1)]));
    registers(&transactions)
}

#[test]
fn of_too_many_that_follow_in_their_processes_not_all_are_ordered_and_the_report_says_so_too() {
    for (processes, notes) in [(64, 0), (65, 1)] {
        let report = followers(processes);
        assert_eq!(
            (found(&report), report.notes.len()),
            (vec!["G-single-item-process".to_owned()], notes)
        );
        assert!(
            report.notes.iter().all(|note| note.starts_with("Key 7 had more than 64")),
            "{report:?}"
        );
    }
}

/// So many processes read 0 in 7 and then write a version of their own, all of which somebody misses who saw what came
/// with them.
fn followers(processes: u32) -> Report {
    let mut transactions = vec![transaction(1000, 0, 1, vec![write(7, 0)])];
    let mut missing = vec![read(7, 0)];
    for number in 1..=processes {
        let (process, own) = (u64::from(number), 7 + number);
        let (first, second) = (10 * process, 1000 + process);
        transactions.push(transaction(process, first, first + 1, vec![read(7, 0)]));
        let writes = vec![write(7, number), write(own, 1)];
        transactions.push(transaction(process, second, second + 5000, writes));
        missing.push(read(own, 1));
    }
    transactions.push(transaction(1001, 2000, 9000, missing));
    registers(&transactions)
}
