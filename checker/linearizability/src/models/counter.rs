//! A number that is added to and read.

use super::with_result;
use crate::describe::describe;
use crate::refutation::Refutation;
use crate::{Anomaly, CallOf, Content, Effects, Leaves, Model, Saw};

/// A counter of 128 bits, which no sum of additions of 64 bits leaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter {
    /// The number before the first operation.
    pub initial: i128,
}

/// What is asked of the counter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CounterInput {
    /// Read the number.
    Read,
    /// Add to it; less than zero takes away.
    Add(i128),
}

/// What the counter answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CounterOutput {
    /// The number read, or the sum where an addition returns it.
    Value(i128),
    /// The addition happened.
    Done,
}

impl Model for Counter {
    type Input = CounterInput;
    type Output = CounterOutput;
    type State = i128;

    fn initial(&self) -> i128 {
        self.initial
    }

    fn step(
        &self,
        state: &i128,
        input: &CounterInput,
        output: Option<&CounterOutput>,
    ) -> Option<i128> {
        let next = match input {
            CounterInput::Read => *state,
            CounterInput::Add(delta) => state.wrapping_add(*delta),
        };
        let legal = match output {
            None => true,
            Some(CounterOutput::Value(value)) => *value == next,
            Some(CounterOutput::Done) => matches!(input, CounterInput::Add(_)),
        };
        legal.then_some(next)
    }

    fn describe(&self, input: &CounterInput, output: Option<&CounterOutput>) -> String {
        let asked = match input {
            CounterInput::Read => "read".to_owned(),
            CounterInput::Add(delta) => format!("add {delta}"),
        };
        let answer = |output: &CounterOutput| match output {
            CounterOutput::Value(value) => format!("= {value}"),
            CounterOutput::Done => String::new(),
        };
        with_result(asked, output.map(answer))
    }

    fn answer(&self, state: &i128, input: &CounterInput) -> Option<CounterOutput> {
        Some(CounterOutput::Value(match input {
            CounterInput::Read => *state,
            CounterInput::Add(delta) => state.wrapping_add(*delta),
        }))
    }

    fn explain(&self, stuck: usize, calls: &[CallOf<Self>]) -> Option<Refutation> {
        bounds(*self, stuck, calls)
    }

    fn effects<'a>(
        &'a self,
        input: &'a CounterInput,
        output: Option<&'a CounterOutput>,
    ) -> Effects<'a> {
        let delta = match input {
            CounterInput::Read => 0,
            CounterInput::Add(delta) => *delta,
        };
        let (saw, left) = match output {
            None => (Saw::Anything, None),
            Some(CounterOutput::Done) => match input {
                CounterInput::Read => (Saw::Something, None),
                CounterInput::Add(_) => (Saw::Anything, None),
            },
            Some(CounterOutput::Value(sum)) => {
                (Saw::Exactly(hidden(sum.wrapping_sub(delta))), Some(hidden(*sum)))
            }
        };
        let leaves = match left {
            _ if delta == 0 => Leaves::Unchanged,
            Some(sum) => Leaves::Exactly(sum),
            None => Leaves::Anything,
        };
        Effects::whole(saw, leaves)
    }
}

/// Sums say little to people: additions explain them.
fn hidden(sum: i128) -> Content<'static> {
    Content::Hidden(sum)
}

/// Sums that no order can reach.
fn bounds(counter: Counter, stuck: usize, calls: &[CallOf<Counter>]) -> Option<Refutation> {
    let (late, end) = (&calls[stuck], calls[stuck].ret?);
    let (delta, sum) = match (&late.input, &late.output) {
        (CounterInput::Read, Some(CounterOutput::Value(sum))) => (0, *sum),
        (CounterInput::Add(delta), Some(CounterOutput::Value(sum))) => (*delta, *sum),
        _ => return None,
    };
    let certain_start = counter.initial.wrapping_add(delta);
    let (mut certain, mut least, mut most) = (certain_start, 0_i128, 0_i128);
    let (mut finished, mut beside) = (Vec::new(), Vec::new());
    for (at, call) in calls.iter().enumerate() {
        let CounterInput::Add(delta) = call.input else { continue };
        if at == stuck || call.failed || call.call > end || delta == 0 {
            continue;
        }
        if call.ret.is_some_and(|ret| ret < late.call) {
            certain = certain.wrapping_add(delta);
            finished.push(at as u32);
        } else {
            least = least.wrapping_add(delta.min(0));
            most = most.wrapping_add(delta.max(0));
            beside.push(at as u32);
        }
    }
    let (low, high) = (certain.wrapping_add(least), certain.wrapping_add(most));
    if (low..=high).contains(&sum) {
        return None;
    }
    let kind = if sum < low { Anomaly::LostAddition } else { Anomaly::PhantomAddition };
    let range = if low == high { format!("{low}") } else { format!("from {low} to {high}") };
    let operation = describe(&counter, late);
    let more = match beside.len() {
        0 => "no other began before its end".to_owned(),
        more => format!("{more} more began before its end"),
    };
    let over = certain.wrapping_sub(certain_start);
    let text = format!(
        "{operation} must see {range}: additions that were over before it began make {over}, and {more}"
    );
    const LISTED_MAX: usize = 11;
    let skipped = finished.len().saturating_sub(LISTED_MAX.saturating_sub(beside.len()));
    let listed = finished.into_iter().skip(skipped).chain(beside).take(LISTED_MAX);
    Some(Refutation::new(calls, kind, &text, listed.chain([stuck as u32])))
}
