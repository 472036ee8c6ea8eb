//! A right store is never accused, whatever is unknown; and the clients are the same for the same seed and answers.

mod simulated;

use checker_testing::simulation::Plan;
use contract::manifest::Capability;
use history::Verdict;
use simulated::{ALL, PLAN, judge, kinds, run};
use workloads::by_name;

/// Seeds for each workload and plan: all together a few thousand runs.
const SEEDS: u64 = 250;
const FEWER_SEEDS: u64 = 40;

const PLANS: [Plan; 4] = [
    Plan { info_percent: 0, fail_percent: 0, ..PLAN },
    PLAN,
    Plan { clients: 3, operations: 120, info_percent: 25, fail_percent: 10 },
    Plan { clients: 12, operations: 400, info_percent: 2, fail_percent: 2 },
];

fn is_never_accused(name: &str, seeds: u64) {
    let hashes = [Capability::Append, Capability::Cas, Capability::PutHash];
    let caps = [&ALL[..], &ALL[..2], &ALL[3..], &hashes];
    for (at, plan) in PLANS.into_iter().enumerate() {
        for seed in 0..seeds {
            // `register` and `bank:txn` adapt to what the store can do.
            let workload =
                by_name(name, caps[seed as usize % caps.len()]).expect("the name is known");
            let run = run(workload.as_ref(), seed, plan, None);
            let results = judge(workload.as_ref(), &run);
            let accused: Vec<_> =
                results.iter().filter(|result| result.verdict == Verdict::Violation).collect();
            assert!(accused.is_empty(), "{name}, plan {at}, seed {seed}: {accused:#?}");
            let undecided: Vec<_> =
                results.iter().filter(|result| result.verdict == Verdict::Inconclusive).collect();
            // In a short record nobody may have read a group at the right moment.
            let is_short = name == "long-fork" && plan.operations < 300;
            assert!(
                undecided.is_empty() || is_short,
                "{name}, plan {at}, seed {seed}: {undecided:#?}"
            );
            assert!(kinds(&results).is_empty());
        }
    }
}

#[test]
fn a_right_register_is_never_accused() {
    is_never_accused("register", SEEDS);
}

#[test]
fn a_right_bank_with_transactions_is_never_accused() {
    is_never_accused("bank:txn", SEEDS);
}

#[test]
fn a_right_bank_with_swaps_is_never_accused() {
    is_never_accused("bank:swap", SEEDS);
}

#[test]
fn right_transactions_are_never_accused() {
    for name in ["list-append", "rw-register"] {
        is_never_accused(name, FEWER_SEEDS);
    }
}

#[test]
fn a_right_store_is_never_accused_by_the_small_workloads() {
    for name in ["set", "counter", "multi", "long-fork", "write-skew"] {
        is_never_accused(name, FEWER_SEEDS);
    }
}

#[test]
fn every_operation_a_workload_needs_is_exercised() {
    for (name, expected) in [
        ("register", vec!["append", "cas", "get", "put"]),
        ("list-append", vec!["multiget", "txn"]),
        ("rw-register", vec!["multiget", "txn"]),
        ("set", vec!["append", "get"]),
        ("counter", vec!["cas", "get"]),
        ("multi", vec!["get", "multiget", "multiput"]),
        ("long-fork", vec!["multiget", "put"]),
        ("write-skew", vec!["txn"]),
        ("bank:txn", vec!["multiget", "txn"]),
        ("bank:swap", vec!["get", "multiget", "multiput", "swap"]),
    ] {
        let workload = by_name(name, &ALL).expect("the name is known");
        let run = run(workload.as_ref(), 1, PLAN, None);
        let mut asked: Vec<&str> =
            run.history.iter().map(|operation| operation.f.as_str()).collect();
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked, expected);
        assert!(workload.must_succeed().iter().all(|f| asked.contains(f)));
    }
}

#[test]
fn the_same_seed_and_answers_give_the_same_operations() {
    // The simulated store has keys; `controller` has a test of its own beside it.
    let with_keys = workloads::WORKLOADS
        .into_iter()
        .filter(|entry| !entry.needs.contains(&Capability::Configurations));
    for workloads::WorkloadEntry { name, .. } in with_keys {
        let history = |seed| {
            let workload = by_name(name, &ALL).expect("the name is known");
            run(workload.as_ref(), seed, PLAN, None).history
        };
        assert_eq!(history(3), history(3), "{name}");
        assert_ne!(history(3), history(4), "{name}");
    }
}
