//! The bank's rules against brute force: on small random histories, right and corrupted ones, a violation is reported
//! only where no serial order explains the answers, and, refusals aside, wherever none does.

mod simulated;

use std::collections::{BTreeMap, BTreeSet};

use contract::{MicroOperation, Operation, Outcome};
use history::Completion;
use linearizability::Limits;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
use serde_json::json;
use simulated::{ALL, store::apply, violated};
use workloads::by_name;

const HISTORIES: u64 = 60_000;
const KEYS: [&str; 3] = ["account0", "account1", "account2"];

type State = BTreeMap<String, String>;

struct Small {
    operation: Operation,
    call: u64,
    /// Where it took effect, when it did.
    effect: u64,
    ret: u64,
    end: Completion,
}

#[test]
fn the_bank_rules_agree_with_brute_force() {
    let workload = by_name("bank:txn", &ALL).unwrap();
    let mut counts = BTreeMap::new();
    for seed in 0..HISTORIES {
        let small = history(&mut ChaCha8Rng::seed_from_u64(seed));
        let recorded: Vec<history::Operation> = small.iter().map(recorded).collect();
        let results = workload.check(&recorded, &Limits::default());
        let explained = explains(&small, &mut BTreeSet::new(), &State::new());
        let accused = violated(&results);
        let refusals = small
            .iter()
            .any(|one| matches!(outcome(one), Some(Outcome::Committed { committed: false, .. })));
        *counts.entry((explained, accused, refusals)).or_insert(0_u64) += 1;
        assert!(!(explained && accused), "false alarm, seed {seed}: {results:#?}\n{recorded:#?}");
        assert!(explained || accused || refusals, "missed, seed {seed}: {recorded:#?}");
    }
    // The histories are neither all right nor all wrong.
    let enough = |explained| {
        counts.iter().filter(|((is, ..), _)| *is == explained).map(|(_, count)| count).sum::<u64>()
    };
    assert!(enough(true) > HISTORIES / 10 && enough(false) > HISTORIES / 10, "{counts:?}");
    println!("(explained, accused, has refusals): {counts:?}");
}

fn outcome(one: &Small) -> Option<Outcome> {
    match &one.end {
        Completion::Ok(_, result) => {
            Some(one.operation.parse_outcome(result).expect("results have their shape"))
        }
        Completion::Fail(..) | Completion::Info(_) => None,
    }
}

fn recorded(one: &Small) -> history::Operation {
    history::Operation {
        call: one.call,
        process: one.call,
        f: one.operation.name().to_owned(),
        arguments: one.operation.arguments(),
        completion: one.end.clone(),
        call_ns: one.call,
        return_ns: Some(one.ret),
        node: None,
        phase: String::new(),
    }
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

/// A random history: executed on a right store, some answers corrupted afterwards.
fn history(rng: &mut ChaCha8Rng) -> Vec<Small> {
    let count = rng.random_range(2..=6);
    let mut slots: Vec<usize> = (0..count * 2).map(|slot| slot / 2).collect();
    slots.shuffle(rng);
    let mut times = vec![Vec::new(); count];
    for (time, slot) in slots.into_iter().enumerate() {
        times[slot].push(time as u64 * 10 + 10);
    }
    // The opening is over before the rest begins, as a rule.
    let opening_ret = if rng.random_range(0..5) == 0 { 10_000 } else { 5 };
    let mut small = vec![one(opening(), 0, opening_ret, rng)];
    for (number, time) in times.into_iter().enumerate() {
        small.push(one(operation(number, count, rng), time[0], time[1], rng));
    }
    execute(&mut small, rng);
    if rng.random_range(0..2) == 0 {
        corrupt(&mut small, count, rng);
    }
    small.sort_by_key(|one| one.call);
    small
}

fn one(operation: Operation, call: u64, ret: u64, rng: &mut ChaCha8Rng) -> Small {
    let effect = rng.random_range(call..ret);
    Small { operation, call, effect, ret, end: Completion::Info(None) }
}

fn opening() -> Operation {
    Operation::Txn {
        guards: KEYS.map(|key| (key.to_owned(), None)).into(),
        ops: KEYS
            .map(|key| MicroOperation::Write(key.to_owned(), "100 opening".to_owned()))
            .to_vec(),
    }
}

/// A value that some operation may write to any key.
fn value(number: usize) -> String {
    format!("{} t{number}", 10 + number)
}

fn expected(count: usize, rng: &mut ChaCha8Rng) -> Option<String> {
    match rng.random_range(0..20) {
        0 => None,
        1 => Some("7 never".to_owned()),
        2..9 => Some("100 opening".to_owned()),
        _ => Some(value(rng.random_range(0..count))),
    }
}

fn operation(number: usize, count: usize, rng: &mut ChaCha8Rng) -> Operation {
    let mut keys = KEYS;
    keys.shuffle(rng);
    let keys = &keys[..rng.random_range(1..=3)];
    if rng.random_range(0..5) < 2 {
        return Operation::MultiGet { keys: keys.iter().map(|key| (*key).to_owned()).collect() };
    }
    let guards = keys.iter().map(|key| ((*key).to_owned(), expected(count, rng))).collect();
    // Sometimes one guarded key is not written, and nothing at all where it was the only one.
    let writes = keys.len() - usize::from(rng.random_range(0..3) == 0);
    let mut ops: Vec<MicroOperation> = keys[..writes]
        .iter()
        .map(|key| MicroOperation::Write((*key).to_owned(), value(number)))
        .collect();
    if rng.random_range(0..4) == 0 {
        let at = rng.random_range(0..=ops.len());
        ops.insert(at, MicroOperation::Read(KEYS[rng.random_range(0..3)].to_owned()));
    }
    Operation::Txn { guards, ops }
}

fn execute(small: &mut [Small], rng: &mut ChaCha8Rng) {
    small.sort_by_key(|one| one.effect);
    let mut state = State::new();
    for one in small {
        // Make guards hold more often than chance would.
        if let Operation::Txn { guards, .. } = &mut one.operation
            && one.call > 0
            && rng.random_range(0..4) > 0
        {
            for (key, value) in guards.iter_mut() {
                *value = state.get(key).cloned();
            }
        }
        let roll = rng.random_range(0..10);
        if roll == 0 {
            one.end = Completion::Fail(one.ret, None);
        } else if roll > 2 || rng.random_range(0..2) == 0 {
            let result = apply(&mut state, &one.operation);
            if roll > 2 {
                one.end = Completion::Ok(one.ret, json!(result));
            }
        }
    }
}

/// Changes one answer, keeping its shape.
fn corrupt(small: &mut [Small], count: usize, rng: &mut ChaCha8Rng) {
    let chosen = rng.random_range(0..small.len());
    let one = &mut small[chosen];
    let Completion::Ok(at, _) = one.end else { return };
    let result = match outcome(one) {
        Some(Outcome::Values { mut values }) => {
            let key = rng.random_range(0..values.len());
            if let Some(value) = values.values_mut().nth(key) {
                *value = expected(count, rng);
            }
            json!(Outcome::Values { values })
        }
        Some(Outcome::Committed { committed: true, results: Some(mut results) }) => {
            match (rng.random_range(0..3), results.len()) {
                (0, _) | (_, 0) => json!(Outcome::Committed { committed: false, results: None }),
                (_, len) => {
                    results[rng.random_range(0..len)] = Some("100 opening".to_owned());
                    json!(Outcome::Committed { committed: true, results: Some(results) })
                }
            }
        }
        Some(Outcome::Committed { committed: false, .. }) => {
            let Operation::Txn { ops, .. } = &one.operation else { return };
            let results = ops.iter().map(|op| match op {
                MicroOperation::Read(_) => expected(count, rng),
                MicroOperation::Write(_, value) | MicroOperation::Append(_, value) => {
                    Some(value.clone())
                }
            });
            json!(Outcome::Committed { committed: true, results: Some(results.collect()) })
        }
        _ => return,
    };
    one.end = Completion::Ok(at, result);
}
