//! Last in, first out.

use std::marker::PhantomData;

use super::Datum;
use super::bag::{self, Use};
use super::datum::told;
use crate::monitors::{self, MonitorVerdict, Refutation};
use crate::{CallOf, Model};

/// An unbounded stack, empty at first.
#[derive(Clone, Copy, Debug)]
pub struct Stack<V>(PhantomData<V>);

/// What is asked of the stack.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StackInput<V> {
    /// Put a value on top.
    Push(V),
    /// Take the value on top.
    Pop,
}

/// What the stack answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StackOutput<V> {
    /// The push happened.
    Done,
    /// The value taken.
    Value(V),
    /// There was nothing to take.
    Empty,
}

impl<V> Stack<V> {
    /// The model; it has no parameters.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<V> Default for Stack<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Datum> Model for Stack<V> {
    type Input = StackInput<V>;
    type Output = StackOutput<V>;
    /// The top last.
    type State = Vec<V>;

    fn initial(&self) -> Vec<V> {
        Vec::new()
    }

    fn step(
        &self,
        state: &Vec<V>,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Option<Vec<V>> {
        match (input, output) {
            (StackInput::Push(value), None | Some(StackOutput::Done)) => {
                let mut next = Vec::with_capacity(state.len() + 1);
                next.extend_from_slice(state);
                next.push(value.clone());
                Some(next)
            }
            (StackInput::Pop, None) => Some(state[..state.len().saturating_sub(1)].to_vec()),
            (StackInput::Pop, Some(StackOutput::Value(value))) => {
                let (top, rest) = state.split_last()?;
                (top == value).then(|| rest.to_vec())
            }
            (StackInput::Pop, Some(StackOutput::Empty)) => state.is_empty().then(Vec::new),
            _ => None,
        }
    }

    fn is_read_only(&self, _input: &Self::Input) -> bool {
        false
    }

    fn describe(&self, input: &Self::Input, output: Option<&Self::Output>) -> String {
        let asked = match input {
            StackInput::Push(value) => format!("push {}", value.shown()),
            StackInput::Pop => "pop".to_owned(),
        };
        let answer = |output: &Self::Output| match output {
            StackOutput::Done => String::new(),
            StackOutput::Value(value) => format!("= {}", value.shown()),
            StackOutput::Empty => "found nothing".to_owned(),
        };
        told(asked, output.map(answer))
    }

    fn may_enable(
        &self,
        effect: &Self::Input,
        blocked: &Self::Input,
        output: Option<&Self::Output>,
    ) -> bool {
        // Right after a push no stack is empty.
        !matches!(
            (effect, blocked, output),
            (StackInput::Push(_), StackInput::Pop, Some(StackOutput::Empty))
        )
    }

    fn answer(&self, state: &Vec<V>, input: &Self::Input) -> Option<Self::Output> {
        Some(match input {
            StackInput::Push(_) => StackOutput::Done,
            StackInput::Pop => state.last().cloned().map_or(StackOutput::Empty, StackOutput::Value),
        })
    }

    fn explain(&self, stuck: usize, calls: &[CallOf<Self>]) -> Option<Refutation> {
        bag::explain(
            self,
            stuck,
            calls,
            |call| match (&call.input, &call.output) {
                (StackInput::Push(value), _) => Use::Put(value),
                (StackInput::Pop, Some(StackOutput::Value(value))) => Use::Took(value),
                (StackInput::Pop, Some(_)) => Use::FoundNothing,
                (StackInput::Pop, None) => Use::TookUnknown,
            },
            ["pushed", "popped"],
        )
    }

    fn state_bytes(&self, state: &Vec<V>) -> usize {
        size_of::<Self::State>() + state.capacity() * size_of::<V>()
    }

    fn monitor(&self, calls: &[CallOf<Self>]) -> Option<MonitorVerdict> {
        monitors::stack::check(self, calls)
    }
}
