//! Every planted fault is found, called by its name, and proved by an operation that it touched.

mod common;

use checker_testing::simulation::{Plan, run};
use common::objects::right;
use history::{Completion, Operation, Verdict};
use invariants::Invariant;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::{Value, json};

const SEEDS: u64 = 40;

type Rng = ChaCha8Rng;

/// Changes a right history; gives the operations to blame, `None` where there is nothing to change.
type Plant = fn(&mut [Operation], &mut Rng) -> Option<Vec<usize>>;

fn is_found(invariant: Invariant, plan: Plan, plant: Plant, kind: &str) {
    let mut planted = 0;
    for seed in 0..SEEDS {
        let mut history = run(right(invariant).as_mut(), seed, plan);
        let Some(guilty) = plant(&mut history, &mut Rng::seed_from_u64(seed)) else { continue };
        planted += 1;
        let result = invariant.check(&history);
        let name = invariant.name();
        assert_eq!(result.verdict, Verdict::Violation, "{name}, seed {seed}: {result:#?}");
        let named = result.violations.iter().filter(|violation| violation.kind == kind);
        let blames = |guilty: &usize| {
            named.clone().any(|violation| violation.operations.contains(&history[*guilty].call))
        };
        assert!(guilty.iter().any(blames), "{name}, seed {seed}: {guilty:?} {result:#?}");
    }
    assert!(planted * 10 >= SEEDS * 9, "{}: {planted} of {SEEDS} planted", invariant.name());
}

const PLAN: Plan = Plan { clients: 5, operations: 150, info_percent: 4, fail_percent: 4 };
const CERTAIN: Plan = Plan { info_percent: 0, fail_percent: 0, ..PLAN };

/// The operations with this function that succeeded.
fn succeeded(history: &[Operation], f: &str) -> Vec<usize> {
    (0..history.len()).filter(|&at| history[at].f == f && history[at].result().is_some()).collect()
}

fn one_of(places: &[usize], rng: &mut Rng) -> Option<usize> {
    (!places.is_empty()).then(|| places[rng.random_range(0..places.len())])
}

fn result(operation: &mut Operation) -> &mut Value {
    match &mut operation.completion {
        Completion::Ok(_, result) => result,
        other => panic!("{other:?} has no result"),
    }
}

fn items(operation: &mut Operation) -> &mut Vec<Value> {
    result(operation).as_array_mut().expect("a collection")
}

fn saw(operation: &Operation, element: &Value) -> bool {
    operation.result().and_then(Value::as_array).is_some_and(|items| items.contains(element))
}

/// A write that was done before the operation at `then` began.
fn done_before(history: &[Operation], add: &str, then: usize, rng: &mut Rng) -> Option<usize> {
    let mut done = succeeded(history, add);
    done.retain(|&at| history[at].return_index() < Some(history[then].call));
    one_of(&done, rng)
}

#[test]
fn bank() {
    let make_money: Plant = |history, rng| {
        let read = one_of(&succeeded(history, "read"), rng)?;
        let balance = &mut result(&mut history[read])["3"];
        *balance = json!(balance.as_i64()? + 1);
        Some(vec![read])
    };
    let lose_account: Plant = |history, rng| {
        let read = one_of(&succeeded(history, "read"), rng)?;
        result(&mut history[read]).as_object_mut()?.remove("3");
        Some(vec![read])
    };
    let overdraw: Plant = |history, rng| {
        let read = one_of(&succeeded(history, "read"), rng)?;
        let balances = result(&mut history[read]);
        let (rich, poor) = (balances["0"].as_i64()?, balances["1"].as_i64()?);
        (balances["0"], balances["1"]) = (json!(rich + poor + 1), json!(-1));
        Some(vec![read])
    };
    is_found(Invariant::Bank, PLAN, make_money, "wrong total");
    is_found(Invariant::BankNegative, PLAN, make_money, "wrong total");
    is_found(Invariant::Bank, PLAN, lose_account, "missing account");
    is_found(Invariant::Bank, PLAN, overdraw, "negative balance");
}

/// Takes an element out of the last read.
fn lose(history: &mut [Operation], rng: &mut Rng) -> Option<Vec<usize>> {
    let last = *succeeded(history, "read").last()?;
    let add = done_before(history, "add", last, rng)?;
    let element = history[add].arguments.clone();
    items(&mut history[last]).retain(|item| *item != element);
    Some(vec![add])
}

fn double(history: &mut [Operation], rng: &mut Rng) -> Option<Vec<usize>> {
    let last = *succeeded(history, "read").last()?;
    let items = items(&mut history[last]);
    let copy = items.get(rng.random_range(0..items.len().max(1)))?.clone();
    items.push(copy);
    Some(vec![last])
}

fn conjure(history: &mut [Operation], _: &mut Rng) -> Option<Vec<usize>> {
    let last = *succeeded(history, "read").last()?;
    items(&mut history[last]).push(json!("from nowhere"));
    Some(vec![last])
}

fn revive(history: &mut [Operation], rng: &mut Rng) -> Option<Vec<usize>> {
    let failed = |at: &usize| {
        matches!(history[*at].completion, Completion::Fail(..)) && history[*at].f == "add"
    };
    let failed: Vec<usize> = (0..history.len()).filter(failed).collect();
    let add = one_of(&failed, rng)?;
    let last = *succeeded(history, "read").last()?;
    let element = history[add].arguments.clone();
    items(&mut history[last]).push(element);
    Some(vec![add])
}

#[test]
fn sets() {
    for invariant in [Invariant::SetFinal, Invariant::SetFull, Invariant::SetFullLinearizable] {
        is_found(invariant, PLAN, lose, "lost element");
        is_found(invariant, PLAN, double, "duplicated element");
        is_found(invariant, PLAN, conjure, "phantom element");
        is_found(invariant, PLAN, revive, "aborted read");
    }
    let hide_for_a_while: Plant = |history, rng| {
        let reads = succeeded(history, "read");
        let read = one_of(&reads[reads.len() / 2..reads.len() - 1], rng)?;
        let add = done_before(history, "add", read, rng)?;
        let element = history[add].arguments.clone();
        items(&mut history[read]).retain(|item| *item != element);
        Some(vec![read])
    };
    is_found(Invariant::SetFullLinearizable, PLAN, hide_for_a_while, "stale read");
    let lose_later: Plant = |history, rng| {
        let reads = succeeded(history, "read");
        let from = one_of(&reads[reads.len() / 2..], rng)?;
        let add = done_before(history, "add", from, rng)?;
        let element = history[add].arguments.clone();
        let missing: Vec<usize> = reads.into_iter().filter(|&read| read >= from).collect();
        for &read in &missing {
            items(&mut history[read]).retain(|item| *item != element);
        }
        // Beside the first of these reads may be one that still saw it, but not beside the last.
        (!saw(history.last()?, &element)).then_some(missing)
    };
    is_found(Invariant::SetFull, PLAN, lose_later, "lost element");
}

#[test]
fn counter() {
    let add_twice: Plant = |history, rng| {
        let read = one_of(&succeeded(history, "read"), rng)?;
        let value = result(&mut history[read]);
        *value = json!(value.as_i64()? + if rng.random_range(0..2) == 0 { 500 } else { -500 });
        Some(vec![read])
    };
    is_found(Invariant::CounterBounds, PLAN, add_twice, "counter out of bounds");
    let forget: Plant = |history, _| {
        let read = *succeeded(history, "read").last()?;
        let mut before = succeeded(history, "add");
        before.retain(|&add| history[add].return_index() < Some(history[read].call));
        let add = before.into_iter().find(|&add| history[add].arguments.as_i64() > Some(0))?;
        // All that could be in doubt is certain without unknown operations, but for those beside the read.
        let amount = history[add].arguments.as_i64()?;
        let beside = history.iter().any(|other| {
            other.f != "read"
                && other.call < history[read].return_index().unwrap_or(0)
                && other.return_index() > Some(history[read].call)
        });
        let value = result(&mut history[read]);
        *value = json!(value.as_i64()? - amount);
        (!beside).then_some(vec![read])
    };
    let alone = Plan { clients: 1, ..CERTAIN };
    is_found(Invariant::CounterBounds, alone, forget, "counter out of bounds");
}

#[test]
fn queues() {
    let twice: Plant = |history, rng| {
        let mut dequeues = succeeded(history, "dequeue");
        dequeues.retain(|&at| !history[at].result().is_none_or(Value::is_null));
        let (first, second) = (one_of(&dequeues, rng)?, one_of(&dequeues, rng)?);
        let element = history[first].result()?.clone();
        *result(&mut history[second]) = element;
        (first != second).then_some(vec![first, second])
    };
    let keep: Plant = |history, rng| {
        let enqueue = one_of(&succeeded(history, "enqueue"), rng)?;
        let element = history[enqueue].arguments.clone();
        for dequeue in succeeded(history, "dequeue") {
            let found = result(&mut history[dequeue]);
            if *found == element {
                *found = Value::Null;
            }
        }
        items(history.last_mut()?).retain(|item| *item != element);
        Some(vec![enqueue])
    };
    is_found(
        Invariant::UnorderedQueue,
        Plan { operations: 400, ..PLAN },
        twice,
        "duplicated element",
    );
    is_found(Invariant::TotalQueue, CERTAIN, keep, "lost element");
    is_found(Invariant::UnorderedQueue, PLAN, conjure_in_drain, "phantom element");
    is_found(Invariant::TotalQueue, PLAN, conjure_in_drain, "phantom element");
}

fn conjure_in_drain(history: &mut [Operation], _: &mut Rng) -> Option<Vec<usize>> {
    let last = history.len() - 1;
    items(&mut history[last]).push(json!("from nowhere"));
    Some(vec![last])
}

#[test]
fn unique_ids() {
    let repeat: Plant = |history, rng| {
        let given = succeeded(history, "generate");
        let (first, second) = (one_of(&given, rng)?, one_of(&given, rng)?);
        let id = history[first].result()?.clone();
        *result(&mut history[second]) = id;
        (first != second).then_some(vec![first, second])
    };
    is_found(Invariant::UniqueIds, PLAN, repeat, "duplicate identifier");
}

#[test]
fn long_fork() {
    let fork: Plant = |history, rng| {
        let reads = succeeded(history, "read");
        let one = one_of(&reads[reads.len() / 4..], rng)?;
        let group = |at: usize| {
            let steps = history[at].arguments.as_array().expect("a transaction");
            steps.iter().filter_map(|step| step[1].as_u64()).min()
        };
        let written = |key: u64| {
            let write = json!([["w", key, 1]]);
            history
                .iter()
                .any(|o| o.arguments == write && !matches!(o.completion, Completion::Fail(..)))
        };
        let first = group(one)?;
        if !written(first) || !written(first + 1) {
            return None;
        }
        let other = *reads.iter().find(|&&read| read != one && group(read) == Some(first))?;
        for (read, only) in [(one, first), (other, first + 1)] {
            for step in items(&mut history[read]) {
                step[2] = if step[1] == json!(only) { json!(1) } else { Value::Null };
            }
        }
        Some(vec![one, other])
    };
    is_found(Invariant::LongFork, Plan { operations: 600, ..CERTAIN }, fork, "long fork");
}

#[test]
fn causal() {
    let go_back: Plant = |history, rng| {
        let mut candidates = Vec::new();
        for read in succeeded(history, "read") {
            let key = history[read].arguments[0].clone();
            let mut own = succeeded(&history[..read], "write");
            own.retain(|&write| {
                history[write].process == history[read].process
                    && history[write].arguments[0] == key
            });
            if let [.., older, _] = own[..] {
                candidates.push((read, older));
            }
        }
        let (read, older) = *candidates.get(rng.random_range(0..candidates.len().max(1)))?;
        *result(&mut history[read]) = history[older].arguments.clone();
        Some(vec![read])
    };
    is_found(Invariant::Causal, PLAN, go_back, "overwritten value read");
}

#[test]
fn causal_reverse() {
    let hide: Plant = |history, rng| {
        let reads = succeeded(history, "read");
        let read = one_of(&reads[reads.len() / 2..], rng)?;
        let seen = history[read].result()?.as_array()?.clone();
        let latest = history.iter().rposition(|o| o.f == "write" && seen.contains(&o.arguments))?;
        let write = done_before(history, "write", latest, rng)?;
        let element = history[write].arguments.clone();
        items(&mut history[read]).retain(|item| *item != element);
        Some(vec![read])
    };
    is_found(Invariant::CausalReverse, PLAN, hide, "write overtaken");
}

#[test]
fn sequential() {
    let miss: Plant = |history, rng| {
        let mut reads = succeeded(history, "read");
        let is_found =
            |at: &usize| history[*at].result().is_some_and(|read| read[1][1].is_string());
        reads.retain(is_found);
        let read = one_of(&reads, rng)?;
        result(&mut history[read])[1][3] = Value::Null;
        Some(vec![read])
    };
    is_found(Invariant::Sequential, PLAN, miss, "writes out of order");
}

#[test]
fn g2() {
    let let_in: Plant = |history, rng| {
        let inserted = succeeded(history, "insert");
        let refused = |at: &usize| {
            let key = &history[*at].arguments[0];
            matches!(history[*at].completion, Completion::Fail(..))
                && inserted.iter().any(|other| history[*other].arguments[0] == *key)
        };
        let refused: Vec<usize> = (0..history.len()).filter(refused).collect();
        let second = one_of(&refused, rng)?;
        let at = history[second].return_index()?;
        history[second].completion = Completion::Ok(at, history[second].arguments.clone());
        Some(vec![second])
    };
    is_found(Invariant::G2, PLAN, let_in, "write skew");
}

#[test]
fn monotonic() {
    let exchange: Plant = |history, rng| {
        let last = history.len() - 1;
        let rows = items(&mut history[last]);
        let one = rng.random_range(1..rows.len().max(2));
        let value = rows.get_mut(one)?["val"].take();
        rows[one]["val"] = std::mem::replace(&mut rows[one - 1]["val"], value);
        Some(vec![last])
    };
    let lose: Plant = |history, rng| {
        let last = history.len() - 1;
        let add = done_before(history, "add", last, rng)?;
        let row = history[add].result()?.clone();
        items(&mut history[last]).retain(|item| *item != row);
        Some(vec![add])
    };
    is_found(Invariant::Monotonic, PLAN, exchange, "values out of order");
    is_found(Invariant::Monotonic, PLAN, double, "duplicated element");
    is_found(Invariant::Monotonic, PLAN, lose, "lost element");
}
