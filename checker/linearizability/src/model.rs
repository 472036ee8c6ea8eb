//! What a sequential object does.

use std::hash::Hash;

use crate::monitors::{MonitorVerdict, Refutation};
use crate::{CallOf, Content, Fact, RegisterStep};

/// What an operation with this result leaves behind; see [`Model::gives`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// What was there: it never changes the state.
    Unchanged,
    /// Whenever it changes the state, something with this fingerprint, such as a hash of the value written: any operation
    /// that [`Model::needs`] something else is illegal right after it.
    Fingerprint(u64),
    /// It depends.
    Unclear,
}

/// A sequential specification: the object as it behaves with one client.
///
/// Only the first four functions are needed; the others tell the search what it may skip, and their defaults
/// are always right.
pub trait Model: Sync {
    /// An operation with its arguments.
    type Input: Clone + Eq + Hash + Send + Sync;
    /// The result of an operation.
    type Output: Clone + Eq + Hash + Send + Sync;
    /// The object's state.
    type State: Clone + Eq + Hash + Send + Sync;

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// The state after the operation, or `None` where it cannot have that result in this state.
    /// An `output` of `None` is an unknown result: any is accepted.
    fn step(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Option<Self::State>;

    /// True only where the operation never changes the state, whatever its result.
    fn is_read_only(&self, input: &Self::Input) -> bool;

    /// The operation for people: short, without control characters.
    fn describe(&self, input: &Self::Input, output: Option<&Self::Output>) -> String;

    /// The part that the operation belongs to, where the object falls into independent parts, such as the keys of a
    /// store: named as it is to be called in a sentence, such as `Key x`. See [`crate::check_partitioned`].
    fn part(&self, _input: &Self::Input) -> Option<String> {
        None
    }

    /// True only where the step is legal in every state and always leaves the same state, as a blind write does.
    fn overwrites(&self, _input: &Self::Input, _output: Option<&Self::Output>) -> bool {
        false
    }

    /// What this operation leaves behind, given this result.
    fn gives(&self, _input: &Self::Input, _output: Option<&Self::Output>) -> Gives {
        Gives::Unclear
    }

    /// A fingerprint of what must be there for this operation to have this result; see [`Gives::Fingerprint`].
    /// `None`: it depends.
    fn needs(&self, _input: &Self::Input, _output: Option<&Self::Output>) -> Option<u64> {
        None
    }

    /// A finer answer for operations without a fingerprint: false only where `effect`, whenever it changes the
    /// state, leaves one in which `blocked` is illegal.
    fn may_enable(
        &self,
        _effect: &Self::Input,
        _blocked: &Self::Input,
        _output: Option<&Self::Output>,
    ) -> bool {
        true
    }

    /// Decides a whole history faster than any search could, where the model has a way to and the history
    /// allows it; `None` leaves it to the search. See [`crate::monitors`].
    fn monitor(&self, _calls: &[CallOf<Self>]) -> Option<MonitorVerdict>
    where
        Self: Sized,
    {
        None
    }

    /// About how many bytes of memory this state holds on to, for the memory limit.
    fn state_bytes(&self, _state: &Self::State) -> usize {
        size_of::<Self::State>()
    }

    /// The history as operations on a register whose values are all different, one step for each call in its place:
    /// what decides millions of operations without a search. `None` where it is none, in particular where two
    /// operations that may have happened leave the same value, or where it is not clear which operation left a
    /// value that somebody saw. The steps of failed calls only help to name an aborted read.
    fn register_steps(&self, _calls: &[CallOf<Self>]) -> Option<Vec<RegisterStep>>
    where
        Self: Sized,
    {
        None
    }

    /// What the operation says about each part of the object, for explanations: what it must have found there to
    /// have this result, and what it leaves. A part that it does not tell about is one that it does not touch.
    fn facts<'a>(
        &self,
        _input: &'a Self::Input,
        _output: Option<&'a Self::Output>,
    ) -> Vec<Fact<'a>> {
        Vec::new()
    }

    /// What a part holds before the first operation, for explanations; `None` where that is not clear.
    fn initially(&self, _part: &str) -> Option<Content<'_>> {
        None
    }

    /// The result that the operation has in this state, where there is only one: what an explanation calls possible.
    fn answer(&self, _state: &Self::State, _input: &Self::Input) -> Option<Self::Output> {
        None
    }

    /// Why the operation at this position fits no order, where a few operations prove it in a way that
    /// [`Model::facts`] cannot: always `None` for a history that has one.
    fn explain(&self, _stuck: usize, _calls: &[CallOf<Self>]) -> Option<Refutation>
    where
        Self: Sized,
    {
        None
    }
}
