//! A lock that does not know who holds it.

use super::datum::told;
use super::holding::{self, Turn};
use crate::monitors::Refutation;
use crate::{CallOf, Gives, Model};

/// A mutex, free at first. Anybody may release it; for one that asks who see [`super::OwnedLock`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Mutex;

/// What is asked of the mutex.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MutexInput {
    /// Take it.
    Acquire,
    /// Give it back.
    Release,
}

/// What the mutex answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MutexOutput {
    /// It was free and is held now, or the other way round.
    Done,
    /// It was held already, or free already.
    Refused,
}

const FREE: u64 = 0;
const HELD: u64 = 1;

/// What the operation finds and leaves where it is not refused.
fn effect(input: &MutexInput) -> (u64, u64) {
    match input {
        MutexInput::Acquire => (FREE, HELD),
        MutexInput::Release => (HELD, FREE),
    }
}

impl Model for Mutex {
    type Input = MutexInput;
    type Output = MutexOutput;
    /// Is it held?
    type State = bool;

    fn initial(&self) -> bool {
        false
    }

    fn step(&self, held: &bool, input: &MutexInput, output: Option<&MutexOutput>) -> Option<bool> {
        let after = *input == MutexInput::Acquire;
        let legal = match output {
            None => true,
            Some(MutexOutput::Done) => *held != after,
            Some(MutexOutput::Refused) => *held == after,
        };
        legal.then_some(after)
    }

    fn is_read_only(&self, _input: &MutexInput) -> bool {
        false
    }

    fn describe(&self, input: &MutexInput, output: Option<&MutexOutput>) -> String {
        let asked = match input {
            MutexInput::Acquire => "acquire",
            MutexInput::Release => "release",
        };
        let answer = |output: &MutexOutput| match output {
            MutexOutput::Done => String::new(),
            MutexOutput::Refused => "refused".to_owned(),
        };
        told(asked.to_owned(), output.map(answer))
    }

    fn gives(&self, input: &MutexInput, output: Option<&MutexOutput>) -> Gives {
        let refused = output == Some(&MutexOutput::Refused);
        if refused { Gives::Unchanged } else { Gives::Fingerprint(effect(input).1) }
    }

    fn needs(&self, input: &MutexInput, output: Option<&MutexOutput>) -> Option<u64> {
        output.map(|output| match output {
            MutexOutput::Done => effect(input).0,
            MutexOutput::Refused => effect(input).1,
        })
    }

    fn answer(&self, held: &bool, input: &MutexInput) -> Option<MutexOutput> {
        let done = *held != (*input == MutexInput::Acquire);
        Some(if done { MutexOutput::Done } else { MutexOutput::Refused })
    }

    fn explain(&self, stuck: usize, calls: &[CallOf<Self>]) -> Option<Refutation> {
        holding::explain(self, stuck, calls, |call| Turn {
            acquires: call.input == MutexInput::Acquire,
            client: None,
            done: call.output.as_ref().map(|output| *output == MutexOutput::Done),
        })
    }
}
