//! Small random histories: executed on a right store, some answers corrupted afterwards.

use std::collections::BTreeMap;

use contract::{MicroOperation, Operation, Outcome};
use history::Completion;
use rand::{RngExt, rngs::ChaCha8Rng, seq::SliceRandom};
use serde_json::json;

use crate::simulated::store::apply;

const KEYS: [&str; 3] = ["account0", "account1", "account2"];

/// What the store holds.
pub type State = BTreeMap<String, String>;

/// An operation of a small history.
pub struct Small {
    pub operation: Operation,
    pub call: u64,
    /// Where it took effect, when it did.
    effect: u64,
    pub ret: u64,
    pub end: Completion,
}

/// What the histories of a workload are made of.
pub struct Kind {
    pub workload: &'static str,
    pub histories: u64,
    /// Whether all accounts are opened first.
    pub opens: bool,
    /// The operation with this number, of so many.
    pub operation: fn(usize, usize, &mut ChaCha8Rng) -> Operation,
    /// Something else in the place of a value that was told, or expected by a guard.
    pub other: fn(Option<&str>, usize, &mut ChaCha8Rng) -> Option<String>,
    /// Whether the record tells the order of all versions, so that nothing is missed.
    pub is_complete: bool,
}

/// What it was told.
pub fn outcome(one: &Small) -> Option<Outcome> {
    match &one.end {
        Completion::Ok(_, result) => {
            Some(one.operation.parse_outcome(result).expect("results have their shape"))
        }
        Completion::Fail(..) | Completion::Info(_) => None,
    }
}

/// As the bench records it.
pub fn recorded(one: &Small) -> history::Operation {
    history::Operation {
        call: one.call,
        process: one.call,
        f: one.operation.name().into(),
        arguments: one.operation.arguments(),
        completion: one.end.clone(),
        call_ns: one.call,
        return_ns: Some(one.ret),
        node: None,
        phase: String::new(),
    }
}

/// A random history: executed on a right store, some answers corrupted afterwards.
pub fn history(kind: &Kind, rng: &mut ChaCha8Rng) -> Vec<Small> {
    let count = rng.random_range(2..=6);
    let mut slots: Vec<usize> = (0..count * 2).map(|slot| slot / 2).collect();
    slots.shuffle(rng);
    let mut times = vec![Vec::new(); count];
    for (time, slot) in slots.into_iter().enumerate() {
        times[slot].push(time as u64 * 10 + 10);
    }
    // The opening is over before the rest begins, as a rule.
    let opening_ret = if rng.random_range(0..5) == 0 { 10_000 } else { 5 };
    let opening = kind.opens.then(|| one(opening(), 0, opening_ret, rng));
    let mut small: Vec<Small> = opening.into_iter().collect();
    for (number, time) in times.into_iter().enumerate() {
        small.push(one((kind.operation)(number, count, rng), time[0], time[1], rng));
    }
    execute(&mut small, rng);
    if rng.random_range(0..2) == 0 {
        corrupt(kind, &mut small, count, rng);
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

/// What a guard may expect.
pub fn expected(count: usize, rng: &mut ChaCha8Rng) -> Option<String> {
    match rng.random_range(0..20) {
        0 => None,
        1 => Some("7 never".to_owned()),
        2..9 => Some("100 opening".to_owned()),
        _ => Some(value(rng.random_range(0..count))),
    }
}

/// A guarded transaction, or a read.
pub fn transfer(number: usize, count: usize, rng: &mut ChaCha8Rng) -> Operation {
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

/// Up to three steps, or a read of two keys.
pub fn steps(rng: &mut ChaCha8Rng, write: impl Fn(String, usize) -> MicroOperation) -> Operation {
    if rng.random_range(0..4) == 0 {
        return Operation::MultiGet {
            keys: KEYS[..2].iter().map(|key| (*key).to_owned()).collect(),
        };
    }
    let ops = (0..rng.random_range(1..=3)).map(|step| {
        let key = KEYS[rng.random_range(0..2)].to_owned();
        if rng.random_range(0..2) == 0 { MicroOperation::Read(key) } else { write(key, step) }
    });
    let ops = ops.collect();
    // What the guard expects is chosen when it runs.
    let guarded = rng.random_range(0..8) == 0;
    let guards = guarded.then(|| (KEYS[0].to_owned(), Some("t0.0;".to_owned())));
    Operation::Txn { ops, guards: guards.into_iter().collect() }
}

/// A list with an element less, one more, or two of them exchanged.
pub fn other_list(list: Option<&str>, count: usize, rng: &mut ChaCha8Rng) -> Option<String> {
    let mut elements: Vec<String> =
        list.unwrap_or("").split_inclusive(';').map(str::to_owned).collect();
    match (rng.random_range(0..4), elements.len()) {
        (0, 2..) => elements.swap(0, 1),
        (1, 1..) => elements.truncate(rng.random_range(0..elements.len())),
        (2, 1..) => drop(elements.remove(rng.random_range(0..elements.len()))),
        _ => elements.push(format!("t{}.{};", rng.random_range(0..count), rng.random_range(0..3))),
    }
    (!elements.is_empty()).then(|| elements.concat())
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
fn corrupt(kind: &Kind, small: &mut [Small], count: usize, rng: &mut ChaCha8Rng) {
    let other = |value: Option<&String>, rng: &mut ChaCha8Rng| {
        (kind.other)(value.map(String::as_str), count, rng)
    };
    let chosen = rng.random_range(0..small.len());
    let one = &mut small[chosen];
    let Completion::Ok(at, _) = one.end else { return };
    let result = match outcome(one) {
        Some(Outcome::Values { mut values }) => {
            let key = rng.random_range(0..values.len());
            if let Some(value) = values.values_mut().nth(key) {
                *value = other(value.as_ref(), rng);
            }
            json!(Outcome::Values { values })
        }
        Some(Outcome::Committed { committed: true, results: Some(mut results) }) => {
            match (rng.random_range(0..3), results.len()) {
                (0, _) | (_, 0) => json!(Outcome::Committed { committed: false, results: None }),
                (_, len) => {
                    let told = &mut results[rng.random_range(0..len)];
                    // No step that writes leaves its key missing.
                    *told = other(told.as_ref(), rng).or(told.take());
                    json!(Outcome::Committed { committed: true, results: Some(results) })
                }
            }
        }
        Some(Outcome::Committed { committed: false, .. }) => {
            let Operation::Txn { ops, .. } = &one.operation else { return };
            let results = ops.iter().map(|op| match op {
                MicroOperation::Read(_) => other(None, rng),
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
