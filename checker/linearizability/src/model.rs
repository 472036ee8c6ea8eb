//! What a sequential object does.

use std::hash::Hash;

use crate::refutation::{MonitorVerdict, Refutation};
use crate::{Call, Content, Effects};

/// The calls of a model.
pub type CallOf<M> = Call<<M as Model>::Input, <M as Model>::Output>;

/// A sequential specification: the object as it behaves with one client.
///
/// Only the first three functions are needed. [`Model::part`] and [`Model::effects`] make checks faster and violations
/// plainer; the others are for objects about which more is known. The defaults are always right.
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

    /// The operation for people: short, without control characters.
    fn describe(&self, input: &Self::Input, output: Option<&Self::Output>) -> String;

    /// The part that the operation belongs to, where the object falls into independent parts, such as the keys of a
    /// store: named as it is to be called in a sentence, such as `Key x`. See [`crate::check_partitioned`].
    fn part(&self, _input: &Self::Input) -> Option<String> {
        None
    }

    /// What an operation with this result saw and what it leaves. An `output` of `None` is an unknown result: it may
    /// have been any.
    fn effects<'a>(
        &'a self,
        _input: &'a Self::Input,
        _output: Option<&'a Self::Output>,
    ) -> Effects<'a> {
        Effects::unknown()
    }

    /// What a part holds before the first operation. `None`: that is found by trying each operation that saw only this
    /// part in the initial state, which is enough to explain a violation. An object of one part that tells it is decided
    /// without a search where no value is written twice.
    fn initially(&self, _part: &Content<'_>) -> Option<Content<'_>> {
        None
    }

    /// Decides a whole history faster than any search could, where the model has a way to and the history
    /// allows it; `None` leaves it to the search.
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

    /// The result that the operation has in this state, where there is only one: what an explanation calls possible.
    fn answer(&self, _state: &Self::State, _input: &Self::Input) -> Option<Self::Output> {
        None
    }

    /// Why the operation at this position fits no order, where a few operations prove it in a way that
    /// [`Model::effects`] cannot: always `None` for a history that has one.
    fn explain(&self, _stuck: usize, _calls: &[CallOf<Self>]) -> Option<Refutation>
    where
        Self: Sized,
    {
        None
    }
}
