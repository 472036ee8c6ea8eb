//! Long records are judged too: a run of an hour must not end in a check of another hour. Prints how long each took.

mod simulated;

use std::time::Instant;

use checker_testing::simulation::Plan;
use simulated::{ALL, judge, run, violated};
use workloads::by_name;

fn is_judged(name: &str, operations: usize) {
    let workload = by_name(name, &ALL).expect("the name is known");
    let plan = Plan { clients: 20, operations, info_percent: 2, fail_percent: 2 };
    let run = run(workload.as_ref(), 1, plan, None);
    let start = Instant::now();
    let results = judge(workload.as_ref(), &run);
    println!("{name}: {} operations judged in {:?}", run.history.len(), start.elapsed());
    for result in &results {
        println!(
            "  {} {:?}: {} {}",
            result.checker, result.verdict, result.summary, result.statistics
        );
    }
    assert!(!violated(&results));
}

#[test]
fn register() {
    is_judged("register", 100_000);
}

#[test]
fn bank_with_transactions() {
    is_judged("bank:txn", 100_000);
}

#[test]
fn small_workloads() {
    is_judged("set", 10_000);
    for name in ["counter", "multi", "long-fork", "write-skew"] {
        is_judged(name, 30_000);
    }
}

#[test]
fn bank_with_swaps() {
    is_judged("bank:swap", 20_000);
}

#[test]
fn lists() {
    is_judged("list-append", 30_000);
}

#[test]
fn registers_in_transactions() {
    is_judged("rw-register", 30_000);
}
