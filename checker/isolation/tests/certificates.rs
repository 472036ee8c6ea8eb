//! A level that is an order of events is valid where such an order was found, and broken where there is none.

mod common;

use common::by_hand::{read, transaction, write};
use history::Verdict;
use isolation::generate::Synthetic;
use isolation::{Consistency, Datatype, History, Options, Report, Transaction, check, notation};

fn judged(transactions: &[Transaction], consistency: Consistency) -> Report {
    let history =
        History::from_transactions(Datatype::Register, transactions).expect("fitting reads");
    check(&history, &Options { consistency, ..Options::default() })
}

fn report(text: &str, options: &Options) -> Report {
    let (datatype, transactions) = notation::parse(text).expect("a history");
    check(&History::from_transactions(datatype, &transactions).expect("fitting reads"), options)
}

fn at(consistency: Consistency) -> Options {
    Options { consistency, ..Options::default() }
}

/// The first comes before the others, as they read; so 4 came before 7 and 10 before 14. The others are write skew.
const ORDERED_BY_READS: &str = "wx4 wy10 / wx7 ry10 / rx4 wy14";

#[test]
fn a_write_that_comes_first_by_dependencies_is_the_earlier_version() {
    let report = report(ORDERED_BY_READS, &at(Consistency::Serializable));
    assert_eq!(report.verdict, Verdict::Violation, "{}", report.sentence);
    let clearest = report.clearest().expect("a cycle");
    assert_eq!(clearest.anomaly.name(), "G2-item");
    assert_eq!((clearest.size(), clearest.usual_name()), (2, Some("write skew")));
    let known =
        "with 7 before 4 the transactions of events 1 and 0 would have to come before one another";
    assert!(clearest.sentence.contains(known), "{}", clearest.sentence);
    // Snapshot isolation allows it, and the order that shows that was replayed.
    let snapshot = self::report(ORDERED_BY_READS, &at(Consistency::SnapshotIsolation));
    assert_eq!(snapshot.verdict, Verdict::Valid);
    let words = "an order of the starts and commits of all 3 transactions, in line with real time, was found and replayed";
    assert!(snapshot.sentence.contains(words), "{}", snapshot.sentence);
}

#[test]
fn real_time_and_dependencies_together_tell_the_earlier_version() {
    let transactions = [
        transaction(0, 0, 1, vec![write(0, 5)]),
        transaction(3, 2, 8, vec![write(0, 6), write(1, 5)]),
        transaction(1, 3, 4, vec![write(1, 7)]),
        transaction(2, 5, 7, vec![read(0, 5)]),
        transaction(4, 6, 9, vec![read(1, 7), write(1, 8)]),
        transaction(5, 10, 11, vec![read(1, 8)]),
    ];
    let strict = judged(&transactions, Consistency::StrictSerializable);
    assert_eq!(strict.verdict, Verdict::Violation, "{}", strict.sentence);
    let serializable = judged(&transactions, Consistency::Serializable);
    assert_eq!(serializable.verdict, Verdict::Valid, "{}", serializable.sentence);
}

/// Each of the two orders of x is ruled out by itself, so that no order of the writes of one key alone shows it.
#[test]
fn both_orders_of_two_writes_may_be_ruled_out() {
    let report = report("wx1 wy2 / wx2 wy1 / rx1 ry1", &at(Consistency::SnapshotIsolation));
    assert_eq!(report.verdict, Verdict::Violation, "{}", report.sentence);
}

#[test]
fn a_valid_verdict_names_the_order_that_was_replayed() {
    for (text, transactions) in [
        ("wx1 / wx2 / rx1 / rx2", 4),
        ("rx_ wx1 / rx1 wx2 ! / rx1", 2),
        // In doubt: seen it is in the order, not seen it need not be.
        ("wx1 ? / rx1 / wx3", 3),
        ("wx1 ? / rx_ / wx3", 2),
        ("ax1 / ax2 / rx21", 3),
        ("ax1 ay1 ? / rx1 / ax2", 3),
    ] {
        let report = report(text, &Options::default());
        assert_eq!(report.verdict, Verdict::Valid, "{text}: {}", report.sentence);
        let certificate = report.certificate.expect(text);
        assert_eq!(certificate.level, Consistency::StrictSerializable, "{text}");
        assert_eq!(certificate.transactions, transactions, "{text}");
        let words = format!(
            "a serial order of all {transactions} transactions, in line with real time, was found"
        );
        assert!(report.sentence.contains(&words), "{text}: {}", report.sentence);
    }
}

#[test]
fn where_the_limits_do_not_suffice_for_either_the_verdict_is_open() {
    let options = Options { work: 0, ..at(Consistency::Serializable) };
    let report = report(ORDERED_BY_READS, &options);
    assert_eq!(report.verdict, Verdict::Inconclusive, "{}", report.sentence);
    let start =
        "Neither a cycle that serializable forbids nor an order that shows it to hold was found";
    assert!(report.sentence.starts_with(start), "{}", report.sentence);
    assert!(report.certificate.is_none());
    let stands = |model| report.models.standing.iter().any(|other| other.implies(model));
    assert!(!stands(Consistency::Serializable) && !stands(Consistency::RepeatableRead));
}

/// Twenty clients write the same few keys at once, most of them without reading them first.
#[test]
fn long_histories_have_their_order_found() {
    for datatype in Datatype::ALL {
        for seed in 1..4 {
            let synthetic =
                Synthetic { datatype, transactions: 10_000, seed, ..Synthetic::default() };
            let transactions: Vec<_> = synthetic.transactions().collect();
            let history = History::from_transactions(datatype, &transactions).unwrap();
            let report = check(&history, &Options::default());
            assert_eq!(report.verdict, Verdict::Valid, "{datatype:?}, {seed}: {}", report.sentence);
            let certificate = report.certificate.expect("an order");
            assert!(certificate.transactions > 9_000, "{certificate:?}");
        }
    }
}
