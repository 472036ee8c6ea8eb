//! Clients of an object with few values, and a store that once forgets what it has acknowledged.

use compact_str::ToCompactString;
use linearizability::models::cas_register::{CasInput, CasRegister};
use linearizability::models::kv::{Kv, KvInput};
use linearizability::{Call, CallOf, Model};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::synthetic::{Shape, cas_truth, kv_truth, record, record_from};

/// What is asked, and what a right store answers.
pub struct Load<M: Model> {
    /// The object.
    pub model: M,
    /// A random operation with this number.
    pub input: fn(usize, &mut ChaCha8Rng) -> M::Input,
    /// What a right store answers.
    pub truth: fn(&M::State, &M::Input) -> M::Output,
    /// The operation that reads.
    pub read: M::Input,
    /// Two blind writes that leave different values.
    pub writes: [M::Input; 2],
}

/// Half reads, half writes of five values.
pub fn register() -> Load<CasRegister> {
    let input = |_: usize, rng: &mut ChaCha8Rng| match rng.random_range(0..10) {
        value @ 0..5 => CasInput::Write(value.into()),
        _ => CasInput::Read,
    };
    let writes = [0, 1].map(|value: u8| CasInput::Write(value.into()));
    Load { model: CasRegister::default(), input, truth: cas_truth, read: CasInput::Read, writes }
}

/// A third reads; of the others a third each are puts, appends and compare-and-sets, over three values.
pub fn key() -> Load<Kv> {
    let input = |_: usize, rng: &mut ChaCha8Rng| {
        let value = |rng: &mut ChaCha8Rng| rng.random_range(0..3).to_compact_string();
        match rng.random_range(0..9) {
            0..3 => KvInput::Get,
            3..5 => KvInput::Put(value(rng)),
            5..7 => KvInput::Append(value(rng)),
            _ => KvInput::Cas { expect: Some(value(rng)), value: value(rng) },
        }
    };
    let writes = ["0", "1"].map(|value| KvInput::Put(value.into()));
    Load { model: Kv, input, truth: kv_truth, read: KvInput::Get, writes }
}

impl<M: Model> Load<M> {
    /// One object of a right store.
    pub fn right(&self, shape: Shape, seed: u64) -> Vec<CallOf<M>> {
        record(&self.model, shape, seed, self.input, self.truth).swap_remove(0)
    }

    /// Half-way, while nobody else is busy, a write returns and what was before is read, again and again. Each time an
    /// operation that was never answered may have put that back, but there is one too few of them: a violation.
    pub fn losing_a_write(&self, shape: Shape, seed: u64) -> Vec<CallOf<M>> {
        let half = Shape { operations: shape.operations / 2, ..shape };
        let mut calls = self.right(half, seed);
        let [before, lost] = &self.writes;
        let state = self.model.step(&self.model.initial(), before, None);
        let state = state.expect("a blind write is legal");
        let unanswered = calls.iter().filter(|call| call.ret.is_none()).count();
        let alone = [before].into_iter().chain([lost, &self.read].repeat(unanswered + 1));
        let mut now = calls.iter().map(|call| call.ret.unwrap_or(call.call) + 1).max().unwrap_or(0);
        for input in alone {
            let output = Some((self.truth)(&state, input));
            let call = Call {
                id: 0,
                process: 0,
                input: input.clone(),
                output,
                call: 0,
                ret: Some(1),
                call_ns: 0,
                return_ns: Some(1_000_000),
                failed: false,
            };
            calls.push(later(call, now));
            now += 2;
        }
        let rest = record_from(&self.model, state, half, seed + 1, self.input, self.truth);
        calls.extend(rest.into_iter().flatten().map(|call| later(call, now)));
        calls
    }
}

/// The same so many milliseconds later; its name is the time of its call.
fn later<I, O>(call: Call<I, O>, ms: u64) -> Call<I, O> {
    Call {
        id: call.id + ms,
        call: call.call + ms,
        ret: call.ret.map(|ret| ret + ms),
        call_ns: call.call_ns + ms * 1_000_000,
        return_ns: call.return_ns.map(|ns| ns + ms * 1_000_000),
        ..call
    }
}
