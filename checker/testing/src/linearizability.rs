//! Small random histories, most of them nearly linearizable.

pub mod compare;
pub mod containers;
pub mod load;
pub mod middle;
pub mod plain;
pub mod registers;
pub mod synthetic;

use std::collections::BTreeMap;

use compact_str::{CompactString, format_compact};
use linearizability::models::kv::{Kv, KvInput, KvOutput};
use linearizability::models::multi_register::{MultiInput, MultiOutput, MultiRegister};
use linearizability::{Call, CallOf, Effects, Leaves, Model, Saw};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

/// A call of the key-value model.
pub type KvCall = CallOf<Kv>;

/// Random numbers, the same for the same seed.
pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A completed call.
pub fn call<I, O>(id: u64, input: I, output: Option<O>, call: u64, ret: Option<u64>) -> Call<I, O> {
    Call {
        id,
        process: id,
        input,
        output,
        call,
        ret,
        call_ns: call * 1_000_000,
        return_ns: ret.map(|r| r * 1_000_000),
        failed: false,
    }
}

/// What a random workload needs to know about a model.
pub trait Workload: Model {
    /// A random operation; `fresh` is unique in the history.
    fn input(&self, rng: &mut ChaCha8Rng, fresh: usize) -> Self::Input;
    /// The true result in this state.
    fn output(&self, state: &Self::State, input: &Self::Input) -> Self::Output;
    /// The truth, or less of it.
    fn blurred(&self, rng: &mut ChaCha8Rng, output: Self::Output) -> Self::Output;
}

/// No more of these than whether the operation only reads.
pub fn bare(effects: &Effects<'_>) -> Effects<'static> {
    if effects.is_read_only() {
        Effects::whole(Saw::Something, Leaves::Unchanged)
    } else {
        Effects::unknown()
    }
}

/// Runs random operations at random moments within random intervals, forgets some results, and then, half of
/// the time, breaks something.
pub fn history<W: Workload>(model: &W, rng: &mut ChaCha8Rng, size_max: usize) -> Vec<CallOf<W>> {
    let size = rng.random_range(2..=size_max);
    // Short spans make many ties and overlaps, long ones nearly sequential histories.
    let span = [size as u64, 3 * size as u64, 10 * size as u64][rng.random_range(0..3)];
    let mut points = Vec::new();
    let mut calls: Vec<CallOf<W>> = Vec::new();
    for i in 0..size {
        let begin = rng.random_range(0..span);
        let end = begin + rng.random_range(0..=span / 3);
        let (mut ret, mut failed, mut happens) = (Some(end), false, true);
        let mut point = rng.random_range(begin * 10..=end * 10);
        match rng.random_range(0..12) {
            0 | 1 => {
                ret = None;
                happens = rng.random_bool(0.5);
                point = rng.random_range(begin * 10..=span * 12);
            }
            2 => (failed, happens) = (true, rng.random_bool(0.1)),
            // A mistake in time: it happens outside its interval.
            3 => point = rng.random_range(0..span * 10),
            _ => {}
        }
        let input = model.input(rng, i);
        calls.push(Call { failed, ..call(i as u64, input, None, begin, ret) });
        if happens {
            points.push((point, i));
        }
    }
    points.sort_unstable();
    let mut state = model.initial();
    for (_, i) in points {
        let output = model.output(&state, &calls[i].input);
        state =
            model.step(&state, &calls[i].input, Some(&output)).expect("the true result is legal");
        let known = calls[i].ret.is_some() && !calls[i].failed && rng.random_range(0..10) > 0;
        calls[i].output = known.then(|| model.blurred(rng, output));
    }
    if rng.random_bool(0.6) {
        // A mistake in value: the result of another operation of the same kind.
        let kind = |i: usize| std::mem::discriminant(&calls[i].input);
        let known: Vec<usize> = (0..size).filter(|&i| calls[i].output.is_some()).collect();
        let pairs: Vec<(usize, usize)> = known
            .iter()
            .flat_map(|&a| known.iter().map(move |&b| (a, b)))
            .filter(|&(a, b)| kind(a) == kind(b) && calls[a].output != calls[b].output)
            .collect();
        if !pairs.is_empty() {
            let (a, b) = pairs[rng.random_range(0..pairs.len())];
            calls[a].output = calls[b].output.clone();
        }
    }
    calls
}

/// A key-value workload with one flavour of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Reads, and writes of values that are all different.
    Register,
    /// Reads, and writes of three values.
    FewValues,
    /// Appends, most of pieces that others append, too.
    Append,
    /// Pieces that are all different, and appends that say nothing about the value.
    UniqueAppend,
    /// Compare-and-set among three values.
    Cas,
    /// Values that are all different.
    UniqueCas,
    /// Writes that return the value before.
    PutHash,
    /// All of these.
    Everything,
}

/// All of them.
pub const FLAVOURS: [Flavour; 8] = [
    Flavour::Register,
    Flavour::FewValues,
    Flavour::Append,
    Flavour::UniqueAppend,
    Flavour::Cas,
    Flavour::UniqueCas,
    Flavour::PutHash,
    Flavour::Everything,
];

pub use synthetic::kv_truth as truth;

/// The key-value model under a workload.
pub struct KvWorkload(pub Flavour);

impl Model for KvWorkload {
    type Input = KvInput;
    type Output = KvOutput;
    type State = <Kv as Model>::State;

    fn initial(&self) -> Self::State {
        Kv.initial()
    }
    fn step(&self, s: &Self::State, i: &KvInput, o: Option<&KvOutput>) -> Option<Self::State> {
        Kv.step(s, i, o)
    }
    fn effects<'a>(&'a self, input: &'a KvInput, output: Option<&'a KvOutput>) -> Effects<'a> {
        bare(&Kv.effects(input, output))
    }
    fn describe(&self, input: &KvInput, output: Option<&KvOutput>) -> String {
        Kv.describe(input, output)
    }
}

impl Workload for KvWorkload {
    fn input(&self, rng: &mut ChaCha8Rng, fresh: usize) -> KvInput {
        let few = |rng: &mut ChaCha8Rng| -> CompactString {
            ["", "0", "1"][rng.random_range(0..3)].into()
        };
        let cas = |rng: &mut ChaCha8Rng, value: CompactString| {
            let expect = rng.random_range(0..4);
            let expect = (expect > 0).then(|| ["", "0", "1"][expect - 1].into());
            KvInput::Cas { expect, value }
        };
        let number = fresh;
        let fresh = format_compact!("v{fresh}");
        let kind = rng.random_range(
            0..2 * match self.0 {
                Flavour::Register | Flavour::FewValues => 1,
                Flavour::Append
                | Flavour::UniqueAppend
                | Flavour::PutHash
                | Flavour::Cas
                | Flavour::UniqueCas => 2,
                Flavour::Everything => 4,
            },
        );
        if kind == 0 {
            return KvInput::Get;
        }
        match (self.0, kind) {
            (Flavour::Register, _) | (Flavour::Everything, 1) => KvInput::Put(fresh),
            (Flavour::FewValues, _) => KvInput::Put(few(rng)),
            (Flavour::Append, 1) => KvInput::Append(few(rng)),
            (Flavour::Append, _) | (Flavour::Everything, 2) => KvInput::Append(fresh),
            (Flavour::UniqueAppend, 1) => KvInput::Put(fresh),
            (Flavour::UniqueAppend, _) => KvInput::Append(fresh),
            (Flavour::UniqueCas, 1) => KvInput::Put(fresh),
            (Flavour::UniqueCas, _) => {
                let expect = rng.random_range(0..=number + 1).checked_sub(1);
                KvInput::Cas {
                    expect: expect.map(|number| format_compact!("v{number}")),
                    value: fresh,
                }
            }
            (Flavour::Cas, 1) => KvInput::Put(few(rng)),
            (Flavour::Cas, _) => {
                let value = few(rng);
                cas(rng, value)
            }
            (Flavour::PutHash, 1) => KvInput::Put(few(rng)),
            (Flavour::PutHash, _) | (Flavour::Everything, 3) => KvInput::PutHash(few(rng)),
            (Flavour::Everything, 4) => KvInput::Put(few(rng)),
            (Flavour::Everything, 5) => KvInput::Append(few(rng)),
            (Flavour::Everything, _) => cas(rng, fresh),
        }
    }

    fn output(&self, state: &Self::State, input: &KvInput) -> KvOutput {
        match input {
            KvInput::Append(_) if self.0 == Flavour::UniqueAppend => KvOutput::Done,
            _ => truth(state, input),
        }
    }

    fn blurred(&self, rng: &mut ChaCha8Rng, output: KvOutput) -> KvOutput {
        match output {
            KvOutput::Cas { swapped: false, .. } if rng.random_bool(0.5) => {
                KvOutput::Cas { swapped: false, current: None }
            }
            other => other,
        }
    }
}

impl Workload for MultiRegister {
    fn input(&self, rng: &mut ChaCha8Rng, fresh: usize) -> MultiInput {
        let keys = ["a", "b", "c"].map(str::to_owned);
        let some: Vec<String> = keys.iter().filter(|_| rng.random_bool(0.6)).cloned().collect();
        match rng.random_range(0..5) {
            0 | 1 => MultiInput::Read(some),
            2 | 3 => {
                let value = Value::from(format!("v{fresh}"));
                MultiInput::Write(some.into_iter().map(|key| (key, value.clone())).collect())
            }
            _ => {
                let key = |rng: &mut ChaCha8Rng| keys[rng.random_range(0..3)].clone();
                MultiInput::Swap(key(rng), key(rng))
            }
        }
    }

    fn output(&self, state: &Self::State, input: &MultiInput) -> MultiOutput {
        match input {
            MultiInput::Read(keys) => {
                let value =
                    |key: &String| (key.clone(), state.get(key).cloned().unwrap_or_default());
                MultiOutput::Values(keys.iter().map(value).collect::<BTreeMap<_, _>>())
            }
            MultiInput::Write(_) | MultiInput::Swap(..) => MultiOutput::Done,
            MultiInput::Transaction(_) => self.answer(state, input).expect("it has one"),
        }
    }

    fn blurred(&self, _: &mut ChaCha8Rng, output: MultiOutput) -> MultiOutput {
        output
    }
}
