//! The memory limit holds for the whole process. A binary of its own: other tests would count too.

use history::Verdict;
use isolation::{Datatype, History, MicroOp, Options, Outcome, Report, Seen, Transaction, check};

/// So many write at once, and as many read what they write.
const CLIENTS: u32 = 64;
const ROUNDS: u32 = 600;

/// Resident memory at its greatest so far.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("it tells the peak");
    let digits = line.split_whitespace().nth(1).expect("it tells a number");
    1024 * digits.parse::<u64>().expect("it tells a number")
}

/// Round after round of one key: each version follows all of the round before in time, and nothing else tells.
fn crowded(last_read: u32) -> History {
    let transaction = |round: u32, process: u32, micro_op| Transaction {
        process: process.into(),
        call: (round * 10_000 + process).into(),
        ret: Some((round * 10_000 + 5_000 + process).into()),
        call_ns: 0,
        return_ns: Some(0),
        outcome: Outcome::Ok,
        micro_ops: vec![micro_op],
    };
    let read = |value| MicroOp::Read { key: 0, seen: Seen::Register(Some(value)) };
    let mut transactions = Vec::new();
    for round in 0..ROUNDS {
        for client in 0..CLIENTS {
            let value = round * CLIENTS + client;
            transactions.push(transaction(round, client, MicroOp::Write { key: 0, value }));
            transactions.push(transaction(round, CLIENTS + client, read(value)));
        }
    }
    transactions.push(transaction(ROUNDS, 0, read(last_read)));
    History::from_transactions(Datatype::Register, &transactions)
}

/// Checks with ever more memory until it suffices. What did not is said, and hardly more was taken.
fn until_enough(history: &History) -> (u64, Report) {
    let before = peak_bytes();
    for limit_mb in [4, 8, 16, 32, 64, 128, 256, 512, 1024] {
        let limit = limit_mb * 1_000_000;
        let report = check(history, &Options { memory_bytes: limit, ..Options::default() });
        let grown = peak_bytes() - before;
        println!("{limit_mb} MB allowed, {} MB taken: {}", grown / 1_000_000, report.sentence);
        assert!(grown <= limit * 5 / 4, "{grown} bytes more than before, {report:?}");
        let refused = format!("more than {limit_mb} MB of memory");
        if !report.notes.iter().any(|note| note.contains(&refused)) {
            return (limit_mb, report);
        }
        assert_eq!(report.models.standing, [], "{report:?}");
        assert!(report.verdict != Verdict::Valid, "{report:?}");
    }
    panic!("a gigabyte does not suffice");
}

/// Once the orders of versions, sixty and more for each, were outside the limit, and so were components: here all is one.
#[test]
fn a_check_stays_near_its_limit() {
    let (limit_mb, report) = until_enough(&crowded(0));
    assert_eq!(report.verdict, Verdict::Violation, "{report:?}");
    assert!(report.statistics.largest_component > 70_000, "{report:?}");
    assert!(limit_mb > 128, "{limit_mb} MB were enough: nothing was refused");
    let right = check(&crowded(ROUNDS * CLIENTS - 1), &Options::default());
    assert_eq!(right.verdict, Verdict::Valid, "{right:?}");
}
