//! A store is held to the level that it promises: not accused of what that level allows, and accused of what it forbids.

mod simulated;

use checker_testing::simulation::Plan;
use isolation::Consistency;
use simulated::{ALL, PLAN, Run, judge_at, run, store::Fault, violated};
use workloads::by_name;

const SEEDS: u64 = 4;

/// In how many runs of a store with this fault a violation of each level is found.
fn accused<const N: usize>(
    name: &str,
    (fault, per_mille): (Fault, u32),
    levels: [Consistency; N],
) -> [u64; N] {
    // At levels without real time it takes two reads that disagree.
    let operations = if name == "long-fork" { 10_000 } else { 600 };
    let plan = Plan { operations, ..PLAN };
    let (mut struck, mut counts) = (0, [0; N]);
    for seed in 0..SEEDS {
        let workload = by_name(name, &ALL).expect("the name is known");
        let run: Run = run(workload.as_ref(), seed, plan, Some((fault, per_mille)));
        struck += u64::from(!run.guilty.is_empty());
        for (count, level) in counts.iter_mut().zip(levels) {
            *count += u64::from(violated(&judge_at(workload.as_ref(), &run, level)));
        }
    }
    println!("{name} {fault:?}: struck in {struck} of {SEEDS}, found in {counts:?} at {levels:?}");
    assert!(struck > SEEDS / 2, "{name} {fault:?}");
    counts
}

/// Whole reads from the past: the order of transactions is no longer that of real time.
#[test]
fn stale_reads_break_only_levels_that_respect_real_time() {
    let levels = [
        Consistency::StrictSerializable,
        Consistency::Serializable,
        Consistency::SnapshotIsolation,
    ];
    for name in ["list-append", "rw-register", "bank:txn", "long-fork"] {
        let [strict, serializable, snapshot] = accused(name, (Fault::StaleRead, 50), levels);
        assert!(strict > SEEDS / 2, "{name}");
        assert_eq!((serializable, snapshot), (0, 0), "{name}");
    }
}

/// Two transfers that each look at what the other writes: snapshot isolation allows this.
#[test]
fn write_skew_is_no_violation_of_snapshot_isolation() {
    let fault = (Fault::ReadGuardsUnchecked, 1000);
    let levels = [Consistency::Serializable, Consistency::SnapshotIsolation];
    let [serializable, snapshot] = accused("bank:txn", fault, levels);
    // Two must meet for it to show.
    assert!(serializable > 0 && snapshot == 0);
    let [serializable] = accused("write-skew", fault, [Consistency::Serializable]);
    assert!(serializable > SEEDS / 2);
}

/// What no level allows is found at every level.
#[test]
fn torn_and_dirty_reads_are_found_at_weaker_levels_too() {
    let levels = [Consistency::Serializable, Consistency::SnapshotIsolation];
    for (name, fault) in [
        ("list-append", (Fault::SplitRead, 300)),
        ("bank:txn", (Fault::SplitRead, 300)),
        ("long-fork", (Fault::SplitRead, 1000)),
    ] {
        let found = accused(name, fault, levels);
        assert!(found.iter().all(|found| *found > SEEDS / 2), "{name} {fault:?}");
    }
    let dirty = (Fault::Dirty, 1000);
    let [read_committed] = accused("list-append", dirty, [Consistency::ReadCommitted]);
    assert!(read_committed > SEEDS / 2);
}
