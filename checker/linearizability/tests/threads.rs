//! What is found does not depend on the number of threads.

mod common;

use common::{FLAVOURS, KvWorkload, history, rng};
use linearizability::models::kv::Kv;
use linearizability::{CallOf, Limits, Report, check_by_key};

fn with_threads(groups: &[(usize, Vec<CallOf<Kv>>)], threads: usize) -> Report {
    let limits = Limits { threads: Some(threads), ..Limits::default() };
    let mut report = check_by_key(&Kv, groups.to_vec(), &limits);
    // What may differ: the clock, and how much is in memory at once.
    report.statistics.elapsed = std::time::Duration::ZERO;
    report.statistics.memory_bytes = 0;
    report
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
