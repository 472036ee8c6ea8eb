//! A number that is added to and read.

use super::datum::{fingerprint, told};
use crate::monitors::Refutation;
use crate::{CallOf, Gives, Model, explain};

/// A counter, wrapping around at 64 bits so that no history can overflow it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter {
    /// The number before the first operation.
    pub initial: i64,
}

/// What is asked of the counter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CounterInput {
    /// Read the number.
    Read,
    /// Add to it; less than zero takes away.
    Add(i64),
}

/// What the counter answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CounterOutput {
    /// The number read, or the sum where an addition returns it.
    Value(i64),
    /// The addition happened.
    Done,
}

impl Model for Counter {
    type Input = CounterInput;
    type Output = CounterOutput;
    type State = i64;

    fn initial(&self) -> i64 {
        self.initial
    }

    fn step(
        &self,
        state: &i64,
        input: &CounterInput,
        output: Option<&CounterOutput>,
    ) -> Option<i64> {
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

    fn is_read_only(&self, input: &CounterInput) -> bool {
        matches!(input, CounterInput::Read | CounterInput::Add(0))
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
        told(asked, output.map(answer))
    }

    fn answer(&self, state: &i64, input: &CounterInput) -> Option<CounterOutput> {
        Some(CounterOutput::Value(match input {
            CounterInput::Read => *state,
            CounterInput::Add(delta) => state.wrapping_add(*delta),
        }))
    }

    fn explain(&self, stuck: usize, calls: &[CallOf<Self>]) -> Option<Refutation> {
        bounds(*self, stuck, calls)
    }

    fn gives(&self, input: &CounterInput, output: Option<&CounterOutput>) -> Gives {
        match (input, output) {
            (CounterInput::Read | CounterInput::Add(0), _) => Gives::Unchanged,
            (CounterInput::Add(_), Some(CounterOutput::Value(sum))) => {
                Gives::Fingerprint(fingerprint(sum))
            }
            (CounterInput::Add(_), _) => Gives::Unclear,
        }
    }

    fn needs(&self, input: &CounterInput, output: Option<&CounterOutput>) -> Option<u64> {
        match (input, output) {
            (CounterInput::Read, Some(CounterOutput::Value(value))) => Some(fingerprint(value)),
            (CounterInput::Add(delta), Some(CounterOutput::Value(sum))) => {
                Some(fingerprint(&sum.wrapping_sub(*delta)))
            }
            _ => None,
        }
    }
}

/// Sums that no order can reach.
fn bounds(counter: Counter, stuck: usize, calls: &[CallOf<Counter>]) -> Option<Refutation> {
    let (late, end) = (&calls[stuck], calls[stuck].ret?);
    let (delta, sum) = match (&late.input, &late.output) {
        (CounterInput::Read, Some(CounterOutput::Value(sum))) => (0, *sum),
        (CounterInput::Add(delta), Some(CounterOutput::Value(sum))) => (*delta, *sum),
        _ => return None,
    };
    let certain_start = i128::from(counter.initial) + i128::from(delta);
    let (mut certain, mut least, mut most) = (certain_start, 0, 0);
    let (mut finished, mut beside) = (Vec::new(), Vec::new());
    for (at, call) in calls.iter().enumerate() {
        let CounterInput::Add(delta) = call.input else { continue };
        if at == stuck || call.failed || call.call > end || delta == 0 {
            continue;
        }
        let delta = i128::from(delta);
        if call.ret.is_some_and(|ret| ret < late.call) {
            certain += delta;
            finished.push(at as u32);
        } else {
            least += delta.min(0);
            most += delta.max(0);
            beside.push(at as u32);
        }
    }
    let (low, high) = (certain + least, certain + most);
    // Nothing is said of sums that may have wrapped around.
    let fits = |sum: i128| i64::try_from(sum).is_ok();
    if !fits(low) || !fits(high) || (low..=high).contains(&i128::from(sum)) {
        return None;
    }
    let kind = if i128::from(sum) < low { "lost addition" } else { "phantom addition" };
    let range = if low == high { format!("{low}") } else { format!("from {low} to {high}") };
    let tale = explain::told(&counter, late);
    let more = match beside.len() {
        0 => "no other began before its end".to_owned(),
        more => format!("{more} more began before its end"),
    };
    let over = certain - certain_start;
    let text = format!(
        "{tale} must see {range}: additions that were over before it began make {over}, and {more}"
    );
    const LISTED_MAX: usize = 11;
    let skipped = finished.len().saturating_sub(LISTED_MAX.saturating_sub(beside.len()));
    let mut operations: Vec<u32> =
        finished.into_iter().skip(skipped).chain(beside).take(LISTED_MAX).collect();
    operations.push(stuck as u32);
    operations.sort_unstable_by_key(|&op| (calls[op as usize].call, op));
    Some(Refutation { kind, sentence: format!("{kind}: {text}."), operations })
}
