//! The memory limit holds for the whole process. A binary of its own: other tests would count too.

mod common;

use common::by_hand::{read, rounds, transaction};
use history::{Limits, Verdict};
use isolation::{Datatype, History, Options, Report, check};

const CLIENTS: u32 = 64;
const ROUNDS: u32 = 600;

/// Resident memory at its greatest so far.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("it tells the peak");
    let digits = line.split_whitespace().nth(1).expect("it tells a number");
    1024 * digits.parse::<u64>().expect("it tells a number")
}

/// Each version follows all of the round before in time, and nothing else tells.
fn crowded(last_read: u32) -> History {
    let mut transactions = rounds(ROUNDS, CLIENTS);
    let end = u64::from(ROUNDS * 10_000);
    transactions.push(transaction(0, end, end + 1, vec![read(0, last_read)]));
    History::from_transactions(Datatype::Register, &transactions).expect("fitting reads")
}

/// Checks with ever more memory until it suffices. What did not is said, and hardly more was taken.
fn until_enough(history: &History) -> (u64, Report) {
    let before = peak_bytes();
    for limit_mb in [4, 8, 16, 32, 64, 128, 256, 512, 1024] {
        let limit = limit_mb * 1_000_000;
        let limits = Limits { memory_bytes: limit, ..Limits::default() };
        let report = check(history, &Options { limits, ..Options::default() });
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
