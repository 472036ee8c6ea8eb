//! An explanation is a proof: a history that has an order never has one.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::{Effort, WORK_MAX, explain};
use crate::limits::Budget;
use crate::models::cas_register::CasInput;
use crate::models::counter::CounterInput;
use crate::models::kv::KvInput;
use crate::models::line::LineInput;
use crate::models::lock::LockInput;
use crate::models::multi_register::MultiInput;
use crate::models::{CasRegister, Counter, Kv, MultiRegister, OwnedLock, Queue};
use crate::{Call, CallOf, Model, oracle};

/// Random operations with the results that they have at some moment within their time, then half of the time one
/// result taken from another operation.
fn history<M: Model>(
    model: &M,
    rng: &mut ChaCha8Rng,
    input: impl Fn(&mut ChaCha8Rng) -> M::Input,
) -> Vec<CallOf<M>> {
    let size = rng.random_range(2..=7_usize);
    let mut calls: Vec<(u64, CallOf<M>)> = Vec::new();
    for id in 0..size as u64 {
        let call = rng.random_range(0..20);
        let end = call + rng.random_range(0..8);
        let (failed, open) = (rng.random_bool(0.1), rng.random_bool(0.15));
        let one = Call {
            id,
            process: id,
            input: input(rng),
            output: None,
            call,
            ret: (!open).then_some(end),
            call_ns: call,
            return_ns: (!open).then_some(end),
            failed,
        };
        calls.push((rng.random_range(call * 10..=end * 10), one));
    }
    calls.sort_by_key(|(moment, _)| *moment);
    let mut state = model.initial();
    for (_, call) in calls.iter_mut().filter(|(_, call)| !call.failed) {
        let answer = model.answer(&state, &call.input).expect("every model here has one answer");
        state = model.step(&state, &call.input, Some(&answer)).expect("an answer is legal");
        call.output = call.ret.is_some().then_some(answer);
    }
    let mut calls: Vec<CallOf<M>> = calls.into_iter().map(|(_, call)| call).collect();
    let (to, from) = (rng.random_range(0..size), rng.random_range(0..size));
    let alike =
        std::mem::discriminant(&calls[to].input) == std::mem::discriminant(&calls[from].input);
    if alike && calls[to].output.is_some() && calls[from].output.is_some() && rng.random_bool(0.7) {
        calls[to].output = calls[from].output.clone();
    }
    calls
}

/// How many of the illegal histories are explained.
fn explained<M: Model>(model: &M, input: impl Fn(&mut ChaCha8Rng) -> M::Input) -> (u32, u32)
where
    CallOf<M>: std::fmt::Debug,
{
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (mut illegal, mut explained) = (0, 0);
    let budget = Budget::unlimited();
    for _ in 0..10_000 {
        let calls = history(model, &mut rng, &input);
        let effort = Effort::new(budget, WORK_MAX);
        let found = explain(model, &calls, 0..calls.len(), &effort);
        if oracle::is_linearizable(model, &calls) {
            assert!(found.is_none(), "{found:?} of {calls:#?}");
        } else {
            illegal += 1;
            explained += u32::from(found.is_some());
        }
    }
    (illegal, explained)
}

/// Most illegal histories are explained, and no legal one.
#[track_caller]
fn mostly<M: Model>(model: &M, input: impl Fn(&mut ChaCha8Rng) -> M::Input)
where
    CallOf<M>: std::fmt::Debug,
{
    let (illegal, explained) = explained(model, input);
    assert!(illegal > 50 && explained > illegal / 3, "{explained} of {illegal} explained");
}

fn key(rng: &mut ChaCha8Rng) -> String {
    ["x", "y", "z"][rng.random_range(0..3)].to_owned()
}

fn value(rng: &mut ChaCha8Rng, kinds: u32) -> String {
    rng.random_range(0..kinds).to_string()
}

#[test]
fn of_registers_under_transactions() {
    for (kinds, swaps) in [(100, false), (3, false), (100, true)] {
        mostly(&MultiRegister::default(), |rng| {
            match rng.random_range(0..if swaps { 5 } else { 4 }) {
                0 | 1 => MultiInput::Read(vec!["x".into(), "y".into(), "z".into()]),
                2 | 3 => {
                    let some = rng.random_range(1..=3);
                    MultiInput::Write(
                        (0..some).map(|_| (key(rng), value(rng, kinds).into())).collect(),
                    )
                }
                _ => MultiInput::Swap(key(rng), key(rng)),
            }
        });
    }
}

#[test]
fn of_one_register() {
    for kinds in [2, 6] {
        mostly(&CasRegister::default(), |rng| {
            let number = |rng: &mut ChaCha8Rng| Value::from(rng.random_range(0..kinds));
            match rng.random_range(0..3) {
                0 => CasInput::Read,
                1 => CasInput::Write(number(rng)),
                _ => CasInput::Cas(number(rng), number(rng)),
            }
        });
        mostly(&Kv, |rng| match rng.random_range(0..4) {
            0 | 1 => KvInput::Get,
            2 => KvInput::Put(value(rng, 3).into()),
            _ => KvInput::Append(value(rng, 3).into()),
        });
    }
}

#[test]
fn of_locks() {
    let request = |rng: &mut ChaCha8Rng, client| {
        if rng.random_bool(0.5) { LockInput::Acquire(client) } else { LockInput::Release(client) }
    };
    mostly(&OwnedLock::default(), |rng| request(rng, None));
    mostly(&OwnedLock::default(), |rng| {
        let client = rng.random_range(0..2);
        request(rng, Some(client))
    });
}

#[test]
fn of_counters_and_queues() {
    mostly(&Counter::default(), |rng| match rng.random_range(0..3) {
        0 => CounterInput::Read,
        _ => CounterInput::Add(rng.random_range(-1..4)),
    });
    let (illegal, explained) = explained(&Queue::new(), |rng| match rng.random_range(0..2) {
        0 => LineInput::Put(rng.random_range(0..3_u8)),
        _ => LineInput::Take,
    });
    assert!(illegal > 100 && explained > 30, "{explained} of {illegal} explained");
}
