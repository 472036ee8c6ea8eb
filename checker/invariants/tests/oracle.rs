//! On small random histories, right and corrupted ones, whatever these checkers call a violation no order explains: the
//! linearizability checker, which searches all of them, finds none.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

mod common;

use checker_testing::simulation::{Plan, run};
use common::objects::right;
use history::{Completion, Datum, Operation, Verdict};
use invariants::Invariant;
use linearizability::{Limits, Named};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::{Value, json};

const HISTORIES: u64 = 4000;

/// Changes the results of some reads: takes an element or gives one, or moves a number a little.
fn corrupt(history: &mut [Operation], rng: &mut ChaCha8Rng) {
    for operation in history.iter_mut().filter(|operation| operation.f == "read") {
        let Completion::Ok(_, result) = &mut operation.completion else { continue };
        match (rng.random_range(0..8), result) {
            (0, Value::Array(items)) if !items.is_empty() => {
                items.remove(rng.random_range(0..items.len()));
            }
            (1, Value::Array(items)) => {
                let element = json!(rng.random_range(1..9));
                if !items.contains(&element) {
                    items.push(element);
                }
            }
            (0 | 1, Value::Number(number)) => {
                let moved = number.as_i64().unwrap() + rng.random_range(-3..4);
                *number = moved.into();
            }
            _ => {}
        }
    }
}

fn violations_are_not_linearizable(invariant: Invariant, model: Named) {
    let limits = Limits { threads: Some(1), ..Limits::default() };
    let (mut accused, mut refused) = (0, 0);
    for seed in 0..HISTORIES {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let plan = Plan {
            clients: rng.random_range(1..5),
            operations: rng.random_range(2..12),
            info_percent: 15,
            fail_percent: 10,
        };
        let mut history = run(right(invariant).as_mut(), seed, plan);
        corrupt(&mut history, &mut rng);
        let recorded: Vec<Operation<Datum>> =
            history.iter().map(|o| o.clone().map(|value| Datum::from(&value))).collect();
        let order = model.check(recorded, None, &limits).unwrap().verdict;
        let result = invariant.check(&history);
        let is_accused = result.verdict == Verdict::Violation;
        assert!(
            !is_accused || order == Verdict::Violation,
            "{}, seed {seed}: {result:#?}\n{history:#?}",
            invariant.name()
        );
        accused += u64::from(is_accused);
        refused += u64::from(order == Verdict::Violation);
    }
    println!(
        "{}: {accused} accused of {refused} that have no order, of {HISTORIES}",
        invariant.name()
    );
    assert!(accused * 3 > refused && refused > HISTORIES / 10 && refused < HISTORIES * 9 / 10);
}

#[test]
fn sets() {
    for invariant in [Invariant::SetFinal, Invariant::SetFull, Invariant::SetFullLinearizable] {
        violations_are_not_linearizable(invariant, Named::Set);
    }
}

#[test]
fn counters() {
    violations_are_not_linearizable(Invariant::CounterBounds, Named::Counter);
}
