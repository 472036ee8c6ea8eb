//! First in, first out.

use std::marker::PhantomData;

use super::Datum;
use super::bag::{self, Use};
use super::datum::told;
use crate::monitors::{self, MonitorVerdict, Refutation};
use crate::{CallOf, Model};

/// An unbounded FIFO queue, empty at first.
#[derive(Clone, Copy, Debug)]
pub struct Queue<V>(PhantomData<V>);

/// What is asked of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum QueueInput<V> {
    /// Put a value at the end.
    Enqueue(V),
    /// Take the value at the front.
    Dequeue,
}

/// What the queue answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum QueueOutput<V> {
    /// The enqueue happened.
    Done,
    /// The value taken.
    Value(V),
    /// There was nothing to take.
    Empty,
}

impl<V> Queue<V> {
    /// The model; it has no parameters.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<V> Default for Queue<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Datum> Model for Queue<V> {
    type Input = QueueInput<V>;
    type Output = QueueOutput<V>;
    /// The front first.
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
            (QueueInput::Enqueue(value), None | Some(QueueOutput::Done)) => {
                let mut next = Vec::with_capacity(state.len() + 1);
                next.extend_from_slice(state);
                next.push(value.clone());
                Some(next)
            }
            (QueueInput::Dequeue, None) => Some(state.get(1..).unwrap_or_default().to_vec()),
            (QueueInput::Dequeue, Some(QueueOutput::Value(value))) => {
                let (front, rest) = state.split_first()?;
                (front == value).then(|| rest.to_vec())
            }
            (QueueInput::Dequeue, Some(QueueOutput::Empty)) => state.is_empty().then(Vec::new),
            _ => None,
        }
    }

    fn is_read_only(&self, _input: &Self::Input) -> bool {
        false
    }

    fn describe(&self, input: &Self::Input, output: Option<&Self::Output>) -> String {
        let asked = match input {
            QueueInput::Enqueue(value) => format!("enqueue {}", value.shown()),
            QueueInput::Dequeue => "dequeue".to_owned(),
        };
        let answer = |output: &Self::Output| match output {
            QueueOutput::Done => String::new(),
            QueueOutput::Value(value) => format!("= {}", value.shown()),
            QueueOutput::Empty => "found nothing".to_owned(),
        };
        told(asked, output.map(answer))
    }

    fn may_enable(
        &self,
        effect: &Self::Input,
        blocked: &Self::Input,
        output: Option<&Self::Output>,
    ) -> bool {
        // Right after an enqueue no queue is empty.
        !matches!(
            (effect, blocked, output),
            (QueueInput::Enqueue(_), QueueInput::Dequeue, Some(QueueOutput::Empty))
        )
    }

    fn answer(&self, state: &Vec<V>, input: &Self::Input) -> Option<Self::Output> {
        Some(match input {
            QueueInput::Enqueue(_) => QueueOutput::Done,
            QueueInput::Dequeue => {
                state.first().cloned().map_or(QueueOutput::Empty, QueueOutput::Value)
            }
        })
    }

    fn explain(&self, stuck: usize, calls: &[CallOf<Self>]) -> Option<Refutation> {
        bag::explain(
            self,
            stuck,
            calls,
            |call| match (&call.input, &call.output) {
                (QueueInput::Enqueue(value), _) => Use::Put(value),
                (QueueInput::Dequeue, Some(QueueOutput::Value(value))) => Use::Took(value),
                (QueueInput::Dequeue, Some(_)) => Use::FoundNothing,
                (QueueInput::Dequeue, None) => Use::TookUnknown,
            },
            ["enqueued", "dequeued"],
        )
    }

    fn state_bytes(&self, state: &Vec<V>) -> usize {
        size_of::<Self::State>() + state.capacity() * size_of::<V>()
    }

    fn monitor(&self, calls: &[CallOf<Self>]) -> Option<MonitorVerdict> {
        monitors::queue::check(self, calls)
    }
}
