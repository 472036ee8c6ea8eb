//! What a check may cost, and that it says so where that was not enough. Work is counted, never timed.

mod common;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use common::by_hand::event;
use history::{EventKind, Limits, Verdict};
use isolation::{Consistency, Datatype, History, Options, Report, check, notation};
use serde_json::json;

fn report(text: &str, options: &Options) -> Report {
    let (datatype, transactions) = notation::parse(text).expect("a history");
    check(&History::from_transactions(datatype, &transactions).expect("fitting reads"), options)
}

/// Pairs of keys as the notation has them, for histories of more than 26: key by key, one after another.
mod many {
    use isolation::{Datatype, History, MicroOp, Seen, Transaction};

    use super::common::by_hand::{self, write as append};

    fn read(key: u32, list: &[u32]) -> MicroOp {
        MicroOp::Read { key, seen: Seen::List(list.to_vec()) }
    }

    /// A transaction of a process of its own.
    fn transaction(call: u64, ret: u64, micro_ops: Vec<MicroOp>) -> Transaction {
        by_hand::transaction(call, call, ret, micro_ops)
    }

    fn history(transactions: &[Transaction]) -> History {
        History::from_transactions(Datatype::ListAppend, transactions).expect("fitting reads")
    }

    /// So many lost updates, one after the other, between a write and a read that misses it.
    pub fn lost_updates(pairs: u32) -> History {
        let mut transactions = vec![transaction(0, 1, vec![append(0, 1)])];
        for pair in 0..pairs {
            let at = 2 + 4 * u64::from(pair);
            let update = |value| vec![read(pair + 1, &[]), append(pair + 1, value)];
            transactions.push(transaction(at, at + 2, update(1)));
            transactions.push(transaction(at + 1, at + 3, update(2)));
        }
        let end = 2 + 4 * u64::from(pairs);
        transactions.push(transaction(end, end + 1, vec![read(0, &[])]));
        history(&transactions)
    }

    /// So many write skews that have nothing to do with each other.
    pub fn write_skews(pairs: u32) -> History {
        let mut transactions = Vec::new();
        for pair in 0..pairs {
            let (at, x, y) = (4 * u64::from(pair), 2 * pair, 2 * pair + 1);
            transactions.push(transaction(at, at + 2, vec![read(x, &[]), append(y, 1)]));
            transactions.push(transaction(at + 1, at + 3, vec![read(y, &[]), append(x, 1)]));
        }
        history(&transactions)
    }

    /// Each saw what the next one appended, and the last what the first did; all at once.
    pub fn ring(transactions: u32) -> History {
        let saw = |i| vec![append(i, 1), read((i + 1) % transactions, &[1])];
        let at = |i: u32| (u64::from(i), u64::from(transactions + i));
        let ring: Vec<_> =
            (0..transactions).map(|i| transaction(at(i).0, at(i).1, saw(i))).collect();
        history(&ring)
    }
}

/// Each pair is a part of the one component that the stale read makes of them all. Once each part cost as much as the
/// whole.
#[test]
fn parts_of_a_component_cost_what_they_are() {
    let work = |pairs| {
        let report = check(&many::lost_updates(pairs), &Options::default());
        assert_eq!(report.statistics.largest_component, 2 * pairs as usize + 2);
        report.statistics.work
    };
    let (some, more) = (work(300), work(1200));
    assert!(more < 5 * some, "{some} steps for 300 pairs, {more} for 1200");
}

/// Once what a search kept for its end counted as used, a quarter of a share for each: soon nothing was left.
#[test]
fn a_search_counts_what_it_used() {
    let options = Options { work: 100_000, ..Options::default() };
    let pair = check(&many::write_skews(1), &options).statistics.work;
    assert!((1..1000).contains(&pair), "{pair} steps for two transactions");
    let report = check(&many::write_skews(200), &options);
    assert_eq!(report.statistics.components, 200);
    assert_eq!(report.statistics.anomalies.iter().map(|(_, count)| *count).sum::<u64>(), 200);
    assert_eq!(report.notes, Vec::<String>::new());
    assert!(report.statistics.work <= 200 * pair, "{:?}", report.statistics);
}

/// A G1c in one component with a write skew, which is found first.
const BESIDE: &str = "rp_ aq1 az1 rw_ / rq_ ap1 / ax1 ry1 rz_ aw1 / ay1 rx1";

#[test]
fn without_work_a_level_is_never_called_kept() {
    let consistency = Consistency::ReadCommitted;
    let enough = report(BESIDE, &Options { consistency, ..Options::default() });
    assert_eq!(enough.verdict, Verdict::Violation);

    let options = Options { consistency, work: 0, ..Options::default() };
    let report = report(BESIDE, &options);
    assert_eq!(report.verdict, Verdict::Inconclusive, "{}", report.sentence);
    assert!(report.sentence.contains("The search for G1c did not finish"), "{}", report.sentence);
    let stands = |model| report.models.standing.iter().any(|standing| standing.implies(model));
    assert!(!stands(consistency), "{:?}", report.models);
    // What could be looked for without a search is known.
    assert!(stands(Consistency::ReadUncommitted), "{:?}", report.models);
    // Some cycle is shown in any case, and it is a violation of what forbids it.
    assert_eq!(report.anomalies[0].anomaly.name(), "G2-item");
    let serializable = Options { consistency: Consistency::Serializable, ..options };
    assert_eq!(check_text(BESIDE, &serializable), Verdict::Violation);
}

fn check_text(text: &str, options: &Options) -> Verdict {
    report(text, options).verdict
}

/// Each limit by itself ends the check before the search, with a sentence that names it.
#[test]
fn limits_leave_a_check_inconclusive_but_for_what_it_found() {
    let defaults = Limits::default;
    let cancel = Some(Arc::new(AtomicBool::new(true)));
    for (limits, reason) in [
        (Limits { time: Duration::ZERO, ..defaults() }, "within 0ns; allow it more time"),
        (Limits { memory_bytes: 1, ..defaults() }, "more than 0 MB of memory; allow it"),
        (Limits { cancel, ..defaults() }, "The check was cancelled."),
    ] {
        let options = Options { limits, ..Options::default() };
        for text in ["ax1 ay1 / rx1 ry1", "wx1 wy1 / rx1 ry1", "ax1 ay1 / rx1 ry_"] {
            let report = report(text, &options);
            assert_eq!(report.verdict, Verdict::Inconclusive, "{text}: {reason}");
            assert!(report.sentence.contains(reason), "{}", report.sentence);
            assert_eq!(report.models.standing, [], "{text}: {reason}");
        }
        for text in ["ax1 ! / rx1", "wx1 ! / rx1"] {
            let report = report(text, &options);
            assert_eq!(report.verdict, Verdict::Violation, "{text}: {reason}");
            assert_eq!(report.models.violated, [Consistency::ReadCommitted]);
            assert_eq!(report.models.standing, [], "{text}: {reason}");
        }
    }
}

/// With ever more memory: first nothing fits, then all but what the search for G1c would remember, where some cycle is
/// shown all the same, then everything.
#[test]
fn memory_of_a_search_is_bounded_too() {
    let history = many::ring(100);
    let mut stages = Vec::new();
    for memory_bytes in (1..200_000).step_by(500) {
        let limits = Limits { memory_bytes, ..Limits::default() };
        let report = check(&history, &Options { limits, ..Options::default() });
        let is_refused = report.notes.iter().any(|note| note.contains(" MB of memory; allow it"));
        stages.push((report.verdict, is_refused));
    }
    stages.dedup();
    let (nothing, some) = ((Verdict::Inconclusive, true), (Verdict::Violation, true));
    assert_eq!(stages, [nothing, some, (Verdict::Violation, false)]);
}

/// Once 6000 lines.
#[test]
fn a_long_cycle_is_told_by_its_ends() {
    let report = check(&many::ring(3000), &Options::default());
    let [finding] = report.anomalies.as_slice() else { panic!("{:?}", report.statistics) };
    assert_eq!((finding.anomaly.name().as_str(), finding.size()), ("G1c", 3000));
    assert_eq!((finding.transactions.len(), finding.left_out), (16, 2984));
    let explanation = finding.explanation();
    assert!(explanation.len() < 40, "{explanation:?}");
    let explanation = explanation.join("\n");
    for told in ["T8 = ", "\n… 2984 more\nT2993 = ", "T3000 = ", "However, T3000 < T1"] {
        assert!(explanation.contains(told), "no {told:?} in {explanation}");
    }
    assert!(finding.sentence.len() < 1000, "{}", finding.sentence);
    let picture = finding.picture(0);
    assert_eq!((picture.boxes.len(), picture.arrows.len()), (17, 15));
    assert_eq!(picture.boxes[8].title, "… 2984 more");
    let json = serde_json::to_string(&report).unwrap().len();
    assert!(json < 20_000, "{json} bytes");
    assert!(report.check_result().violations[0].sentence.len() < 2000);
}

#[test]
fn an_error_shows_the_start_of_what_it_is_about() {
    let long = "x".repeat(100_000);
    let completed = event(1, EventKind::Ok, json!([["write", long, 1]]));
    let events = [event(0, EventKind::Invoke, json!([])), completed];
    let operations = history::operations(&events).unwrap();
    let told = History::from_operations(Datatype::ListAppend, &operations).unwrap_err().to_string();
    assert!(told.len() < 200 && told.contains("[\"write\" \"xxx"), "{told}");
}
