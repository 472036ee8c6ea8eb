//! Objects that may do one thing or another.

use std::hash::Hash;

use crate::Model;

/// A sequential specification that allows several states after an operation.
///
/// [`Powerset`] makes a [`Model`] of it. A result that tells which state it is needs nothing of this: a bag whose
/// `take` answers with any of its elements is an ordinary model. This is for what no result tells.
///
/// ```
/// use linearizability::{Call, Limits, NondeterministicModel, Powerset, check};
///
/// /// A cache: what is put there may be gone at any later moment.
/// struct Cache;
///
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// enum Ask {
///     Put(u32),
///     Get,
/// }
///
/// impl NondeterministicModel for Cache {
///     type Input = Ask;
///     type Output = Option<u32>;
///     type State = Option<u32>;
///
///     fn initial(&self) -> Vec<Option<u32>> {
///         vec![None]
///     }
///
///     fn step(
///         &self,
///         state: &Option<u32>,
///         input: &Ask,
///         output: Option<&Option<u32>>,
///     ) -> Vec<Option<u32>> {
///         match (input, output) {
///             (Ask::Put(value), _) => vec![Some(*value), None],
///             // An unknown result: any is accepted.
///             (Ask::Get, None) => vec![*state, None],
///             (Ask::Get, Some(None)) => vec![None],
///             (Ask::Get, Some(seen)) if seen == state => vec![*state, None],
///             (Ask::Get, Some(_)) => vec![],
///         }
///     }
///
///     fn describe(&self, input: &Ask, output: Option<&Option<u32>>) -> String {
///         match input {
///             Ask::Put(value) => format!("put {value}"),
///             Ask::Get => format!("get = {output:?}"),
///         }
///     }
/// }
///
/// let call = |id, input, output| Call {
///     id,
///     process: 0,
///     input,
///     output: Some(output),
///     call: 2 * id,
///     ret: Some(2 * id + 1),
///     call_ns: 0,
///     return_ns: Some(0),
///     failed: false,
/// };
/// let mut calls = vec![call(0, Ask::Put(7), None), call(1, Ask::Get, Some(7)), call(2, Ask::Get, None)];
/// let model = Powerset(Cache);
/// assert_eq!(check(&model, &calls, &Limits::default()).verdict, history::Verdict::Valid);
/// // Gone is gone.
/// calls.push(call(3, Ask::Get, Some(7)));
/// assert_eq!(check(&model, &calls, &Limits::default()).verdict, history::Verdict::Violation);
/// ```
pub trait NondeterministicModel: Sync {
    /// An operation with its arguments.
    type Input: Clone + Eq + Hash + Send + Sync;
    /// The result of an operation.
    type Output: Clone + Eq + Hash + Send + Sync;
    /// The object's state.
    type State: Clone + Ord + Hash + Send + Sync;

    /// The states there may be before the first operation.
    fn initial(&self) -> Vec<Self::State>;

    /// The states there may be after the operation; none where it cannot have that result in this state.
    /// An `output` of `None` is an unknown result: any is accepted.
    fn step(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Vec<Self::State>;

    /// The operation for people: short, without control characters.
    fn describe(&self, input: &Self::Input, output: Option<&Self::Output>) -> String;
}

/// A nondeterministic model as a deterministic one, whose state is the set of all states that the other may be in.
///
/// An order is legal for one exactly where it is for the other: the set holds what every way to resolve the
/// choices so far leads to, and is empty where none does (Rabin & Scott, "Finite Automata and Their Decision
/// Problems", IBM J. 1959).
#[derive(Clone, Copy, Debug, Default)]
pub struct Powerset<N>(
    /// The nondeterministic model.
    pub N,
);

impl<N: NondeterministicModel> Model for Powerset<N> {
    type Input = N::Input;
    type Output = N::Output;
    /// In order, each once; never empty but where the model has no initial state.
    type State = Vec<N::State>;

    fn initial(&self) -> Vec<N::State> {
        canonical(self.0.initial())
    }

    fn step(
        &self,
        states: &Vec<N::State>,
        input: &N::Input,
        output: Option<&N::Output>,
    ) -> Option<Vec<N::State>> {
        let next = states.iter().flat_map(|state| self.0.step(state, input, output)).collect();
        Some(canonical(next)).filter(|next| !next.is_empty())
    }

    /// Never: even a read changes the set, to those states in which it has its result.
    fn is_read_only(&self, _input: &N::Input) -> bool {
        false
    }

    fn describe(&self, input: &N::Input, output: Option<&N::Output>) -> String {
        self.0.describe(input, output)
    }

    fn state_bytes(&self, states: &Vec<N::State>) -> usize {
        size_of::<Self::State>() + states.capacity() * size_of::<N::State>()
    }
}

fn canonical<S: Ord>(mut states: Vec<S>) -> Vec<S> {
    states.sort_unstable();
    states.dedup();
    states
}
