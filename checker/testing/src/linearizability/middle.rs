//! Middle-sized histories: right ones by construction, weakened in ways that keep them right, and ones with a few lies.

use std::cell::RefCell;

use linearizability::{Call, CallOf};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::synthetic::{Shape, record};
use super::{Workload, call};

/// The most operations and clients of a history.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// How many operations at most.
    pub operations: usize,
    /// How many clients at most.
    pub clients: usize,
}

/// Mostly over two to four values; a fifth of them over values that are all different.
pub fn history<W: Workload>(workload: &W, size: Size, rng: &mut ChaCha8Rng) -> Vec<CallOf<W>> {
    let shape = Shape {
        operations: rng.random_range(15..=size.operations),
        clients: rng.random_range(3..=size.clients),
        keys: 1,
        unknown_per_mille: [0, 30, 100][rng.random_range(0..3)],
    };
    let values = [2, 3, 3, 4, usize::MAX][rng.random_range(0..5)];
    let states = RefCell::new(Vec::new());
    let input = |number: usize, rng: &mut ChaCha8Rng| workload.input(rng, number % values);
    let truth = |state: &W::State, input: &W::Input| {
        states.borrow_mut().push(state.clone());
        workload.output(state, input)
    };
    let mut calls = record(workload, shape, rng.random(), input, truth).swap_remove(0);
    weaken(&mut calls, rng);
    fail(workload, values, &mut calls, rng);
    for _ in 0..[0, 0, 1, 2, 3][rng.random_range(0..5)] {
        lie(workload, &states.borrow(), &mut calls, rng);
    }
    calls
}

/// Forgets results and returns, and ties what happened one right after the other.
fn weaken<I, O>(calls: &mut [Call<I, O>], rng: &mut ChaCha8Rng) {
    let unknown = [0.02, 0.1, 0.3][rng.random_range(0..3)];
    let tied = rng.random_range(1..=4);
    for call in calls {
        if rng.random_bool(0.03) {
            (call.ret, call.return_ns) = (None, None);
        }
        if call.ret.is_none() || rng.random_bool(unknown) {
            call.output = None;
        }
        call.call /= tied;
        call.ret = call.ret.map(|ret| ret / tied);
    }
}

/// Adds calls that certainly did not happen.
fn fail<W: Workload>(
    workload: &W,
    values: usize,
    calls: &mut Vec<CallOf<W>>,
    rng: &mut ChaCha8Rng,
) {
    let end = calls.iter().map(|call| call.call).max().unwrap_or_default();
    for id in 1000..1000 + rng.random_range(0..4) {
        let begin = rng.random_range(0..=end);
        let input = workload.input(rng, id as usize % values);
        calls.push(Call { failed: true, ..call(id, input, None, begin, Some(begin + 2)) });
    }
}

/// Gives one operation the result that it would have had at another time.
fn lie<W: Workload>(
    workload: &W,
    states: &[W::State],
    calls: &mut [CallOf<W>],
    rng: &mut ChaCha8Rng,
) {
    const TRIES: usize = 20;
    for _ in 0..TRIES {
        let at = rng.random_range(0..calls.len());
        let call = &mut calls[at];
        let lie = workload.output(&states[rng.random_range(0..states.len())], &call.input);
        if call.output.as_ref().is_some_and(|output| *output != lie) {
            call.output = Some(lie);
            return;
        }
    }
}
