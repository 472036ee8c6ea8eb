//! Values in a line: put in at the end, taken out at one of the two. First in, first out is a queue; last in, first
//! out a stack.

mod queue;
mod stack;

use std::fmt;
use std::marker::PhantomData;

use super::bag::{self, Use};
use super::{Datum, with_result};
use crate::monitors::elements::Role;
use crate::refutation::{MonitorVerdict, Refutation};
use crate::{Call, CallOf, Content, Effects, Leaves, Model, Saw};

/// An unbounded FIFO queue, empty at first.
pub type Queue<V> = Line<V, Front>;

/// An unbounded stack, empty at first.
pub type Stack<V> = Line<V, Back>;

/// An unbounded line of values, empty at first, from which the end `E` is taken.
#[derive(Clone, Copy, Debug)]
pub struct Line<V, E>(PhantomData<(V, E)>);

/// What an empty line holds.
const EMPTY: Content<'static> = Content::Hidden(0);

/// What is asked of the line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LineInput<V> {
    /// Put a value at the end: enqueue, push.
    Put(V),
    /// Take a value: dequeue, pop.
    Take,
}

/// What the line answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LineOutput<V> {
    /// The value was put.
    Done,
    /// The value taken.
    Value(V),
    /// There was nothing to take.
    Empty,
}

/// The end of a line from which values are taken.
pub trait End: Copy + fmt::Debug + Send + Sync + 'static {
    /// To put a value, and what was then done to it.
    const PUT: [&'static str; 2];
    /// To take a value, and what was then done to it.
    const TAKE: [&'static str; 2];

    /// The value that is taken next, and the others.
    fn take<V>(values: &[V]) -> Option<(&V, &[V])>;

    /// See [`Model::monitor`].
    fn monitor<V: Datum>(
        line: &Line<V, Self>,
        calls: &[CallOf<Line<V, Self>>],
    ) -> Option<MonitorVerdict>;
}

/// The value that was put first.
#[derive(Clone, Copy, Debug)]
pub struct Front;

/// The value that was put last.
#[derive(Clone, Copy, Debug)]
pub struct Back;

impl End for Front {
    const PUT: [&'static str; 2] = ["enqueue", "enqueued"];
    const TAKE: [&'static str; 2] = ["dequeue", "dequeued"];

    fn take<V>(values: &[V]) -> Option<(&V, &[V])> {
        values.split_first()
    }

    fn monitor<V: Datum>(queue: &Queue<V>, calls: &[CallOf<Queue<V>>]) -> Option<MonitorVerdict> {
        queue::check(queue, calls)
    }
}

impl End for Back {
    const PUT: [&'static str; 2] = ["push", "pushed"];
    const TAKE: [&'static str; 2] = ["pop", "popped"];

    fn take<V>(values: &[V]) -> Option<(&V, &[V])> {
        values.split_last()
    }

    fn monitor<V: Datum>(stack: &Stack<V>, calls: &[CallOf<Stack<V>>]) -> Option<MonitorVerdict> {
        stack::check(stack, calls)
    }
}

impl<V, E> Line<V, E> {
    /// The model; it has no parameters.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<V, E> Default for Line<V, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Datum, E: End> Model for Line<V, E> {
    type Input = LineInput<V>;
    type Output = LineOutput<V>;
    /// What was put last, last.
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
            (LineInput::Put(value), None | Some(LineOutput::Done)) => {
                let mut next = Vec::with_capacity(state.len() + 1);
                next.extend_from_slice(state);
                next.push(value.clone());
                Some(next)
            }
            (LineInput::Take, None) => Some(E::take(state).map_or(Vec::new(), |(_, v)| v.to_vec())),
            (LineInput::Take, Some(LineOutput::Value(value))) => {
                let (taken, rest) = E::take(state)?;
                (taken == value).then(|| rest.to_vec())
            }
            (LineInput::Take, Some(LineOutput::Empty)) => state.is_empty().then(Vec::new),
            _ => None,
        }
    }

    fn describe(&self, input: &Self::Input, output: Option<&Self::Output>) -> String {
        let ([put, _], [take, _]) = (E::PUT, E::TAKE);
        let asked = match input {
            LineInput::Put(value) => format!("{put} {}", value.shown()),
            LineInput::Take => take.to_owned(),
        };
        let answer = |output: &Self::Output| match output {
            LineOutput::Done => String::new(),
            LineOutput::Value(value) => format!("= {}", value.shown()),
            LineOutput::Empty => "found nothing".to_owned(),
        };
        with_result(asked, output.map(answer))
    }

    /// Only whether it is empty.
    fn effects<'a>(
        &'a self,
        input: &'a Self::Input,
        output: Option<&'a Self::Output>,
    ) -> Effects<'a> {
        let (saw, leaves) = match (input, output) {
            (LineInput::Put(_), None | Some(LineOutput::Done)) => {
                (Saw::Anything, Leaves::Like(|content| *content != EMPTY))
            }
            (LineInput::Take, Some(LineOutput::Empty)) => (Saw::Exactly(EMPTY), Leaves::Unchanged),
            (LineInput::Take, None) => (Saw::Anything, Leaves::Anything),
            _ => (Saw::Something, Leaves::Anything),
        };
        Effects::whole(saw, leaves)
    }

    fn answer(&self, state: &Vec<V>, input: &Self::Input) -> Option<Self::Output> {
        Some(match input {
            LineInput::Put(_) => LineOutput::Done,
            LineInput::Take => match E::take(state) {
                Some((taken, _)) => LineOutput::Value(taken.clone()),
                None => LineOutput::Empty,
            },
        })
    }

    fn explain(&self, stuck: usize, calls: &[CallOf<Self>]) -> Option<Refutation> {
        bag::explain(self, stuck, calls, used, [E::PUT[1], E::TAKE[1]])
    }

    fn state_bytes(&self, state: &Vec<V>) -> usize {
        size_of::<Self::State>() + state.len() * size_of::<V>()
    }

    fn monitor(&self, calls: &[CallOf<Self>]) -> Option<MonitorVerdict> {
        E::monitor(self, calls)
    }
}

fn used<V>(call: &Call<LineInput<V>, LineOutput<V>>) -> Use<'_, V> {
    match (&call.input, &call.output) {
        (LineInput::Put(value), _) => Use::Put(value),
        (LineInput::Take, Some(LineOutput::Value(value))) => Use::Took(value),
        (LineInput::Take, Some(_)) => Use::FoundNothing,
        (LineInput::Take, None) => Use::TookUnknown,
    }
}

/// What an operation did; `None` for a result that it cannot have.
fn role<V>(call: &Call<LineInput<V>, LineOutput<V>>) -> Option<Role<'_, V>> {
    match (&call.input, &call.output) {
        (LineInput::Put(value), None | Some(LineOutput::Done)) => Some(Role::Insert(value)),
        (LineInput::Take, Some(LineOutput::Empty)) => Some(Role::Empty),
        // It may have happened or not.
        (LineInput::Take, Some(LineOutput::Value(_))) if call.ret.is_none() => Some(Role::Unclear),
        (LineInput::Take, Some(LineOutput::Value(value))) => Some(Role::Remove(value)),
        (LineInput::Take, None) => Some(Role::Unclear),
        _ => None,
    }
}
