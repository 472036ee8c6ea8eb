//! The bank's rules and the search for anomalies against brute force: on small random histories, right and corrupted
//! ones, a violation is reported only where no serial order explains the answers, and, refusals aside, wherever none
//! does and the record tells the order of all versions.

mod simulated;
mod small;

use std::collections::{BTreeMap, BTreeSet};

use contract::{MicroOperation, Outcome};
use history::Completion;
use isolation::Consistency;
use linearizability::Limits;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use simulated::{ALL, store::apply, violated};
use small::{
    Kind, Small, State, expected, history, other_list, outcome, recorded, steps, transfer,
};
use workloads::by_name;

#[test]
fn the_bank_rules_agree_with_brute_force() {
    agrees_with_brute_force(&Kind {
        workload: "bank:txn",
        histories: 60_000,
        opens: true,
        operation: transfer,
        other: |_, count, rng| expected(count, rng),
        is_complete: true,
    });
}

#[test]
fn anomalies_of_lists_agree_with_brute_force() {
    agrees_with_brute_force(&Kind {
        workload: "list-append",
        histories: 20_000,
        opens: false,
        operation: |number, _, rng| {
            steps(rng, |key, step| MicroOperation::Append(key, format!("t{number}.{step};")))
        },
        other: other_list,
        is_complete: true,
    });
}

#[test]
fn anomalies_of_registers_agree_with_brute_force() {
    agrees_with_brute_force(&Kind {
        workload: "rw-register",
        histories: 10_000,
        opens: false,
        operation: |number, _, rng| {
            steps(rng, |key, step| MicroOperation::Write(key, format!("t{number}.{step}")))
        },
        other: |_, count, rng| {
            let writer = rng.random_range(0..count);
            (rng.random_range(0..5) > 0).then(|| format!("t{writer}.{}", rng.random_range(0..3)))
        },
        // Of two blind writes at the same time nobody may ever learn which came first.
        is_complete: false,
    });
}

fn agrees_with_brute_force(kind: &Kind) {
    let workload = by_name(kind.workload, &ALL).expect("the name is known");
    let mut counts = BTreeMap::new();
    for seed in 0..kind.histories {
        let small = history(kind, &mut ChaCha8Rng::seed_from_u64(seed));
        let recorded: Vec<history::Operation> = small.iter().map(recorded).collect();
        let results =
            workload.check(&recorded, Consistency::StrictSerializable, &Limits::default());
        let explained = explains(&small, &mut BTreeSet::new(), &State::new());
        let accused = violated(&results);
        let refusals = small
            .iter()
            .any(|one| matches!(outcome(one), Some(Outcome::Committed { committed: false, .. })));
        *counts.entry((explained, accused, refusals)).or_insert(0_u64) += 1;
        assert!(!(explained && accused), "false alarm, seed {seed}: {results:#?}\n{recorded:#?}");
        let is_missed = kind.is_complete && !explained && !accused && !refusals;
        assert!(!is_missed, "missed, seed {seed}: {recorded:#?}");
    }
    println!("{}: (explained, accused, has refusals): {counts:?}", kind.workload);
    // The histories are neither all right nor all wrong.
    let share = |wanted: fn(&(bool, bool, bool)) -> bool| {
        let counted = counts.iter().filter(|(case, _)| wanted(case));
        counted.map(|(_, count)| count).sum::<u64>() * 10 / kind.histories
    };
    assert!(share(|case| case.0) > 0 && share(|case| case.1) > 0, "{counts:?}");
}

/// Whether the operations not yet `placed` can follow in some order.
fn explains(small: &[Small], placed: &mut BTreeSet<usize>, state: &State) -> bool {
    let open = |index: &usize| !placed.contains(index);
    let must = |index: &usize| matches!(small[*index].end, Completion::Ok(..));
    let open: Vec<usize> = (0..small.len()).filter(open).collect();
    if !open.iter().any(must) {
        return true;
    }
    let first_return = open
        .iter()
        .filter(|index| must(index))
        .map(|index| small[*index].ret)
        .min()
        .expect("some are open");
    for index in open {
        let one = &small[index];
        if one.call > first_return || matches!(one.end, Completion::Fail(..)) {
            continue;
        }
        let mut next = state.clone();
        let result = apply(&mut next, &one.operation);
        if outcome(one).is_some_and(|told| told != result) {
            continue;
        }
        placed.insert(index);
        let found = explains(small, placed, &next);
        placed.remove(&index);
        if found {
            return true;
        }
    }
    false
}
