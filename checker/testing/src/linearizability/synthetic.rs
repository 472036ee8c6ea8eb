//! Long synthetic histories of a right store, and of one that once lies.

use std::ops::Range;

use linearizability::models::cas_register::{CasInput, CasOutput, CasRegister};
use linearizability::models::kv::{Kv, KvInput, KvOutput};
use linearizability::{Call, CallOf, Model};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

/// How much, and how hard.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many operations.
    pub operations: usize,
    /// All of them busy all the time.
    pub clients: usize,
    /// On how many keys.
    pub keys: usize,
    /// Of a thousand writes, how many are never answered.
    pub unknown_per_mille: u32,
}

/// The operations of a right store by key; each takes effect at one moment between its call and its return. Of those
/// never answered one half never does.
pub fn record<M: Model>(
    model: &M,
    shape: Shape,
    seed: u64,
    input: impl FnMut(usize, &mut ChaCha8Rng) -> M::Input,
    truth: impl Fn(&M::State, &M::Input) -> M::Output,
) -> Vec<Vec<CallOf<M>>> {
    record_from(model, model.initial(), shape, seed, input, truth)
}

/// The same where every key has this state at first.
pub fn record_from<M: Model>(
    model: &M,
    start: M::State,
    shape: Shape,
    seed: u64,
    mut input: impl FnMut(usize, &mut ChaCha8Rng) -> M::Input,
    truth: impl Fn(&M::State, &M::Input) -> M::Output,
) -> Vec<Vec<CallOf<M>>> {
    #[derive(Clone, Copy)]
    enum Client {
        Idle,
        Called(usize, usize),
        Done(usize, usize),
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut keys: Vec<Vec<CallOf<M>>> = (0..shape.keys).map(|_| Vec::new()).collect();
    let mut states = vec![start; shape.keys];
    let mut clients = vec![Client::Idle; shape.clients];
    let (mut begun, mut busy, mut now) = (0, 0, 0);
    while begun < shape.operations || busy > 0 {
        let client = rng.random_range(0..shape.clients);
        match clients[client] {
            Client::Idle if begun < shape.operations => {
                let key = rng.random_range(0..shape.keys);
                let call = Call {
                    id: now,
                    process: client as u64,
                    input: input(begun, &mut rng),
                    output: None,
                    call: now,
                    ret: None,
                    call_ns: now * 1_000_000,
                    return_ns: None,
                    failed: false,
                };
                keys[key].push(call);
                (begun, busy, now) = (begun + 1, busy + 1, now + 1);
                clients[client] = Client::Called(key, keys[key].len() - 1);
            }
            Client::Idle => {}
            Client::Called(key, at) => {
                let call = &mut keys[key][at];
                let lost = !model.effects(&call.input, None).is_read_only()
                    && rng.random_range(0..1000) < shape.unknown_per_mille;
                if !lost || rng.random_bool(0.5) {
                    let output = truth(&states[key], &call.input);
                    states[key] = model
                        .step(&states[key], &call.input, Some(&output))
                        .expect("the true result is legal");
                    call.output = (!lost).then_some(output);
                }
                busy -= usize::from(lost);
                clients[client] = if lost { Client::Idle } else { Client::Done(key, at) };
            }
            Client::Done(key, at) => {
                let call = &mut keys[key][at];
                (call.ret, call.return_ns) = (Some(now), Some(now * 1_000_000));
                (busy, now) = (busy - 1, now + 1);
                clients[client] = Client::Idle;
            }
        }
    }
    keys
}

/// What a right store answers.
pub fn kv_truth(state: &<Kv as Model>::State, input: &KvInput) -> KvOutput {
    let value = state.value();
    match input {
        KvInput::Get => KvOutput::Value(value),
        KvInput::Put(_) => KvOutput::Done,
        KvInput::Append(more) => KvOutput::Value(Some(value.unwrap_or_default() + more)),
        KvInput::PutHash(_) => KvOutput::Previous(value.unwrap_or_default()),
        KvInput::Cas { expect, .. } => {
            let swapped = value == *expect;
            KvOutput::Cas { swapped, current: (!swapped).then_some(value) }
        }
    }
}

/// Half reads, half writes of different values.
pub fn register(shape: Shape, seed: u64) -> Vec<CallOf<CasRegister>> {
    let input = |i: usize, rng: &mut ChaCha8Rng| {
        if rng.random_bool(0.5) { CasInput::Read } else { CasInput::Write(i.into()) }
    };
    record(&CasRegister::default(), shape, seed, input, cas_truth).swap_remove(0)
}

/// Half reads, two fifths appends, the rest writes, all pieces different.
pub fn key_value(shape: Shape, seed: u64) -> Vec<Vec<CallOf<Kv>>> {
    let input = |i: usize, rng: &mut ChaCha8Rng| match rng.random_range(0..10) {
        0..5 => KvInput::Get,
        5 => KvInput::Put(format!("{i};").into()),
        _ => KvInput::Append(format!("{i};").into()),
    };
    record(&Kv, shape, seed, input, kv_truth)
}

/// Reads, writes and compare-and-sets over five values, a third each, as Jepsen's register tests.
pub fn cas(shape: Shape, seed: u64) -> Vec<CallOf<CasRegister>> {
    let input = |_: usize, rng: &mut ChaCha8Rng| {
        let value = |rng: &mut ChaCha8Rng| Value::from(rng.random_range(0..5));
        match rng.random_range(0..3) {
            0 => CasInput::Read,
            1 => CasInput::Write(value(rng)),
            _ => CasInput::Cas(value(rng), value(rng)),
        }
    };
    record(&CasRegister::default(), shape, seed, input, cas_truth).swap_remove(0)
}

/// What a right register answers.
pub fn cas_truth(state: &Value, input: &CasInput) -> CasOutput {
    match input {
        CasInput::Read => CasOutput::Value(state.clone()),
        CasInput::Write(_) => CasOutput::Done,
        CasInput::Cas(expect, _) => CasOutput::Cas(state == expect),
    }
}

/// Lets one of the last reads see what another saw long before.
pub fn make_stale<M: Model>(model: &M, calls: &mut [CallOf<M>]) {
    let is_read =
        |call: &CallOf<M>| model.effects(&call.input, None).is_read_only() && call.output.is_some();
    let late = calls.len() - calls.len() / 20;
    let late = (late..calls.len()).find(|&i| is_read(&calls[i])).expect("half are reads");
    // A compare-and-set may be one that changes nothing.
    let kind = |i: usize| std::mem::discriminant(&calls[i].input);
    let is_early = |&i: &usize| is_read(&calls[i]) && kind(i) == kind(late);
    let early = (0..late * 9 / 10).rev().find(is_early).expect("half are reads");
    calls[late].output = calls[early].output.clone();
}

/// One lie near the end of a history of compare-and-sets.
#[derive(Clone, Copy, Debug)]
pub enum Spoil {
    /// A read saw what another had seen long before.
    StaleRead,
    /// A read saw a value that nobody wrote.
    PhantomRead,
    /// A compare-and-set found a value that nobody wrote.
    ImpossibleCas,
    /// Twenty compare-and-sets in a row that were refused say that they were not.
    FlippedCas,
    /// So many reads in the third quarter exchanged their results with ones in the last.
    SwappedReads(usize),
    /// So many compare-and-sets in the second half that were refused say that they were not.
    Swapped(usize),
    /// So many compare-and-sets in the second half that took effect say that they were refused.
    Refused(usize),
}

impl Spoil {
    /// `seed`: where the lies that are scattered fall.
    pub fn apply(self, calls: &mut [CallOf<CasRegister>], seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let late = calls.len() - calls.len() / 20;
        let mut after = calls[late..].iter_mut().filter(|call| call.ret.is_some());
        match self {
            Self::StaleRead => make_stale(&CasRegister::default(), calls),
            Self::PhantomRead => {
                let read = after.find(|call| call.input == CasInput::Read);
                read.expect("a third are reads").output = Some(CasOutput::Value(9.into()));
            }
            Self::FlippedCas => {
                let refused =
                    |call: &&mut CallOf<CasRegister>| call.output == Some(CasOutput::Cas(false));
                after.filter(refused).take(20).for_each(|call| {
                    call.output = Some(CasOutput::Cas(true));
                });
            }
            Self::SwappedReads(times) => swap_reads(calls, times, &CasInput::Read, seed),
            Self::Swapped(times) => flip(calls, times, false, &mut rng),
            Self::Refused(times) => flip(calls, times, true, &mut rng),
            Self::ImpossibleCas => {
                let cas = after.find(|call| matches!(call.input, CasInput::Cas(..)));
                let cas = cas.expect("a third are compare-and-sets");
                (cas.input, cas.output) =
                    (CasInput::Cas(9.into(), 1.into()), Some(CasOutput::Cas(true)));
            }
        }
    }
}

/// So many reads in the third quarter exchange their results with ones in the last.
pub fn swap_reads<I: PartialEq, O: Clone + PartialEq>(
    calls: &mut [Call<I, O>],
    times: usize,
    read: &I,
    seed: u64,
) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (half, quarter) = (calls.len() / 2, calls.len() / 4);
    let is_read = |call: &Call<I, O>| call.input == *read && call.output.is_some();
    for _ in 0..times {
        let third = scattered(calls, half..half + quarter, is_read, &mut rng);
        let seen = calls[third].output.clone();
        let differs = |call: &Call<I, O>| is_read(call) && call.output != seen;
        let last = scattered(calls, half + quarter..calls.len(), differs, &mut rng);
        calls[third].output = calls[last].output.replace(seen.expect("it was seen"));
    }
}

/// Compare-and-sets with this answer get the other one.
fn flip(calls: &mut [CallOf<CasRegister>], times: usize, from: bool, rng: &mut ChaCha8Rng) {
    for _ in 0..times {
        let answered = |call: &CallOf<CasRegister>| call.output == Some(CasOutput::Cas(from));
        let flipped = scattered(calls, calls.len() / 2..calls.len(), answered, rng);
        calls[flipped].output = Some(CasOutput::Cas(!from));
    }
}

/// One of these calls in this range, by chance.
fn scattered<I, O>(
    calls: &[Call<I, O>],
    range: Range<usize>,
    is_one: impl Fn(&Call<I, O>) -> bool,
    rng: &mut ChaCha8Rng,
) -> usize {
    let all: Vec<usize> = range.filter(|&i| is_one(&calls[i])).collect();
    all[rng.random_range(0..all.len())]
}
