//! A set of values.

mod monitor;

use std::marker::PhantomData;

use super::{Datum, with_result};
use crate::content::fingerprint;
use crate::refutation::MonitorVerdict;
use crate::{CallOf, Content, Effect, Effects, Leaves, Model, Saw};

/// A set, empty at first.
///
/// Without [`SetInput::ReadAll`] each value is an object of its own, which
/// [`crate::check_by_key`] makes use of.
#[derive(Clone, Copy, Debug)]
pub struct Set<V>(PhantomData<V>);

/// What is asked of the set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetInput<V> {
    /// Put a value in; it may be there already.
    Add(V),
    /// Take a value out; it may be absent already.
    Remove(V),
    /// Is the value there?
    Contains(V),
    /// All values at one moment.
    ReadAll,
}

/// What the set answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetOutput<V> {
    /// The value is there, or gone, and nothing is said of before.
    Done,
    /// The value is there, or gone; did that change the set?
    Changed(bool),
    /// Whether the value is there.
    Present(bool),
    /// All values.
    Values(Values<V>),
}

/// A few values without order, each of them once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Values<V>(
    /// By fingerprint. Two values with the same one stay as they came: then equal sets may seem different,
    /// and only [`Values::is_same`] is exact.
    Vec<V>,
);

impl<V: Datum> Values<V> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Is the value among them?
    pub fn contains(&self, value: &V) -> bool {
        self.position(value).is_ok()
    }

    /// The values, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = &V> {
        self.0.iter()
    }

    /// Are these the same values?
    fn is_same(&self, other: &Self) -> bool {
        self == other || (self.len() == other.len() && self.iter().all(|v| other.contains(v)))
    }

    /// Where the value is, or where it belongs.
    fn position(&self, value: &V) -> Result<usize, usize> {
        let place = fingerprint(value);
        let first = self.0.partition_point(|other| fingerprint(other) < place);
        let alike = self.0[first..].iter().take_while(|other| fingerprint(*other) == place);
        alike.zip(first..).find(|(other, _)| *other == value).map(|(_, at)| at).ok_or(first)
    }

    fn with(&self, value: &V) -> Self {
        let mut next = self.clone();
        if let Err(place) = next.position(value) {
            next.0.insert(place, value.clone());
        }
        next
    }

    fn without(&self, value: &V) -> Self {
        let mut next = self.clone();
        if let Ok(place) = next.position(value) {
            next.0.remove(place);
        }
        next
    }
}

impl<V: Datum> FromIterator<V> for Values<V> {
    fn from_iter<I: IntoIterator<Item = V>>(values: I) -> Self {
        let mut keyed: Vec<(u64, V)> =
            values.into_iter().map(|value| (fingerprint(&value), value)).collect();
        keyed.sort_by_key(|&(place, _)| place);
        let mut all: Vec<V> = Vec::with_capacity(keyed.len());
        for group in keyed.chunk_by(|a, b| a.0 == b.0) {
            let first = all.len();
            for (_, value) in group {
                if !all[first..].contains(value) {
                    all.push(value.clone());
                }
            }
        }
        Self(all)
    }
}

impl<V> Set<V> {
    /// The model; it has no parameters.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<V> Default for Set<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Datum> Model for Set<V> {
    type Input = SetInput<V>;
    type Output = SetOutput<V>;
    type State = Values<V>;

    fn initial(&self) -> Values<V> {
        Values(Vec::new())
    }

    fn step(
        &self,
        state: &Values<V>,
        input: &SetInput<V>,
        output: Option<&SetOutput<V>>,
    ) -> Option<Values<V>> {
        let legal = match (input, output) {
            (_, None) => true,
            (SetInput::Add(_) | SetInput::Remove(_), Some(SetOutput::Done)) => true,
            (SetInput::Add(value), Some(SetOutput::Changed(new))) => state.contains(value) != *new,
            (SetInput::Remove(value), Some(SetOutput::Changed(old))) => {
                state.contains(value) == *old
            }
            (SetInput::Contains(value), Some(SetOutput::Present(present))) => {
                state.contains(value) == *present
            }
            (SetInput::ReadAll, Some(SetOutput::Values(values))) => state.is_same(values),
            _ => false,
        };
        legal.then(|| match input {
            SetInput::Add(value) => state.with(value),
            SetInput::Remove(value) => state.without(value),
            SetInput::Contains(_) | SetInput::ReadAll => state.clone(),
        })
    }

    fn describe(&self, input: &SetInput<V>, output: Option<&SetOutput<V>>) -> String {
        let asked = match input {
            SetInput::Add(value) => format!("add {}", value.shown()),
            SetInput::Remove(value) => format!("remove {}", value.shown()),
            SetInput::Contains(value) => format!("contains {}", value.shown()),
            SetInput::ReadAll => "read all".to_owned(),
        };
        let answer = |output: &SetOutput<V>| match output {
            SetOutput::Done => String::new(),
            SetOutput::Changed(true) => "changed the set".to_owned(),
            SetOutput::Changed(false) => "changed nothing".to_owned(),
            SetOutput::Present(present) => format!("= {present}"),
            SetOutput::Values(values) => format!("= {}", shown(values)),
        };
        with_result(asked, output.map(answer))
    }

    /// Each value is a part of its own: it is there or not.
    fn effects<'a>(
        &'a self,
        input: &'a SetInput<V>,
        output: Option<&'a SetOutput<V>>,
    ) -> Effects<'a> {
        let is_there = |there: bool| Content::Hidden(there.into());
        let one = |value: &'a V, saw, leaves| {
            Effects::from_iter([Effect { part: value.content(), saw, leaves }])
        };
        match (input, output) {
            (SetInput::Add(value) | SetInput::Remove(value), output) => {
                let adds = matches!(input, SetInput::Add(_));
                let saw = match output {
                    None | Some(SetOutput::Done) => Saw::Anything,
                    Some(SetOutput::Changed(changed)) => Saw::Exactly(is_there(*changed != adds)),
                    Some(_) => Saw::Something,
                };
                one(value, saw, Leaves::Exactly(is_there(adds)))
            }
            (SetInput::Contains(value), Some(SetOutput::Present(there))) => {
                one(value, Saw::Exactly(is_there(*there)), Leaves::Unchanged)
            }
            (SetInput::Contains(_) | SetInput::ReadAll, None) => Effects::none(),
            // Too many to list them all.
            (SetInput::Contains(_) | SetInput::ReadAll, Some(_)) => {
                Effects::whole(Saw::Something, Leaves::Unchanged)
            }
        }
    }

    fn answer(&self, state: &Values<V>, input: &SetInput<V>) -> Option<SetOutput<V>> {
        Some(match input {
            SetInput::Add(value) => SetOutput::Changed(!state.contains(value)),
            SetInput::Remove(value) => SetOutput::Changed(state.contains(value)),
            SetInput::Contains(value) => SetOutput::Present(state.contains(value)),
            SetInput::ReadAll => SetOutput::Values(state.clone()),
        })
    }

    fn state_bytes(&self, state: &Values<V>) -> usize {
        size_of::<Self::State>() + state.0.len() * size_of::<V>()
    }

    fn monitor(&self, calls: &[CallOf<Self>]) -> Option<MonitorVerdict> {
        monitor::check(self, calls)
    }
}

/// The first few values, in an order that people expect.
fn shown<V: Datum>(values: &Values<V>) -> String {
    const SHOWN: usize = 12;
    let mut few: Vec<String> = values.iter().take(SHOWN).map(Datum::shown).collect();
    few.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    let more = values.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{{{}{rest}}}", few.join(", "))
}
