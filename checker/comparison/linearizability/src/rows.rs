//! The histories that are compared: one row of the table each.

use comparison::Row;
use history::Verdict;
use linearizability::CallOf;
use linearizability::models::kv::{KvInput, KvOutput};
use linearizability::models::{CasRegister, Kv};
use rand::RngExt;

use crate::checkers::Checker;
use crate::synthetic::{self, Shape};

const MILLION: usize = 1_000_000;

/// What is checked.
pub enum History {
    /// Histories of one register each, a verdict for each.
    Registers(Vec<Vec<CallOf<CasRegister>>>),
    /// The history of a store, by key.
    Store(Vec<Vec<CallOf<Kv>>>),
}

/// A row on which every checker should say the same.
pub fn row(
    name: String,
    expected: Vec<Verdict>,
    history: impl Fn() -> Result<History, String> + Sync + 'static,
) -> Row<History> {
    Row { name, expected: vec![expected; Checker::ALL.len()], history: Box::new(history) }
}

/// Histories of a right store, and of one that once lies, whose verdicts are known from how they are made.
pub fn generated() -> Vec<Row<History>> {
    use Verdict::{Valid, Violation};
    let generated = |name: &str, expected, make: fn() -> History| {
        row(name.to_owned(), vec![expected], move || Ok(make()))
    };
    vec![
        generated("register 1k, 10 clients, 1 % unknown", Valid, || register(1_000, 10, 20)),
        generated("register 1k, 10 clients, 1 % unknown, stale", Violation, || {
            stale(1_000, 10, 20)
        }),
        generated("register 1k, 25 clients", Valid, || register(1_000, 25, 0)),
        generated("register 100k, 5 clients", Valid, || register(100_000, 5, 0)),
        generated("register 1M, 5 clients, 1 % unknown", Valid, || register(MILLION, 5, 20)),
        generated("register 1M, 5 clients, 1 % unknown, stale", Violation, || {
            stale(MILLION, 5, 20)
        }),
        generated("register 1M, 50 clients, 1 % unknown", Valid, || register(MILLION, 50, 20)),
        generated("register 1M, 50 clients, 1 % unknown, stale", Violation, || {
            stale(MILLION, 50, 20)
        }),
        generated("kv 1M, 10 clients, 100 keys", Valid, key_value),
        generated("cas over 5 values 100k, 10 clients", Valid, few_values),
        generated("append-only 400, 10 clients", Valid, append_only),
    ]
}

/// Half the operations are writes, so twice as many of these are unknown as of all.
fn registers(
    operations: usize,
    clients: usize,
    unknown_per_mille: u32,
) -> Vec<CallOf<CasRegister>> {
    synthetic::register(Shape { operations, clients, keys: 1, unknown_per_mille }, 1)
}

fn register(operations: usize, clients: usize, unknown_per_mille: u32) -> History {
    History::Registers(vec![registers(operations, clients, unknown_per_mille)])
}

fn stale(operations: usize, clients: usize, unknown_per_mille: u32) -> History {
    let mut calls = registers(operations, clients, unknown_per_mille);
    synthetic::make_stale(&CasRegister::default(), &mut calls);
    History::Registers(vec![calls])
}

fn key_value() -> History {
    let shape = Shape { operations: MILLION, clients: 10, keys: 100, unknown_per_mille: 0 };
    History::Store(synthetic::key_value(shape, 1))
}

fn few_values() -> History {
    let shape = Shape { operations: 100_000, clients: 10, keys: 1, unknown_per_mille: 0 };
    History::Registers(vec![synthetic::cas(shape, 1)])
}

/// Half reads, half appends that do not say what they left.
fn append_only() -> History {
    let shape = Shape { operations: 400, clients: 10, keys: 1, unknown_per_mille: 0 };
    let input = |i: usize, rng: &mut _| match RngExt::random_bool(rng, 0.5) {
        true => KvInput::Get,
        false => KvInput::Append(format!("{i};").into()),
    };
    let truth = |state: &_, input: &KvInput| match input {
        KvInput::Get => synthetic::kv_truth(state, input),
        _ => KvOutput::Done,
    };
    History::Store(synthetic::record(&Kv, shape, 1, input, truth))
}
