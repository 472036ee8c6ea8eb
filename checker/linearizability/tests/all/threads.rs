//! What is found does not depend on the number of threads.

use std::collections::BTreeMap;

use checker_testing::linearizability::synthetic::{self, Shape, Spoil};
use checker_testing::linearizability::{FLAVOURS, KvWorkload, history, rng};
use history::Verdict;
use linearizability::models::CasRegister;
use linearizability::models::kv::Kv;
use linearizability::{CallOf, Limits, Report, check, check_by_key};

fn with_threads(groups: &[(usize, Vec<CallOf<Kv>>)], threads: usize) -> Report {
    let limits = Limits { threads: Some(threads), ..Limits::default() };
    let mut report = check_by_key(&Kv, groups.to_vec(), &limits);
    // What may differ: the clock, and how much is in memory at once.
    stop_the_clock(&mut report);
    report.statistics.memory_bytes = 0;
    report
}

fn stop_the_clock(report: &mut Report) {
    report.statistics.elapsed = std::time::Duration::ZERO;
    report.statistics.deciding = std::time::Duration::ZERO;
}

/// Several attempts at one history: clients with few values, and lies. What is scattered may still be right; but of most
/// histories the first attempt alone cannot tell.
#[test]
fn one_hard_history_gets_the_same_report_whatever_the_number_of_threads() {
    let mut told_by = BTreeMap::new();
    for (clients, seed, spoil) in [
        (50, 1, Spoil::PhantomRead),
        (50, 1, Spoil::ImpossibleCas),
        (25, 1, Spoil::Swapped(40)),
        (15, 4, Spoil::SwappedReads(10)),
        (15, 4, Spoil::Swapped(40)),
        (25, 4, Spoil::SwappedReads(10)),
        (25, 5, Spoil::SwappedReads(40)),
        (25, 5, Spoil::Swapped(40)),
        (40, 5, Spoil::SwappedReads(40)),
    ] {
        let shape = Shape { operations: 1_000, clients, keys: 1, unknown_per_mille: 15 };
        let mut calls = synthetic::cas(shape, seed);
        spoil.apply(&mut calls, seed);
        let with = |threads| {
            let limits = Limits { threads: Some(threads), ..Limits::default() };
            let mut report = check(&CasRegister::default(), &calls, &limits);
            assert_ne!(report.verdict, Verdict::Inconclusive, "{spoil:?} {report:?}");
            stop_the_clock(&mut report);
            report
        };
        let report = with(1);
        *told_by.entry(report.statistics.attempt).or_insert(0) += 1;
        assert_eq!(report, with(2), "{spoil:?}");
        assert_eq!(report, with(4), "{spoil:?}");
    }
    for attempt in ["depth first", "breadth first", "a window"] {
        assert!(told_by.contains_key(&Some(attempt)), "{told_by:?}");
    }
}

/// Twelve keys at a time, fast and searched, right and wrong.
#[test]
fn reports_are_the_same_with_one_thread_and_with_four() {
    let mut rng = rng(3);
    for _ in 0..300 {
        let groups: Vec<_> = (0..12)
            .map(|key| (key, history(&KvWorkload(FLAVOURS[key % FLAVOURS.len()]), &mut rng, 9)))
            .collect();
        assert_eq!(with_threads(&groups, 1), with_threads(&groups, 4));
    }
}
