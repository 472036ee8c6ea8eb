//! Every planted fault is found, called by its name, and proved by operations at which it struck.

mod simulated;

use std::collections::BTreeMap;

use checker_testing::simulation::Plan;
use contract::manifest::Capability;
use simulated::{ALL, PLAN, judge, kinds, run, store::Fault, violated};
use workloads::by_name;

/// Rules take no time; where a search must shrink its witness, few seeds are enough.
const SEEDS: u64 = 30;
const FEWER_SEEDS: u64 = 10;
const SEARCHED_SEEDS: u64 = 6;

/// Plants a fault and expects: found in most runs (chance decides whether it shows at all), under one of these names,
/// and with a guilty operation among the witnesses.
fn is_found(name: &str, fault: Fault, per_mille: u32, expected: &[&str]) {
    // A read of a group must straddle two writes to show that it was not made at once.
    let operations = if name == "long-fork" { 3000 } else { 1000 };
    let plan = Plan { operations, ..PLAN };
    let (mut found, mut named, mut proved) = (0, 0, 0);
    let mut tally: BTreeMap<String, u64> = BTreeMap::new();
    let mut struck = 0;
    let seeds = match name {
        "bank:txn" => SEEDS,
        "register" | "bank:swap" | "multi" | "list-append" | "rw-register" => SEARCHED_SEEDS,
        _ => FEWER_SEEDS,
    };
    for seed in 0..seeds {
        let workload = by_name(name, &ALL).expect("the name is known");
        let run = run(workload.as_ref(), seed, plan, Some((fault, per_mille)));
        struck += u64::from(!run.guilty.is_empty());
        let results = judge(workload.as_ref(), &run);
        if !violated(&results) {
            continue;
        }
        found += 1;
        named += u64::from(kinds(&results).iter().any(|kind| expected.contains(kind)));
        let mut witnesses = results
            .iter()
            .flat_map(|result| &result.violations)
            .flat_map(|found| &found.operations);
        proved += u64::from(witnesses.any(|operation| run.guilty.contains(operation)));
        for kind in kinds(&results) {
            *tally.entry(kind.to_owned()).or_default() += 1;
        }
    }
    let told = format!(
        "{name} {fault:?}: struck in {struck}, found in {found}, named in {named}, proved in {proved} of {seeds} runs; {tally:?}"
    );
    println!("{told}");
    assert!(found * 10 >= seeds * 8, "{told}");
    assert!(named * 10 >= found * 9 && proved * 10 >= found * 8, "{told}");
}

#[test]
fn transactions_stale_read() {
    is_found("bank:txn", Fault::StaleRead, 50, &TIMELY);
}

#[test]
fn transactions_lost_write() {
    is_found("bank:txn", Fault::LostWrite, 50, &["lost-update", TIMELY[0], TIMELY[1]]);
}

#[test]
fn transactions_lost_update() {
    is_found("bank:txn", Fault::Unchecked, 100, &["lost-update"]);
}

#[test]
fn transactions_guards_of_read_accounts_ignored() {
    let expected = ["G2-item", "G2-item-realtime", "G-single-item-realtime"];
    is_found("bank:txn", Fault::ReadGuardsUnchecked, 1000, &expected);
}

#[test]
fn transactions_read_at_two_moments() {
    is_found("bank:txn", Fault::SplitRead, 300, &["G-single-item", "wrong total"]);
}

#[test]
fn transactions_written_at_two_moments() {
    is_found("bank:txn", Fault::SplitWrite, 100, &["G-single-item", "wrong total"]);
}

#[test]
fn transactions_dirty_read() {
    is_found("bank:txn", Fault::Dirty, 100, &["G1a"]);
}

#[test]
fn transactions_retried_and_refused_by_their_own_writes() {
    is_found("bank:txn", Fault::ForgottenRetry, 100, &["G1a"]);
}

#[test]
fn transactions_refused_for_nothing() {
    is_found("bank:txn", Fault::FalseRefusal, 100, &["false refusal"]);
}

#[test]
fn transactions_overdraft() {
    is_found("bank:txn", Fault::Overdraft, 30, &["negative balance"]);
}

#[test]
fn transactions_blind_to_their_own_writes() {
    is_found("bank:txn", Fault::BlindToItself, 500, &["internal"]);
}

#[test]
fn register_stale_read() {
    is_found("register", Fault::StaleRead, 50, &["stale read", "lost append"]);
}

#[test]
fn register_lost_write() {
    let expected = ["stale read", "lost append", "lost update", "lost write"];
    is_found("register", Fault::LostWrite, 50, &expected);
}

#[test]
fn register_applied_twice() {
    is_found("register", Fault::DoubleApply, 50, &["applied twice"]);
}

/// Hashes must be made at most once: made again, one is the hash of itself.
#[test]
fn register_hashed_twice() {
    let plan = Plan { operations: 1000, ..PLAN };
    for seed in 0..SEARCHED_SEEDS {
        let workload = by_name("register", &[Capability::PutHash]).expect("the name is known");
        let run = run(workload.as_ref(), seed, plan, Some((Fault::DoubleApply, 100)));
        let results = judge(workload.as_ref(), &run);
        assert!(!run.guilty.is_empty() && violated(&results), "seed {seed}: {results:#?}");
    }
}

#[test]
fn register_compare_and_set_unchecked() {
    // A rare one may show first as a stale read.
    is_found("register", Fault::Unchecked, 1000, &["lost update"]);
}

#[test]
fn register_dirty_read() {
    is_found("register", Fault::Dirty, 300, &["aborted read"]);
}

#[test]
fn lists_stale_read() {
    let expected = ["G-single-item-realtime", "G-single-item-process"];
    is_found("list-append", Fault::StaleRead, 50, &expected);
}

#[test]
fn lists_lost_append() {
    is_found("list-append", Fault::LostWrite, 50, &["incompatible-order"]);
}

#[test]
fn lists_element_appended_twice() {
    is_found("list-append", Fault::DoubleApply, 50, &["duplicate-elements"]);
}

#[test]
fn lists_read_at_two_moments() {
    is_found("list-append", Fault::SplitRead, 300, &["G-single-item"]);
}

#[test]
fn lists_written_at_two_moments() {
    is_found("list-append", Fault::SplitWrite, 100, &["incompatible-order"]);
}

#[test]
fn lists_element_of_a_failed_transaction() {
    is_found("list-append", Fault::Dirty, 100, &["G1a"]);
}

#[test]
fn lists_guards_not_looked_at() {
    is_found("list-append", Fault::Unchecked, 500, &["G-single-item"]);
}

#[test]
fn lists_transaction_refused_by_its_own_appends() {
    is_found("list-append", Fault::ForgottenRetry, 100, &["G1a"]);
}

#[test]
fn lists_transaction_refused_for_nothing() {
    is_found("list-append", Fault::FalseRefusal, 100, &["false refusal"]);
}

#[test]
fn lists_blind_to_own_appends() {
    is_found("list-append", Fault::BlindToItself, 500, &["internal"]);
}

/// What an old value that comes back is called, be it to another process or to the same.
const TIMELY: [&str; 2] = ["G-single-item-realtime", "G-single-item-process"];

/// What is called so that saw, or left, half of a transaction: without time where a later transaction read both halves.
const FRACTURED: [&str; 3] = ["G-single-item", "G-single-item-realtime", "G-single-item-process"];

#[test]
fn values_stale_read() {
    is_found("rw-register", Fault::StaleRead, 50, &TIMELY);
}

#[test]
fn values_lost_write() {
    is_found("rw-register", Fault::LostWrite, 50, &TIMELY);
}

#[test]
fn values_written_twice() {
    is_found("rw-register", Fault::DoubleApply, 50, &TIMELY);
}

#[test]
fn values_read_at_two_moments() {
    is_found("rw-register", Fault::SplitRead, 300, &FRACTURED);
}

#[test]
fn values_written_at_two_moments() {
    is_found("rw-register", Fault::SplitWrite, 100, &FRACTURED);
}

#[test]
fn values_of_a_failed_transaction() {
    is_found("rw-register", Fault::Dirty, 100, &["G1a"]);
}

#[test]
fn values_guards_not_looked_at() {
    is_found("rw-register", Fault::Unchecked, 500, &TIMELY);
}

#[test]
fn values_transaction_refused_by_its_own_writes() {
    is_found("rw-register", Fault::ForgottenRetry, 100, &["G1a"]);
}

#[test]
fn values_blind_to_own_writes() {
    is_found("rw-register", Fault::BlindToItself, 500, &["internal"]);
}

#[test]
fn sets_stale_read() {
    is_found("set", Fault::StaleRead, 50, &["stale read"]);
}

#[test]
fn sets_lost_element() {
    is_found("set", Fault::LostWrite, 50, &["lost element"]);
}

#[test]
fn sets_element_added_twice() {
    is_found("set", Fault::DoubleApply, 50, &["duplicated element"]);
}

#[test]
fn sets_element_of_a_failed_addition() {
    is_found("set", Fault::Dirty, 300, &["aborted read"]);
}

#[test]
fn counters_stale_read() {
    is_found("counter", Fault::StaleRead, 100, &["counter out of bounds"]);
}

#[test]
fn counters_lost_addition() {
    is_found("counter", Fault::LostWrite, 50, &["counter out of bounds"]);
}

#[test]
fn counters_addition_to_an_old_value() {
    is_found("counter", Fault::Unchecked, 100, &["counter out of bounds"]);
}

#[test]
fn pairs_read_at_two_moments() {
    is_found("multi", Fault::SplitRead, 300, &["torn read"]);
}

#[test]
fn pairs_written_at_two_moments() {
    is_found("multi", Fault::SplitWrite, 300, &["torn read"]);
}

#[test]
fn pairs_stale_read() {
    is_found("multi", Fault::StaleRead, 50, &["stale read", "flip-flop"]);
}

#[test]
fn pairs_lost_write() {
    is_found("multi", Fault::LostWrite, 50, &["stale read"]);
}

#[test]
fn groups_read_at_two_moments() {
    is_found("long-fork", Fault::SplitRead, 1000, &["write overtaken", "long fork", "stale read"]);
}

#[test]
fn groups_stale_read() {
    is_found("long-fork", Fault::StaleRead, 200, &["stale read"]);
}

#[test]
fn groups_lost_write() {
    is_found("long-fork", Fault::LostWrite, 200, &["lost element"]);
}

#[test]
fn rows_inserted_without_a_look_at_the_other() {
    is_found("write-skew", Fault::ReadGuardsUnchecked, 300, &["write skew"]);
}

#[test]
fn rows_inserted_without_a_look() {
    is_found("write-skew", Fault::Unchecked, 100, &["write skew"]);
}

#[test]
fn rows_of_refused_inserts() {
    is_found("write-skew", Fault::Dirty, 300, &["aborted read"]);
}

#[test]
fn rows_of_inserts_refused_by_themselves() {
    is_found("write-skew", Fault::ForgottenRetry, 100, &["aborted read"]);
}

#[test]
fn swaps_stale_read() {
    is_found("bank:swap", Fault::StaleRead, 50, &["stale read", "lost write", "impossible result"]);
}

#[test]
fn swaps_lost_write() {
    is_found("bank:swap", Fault::LostWrite, 50, &["stale read", "lost write", "impossible result"]);
}

#[test]
fn swaps_applied_twice() {
    is_found("bank:swap", Fault::DoubleApply, 50, &["impossible result", "stale read"]);
}

#[test]
fn swaps_of_stale_values() {
    is_found("bank:swap", Fault::StaleSwap, 300, &["torn read", "duplicated value"]);
}

#[test]
fn swaps_branches_read_at_two_moments() {
    is_found("bank:swap", Fault::SplitRead, 300, &["torn read", "duplicated value"]);
}

#[test]
fn swaps_branches_filled_at_two_moments() {
    is_found("bank:swap", Fault::SplitWrite, 300, &["torn read"]);
}

#[test]
fn swaps_dirty_read() {
    // A rare one may show first as an impossible result.
    is_found("bank:swap", Fault::Dirty, 1000, &["aborted read"]);
}
