//! A number that is added to and read.

use super::datum::told;
use crate::{Model, UNCHANGED};

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

    fn gives(&self, input: &CounterInput, output: Option<&CounterOutput>) -> Option<u64> {
        match (input, output) {
            (CounterInput::Read | CounterInput::Add(0), _) => Some(UNCHANGED),
            (CounterInput::Add(_), Some(CounterOutput::Value(sum))) => Some(fingerprint(*sum)),
            (CounterInput::Add(_), _) => None,
        }
    }

    fn needs(&self, input: &CounterInput, output: Option<&CounterOutput>) -> Option<u64> {
        match (input, output) {
            (CounterInput::Read, Some(CounterOutput::Value(value))) => Some(fingerprint(*value)),
            (CounterInput::Add(delta), Some(CounterOutput::Value(sum))) => {
                Some(fingerprint(sum.wrapping_sub(*delta)))
            }
            _ => None,
        }
    }
}

/// Any number but that of [`UNCHANGED`].
fn fingerprint(value: i64) -> u64 {
    super::datum::fingerprint(&(value, "counter"))
}
