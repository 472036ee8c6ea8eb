//! Workloads of the models that are not stores.

use linearizability::models::cas_register::{CasInput, CasOutput, Register};
use linearizability::models::counter::{Counter, CounterInput, CounterOutput};
use linearizability::models::line::{LineInput, LineOutput, Queue, Stack};
use linearizability::models::lock::{Client, LockInput, LockOutput, OwnedLock};
use linearizability::models::set::{Set, SetInput, SetOutput};
use linearizability::{CallOf, Effects, Model};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::{Workload, bare};

/// A model under a workload of its own.
pub struct Under<M, W>(pub M, pub W);

macro_rules! delegate {
    ($($model:ty, $workload:ty;)*) => {
        $(impl Model for Under<$model, $workload> {
            type Input = <$model as Model>::Input;
            type Output = <$model as Model>::Output;
            type State = <$model as Model>::State;

            fn initial(&self) -> Self::State {
                self.0.initial()
            }
            fn step(
                &self,
                state: &Self::State,
                input: &Self::Input,
                output: Option<&Self::Output>,
            ) -> Option<Self::State> {
                self.0.step(state, input, output)
            }
            fn effects<'a>(
                &'a self,
                input: &'a Self::Input,
                output: Option<&'a Self::Output>,
            ) -> Effects<'a> {
                bare(&self.0.effects(input, output))
            }
            fn describe(&self, input: &Self::Input, output: Option<&Self::Output>) -> String {
                self.0.describe(input, output)
            }
        })*
    };
}

delegate! {
    Queue<usize>, Values;
    Stack<usize>, Values;
    Set<usize>, SetFlavour;
    Register<usize>, Values;
    Counter, ();
    OwnedLock, Anybody;
    OwnedLock, ();
}

/// A lock that does not ask who holds it.
pub struct Anybody;

/// Which values are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// All different.
    Distinct,
    /// The same ones again and again.
    Few,
}

impl Values {
    fn next(self, rng: &mut ChaCha8Rng, fresh: usize) -> usize {
        match self {
            Values::Distinct => fresh,
            Values::Few => rng.random_range(0..2),
        }
    }
}

/// Is each of these different?
pub fn are_distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> bool {
    let values: Vec<T> = values.collect();
    values.iter().enumerate().all(|(i, value)| !values[..i].contains(value))
}

impl Workload for Under<Queue<usize>, Values> {
    fn input(&self, rng: &mut ChaCha8Rng, fresh: usize) -> LineInput<usize> {
        if rng.random_bool(0.5) { LineInput::Put(self.1.next(rng, fresh)) } else { LineInput::Take }
    }
    fn output(&self, state: &Vec<usize>, input: &LineInput<usize>) -> LineOutput<usize> {
        match input {
            LineInput::Put(_) => LineOutput::Done,
            LineInput::Take => {
                state.first().map_or(LineOutput::Empty, |&front| LineOutput::Value(front))
            }
        }
    }
    fn blurred(&self, _: &mut ChaCha8Rng, output: LineOutput<usize>) -> LineOutput<usize> {
        output
    }
}

impl Workload for Under<Stack<usize>, Values> {
    fn input(&self, rng: &mut ChaCha8Rng, fresh: usize) -> LineInput<usize> {
        if rng.random_bool(0.5) { LineInput::Put(self.1.next(rng, fresh)) } else { LineInput::Take }
    }
    fn output(&self, state: &Vec<usize>, input: &LineInput<usize>) -> LineOutput<usize> {
        match input {
            LineInput::Put(_) => LineOutput::Done,
            LineInput::Take => {
                state.last().map_or(LineOutput::Empty, |&top| LineOutput::Value(top))
            }
        }
    }
    fn blurred(&self, _: &mut ChaCha8Rng, output: LineOutput<usize>) -> LineOutput<usize> {
        output
    }
}

/// What is done to a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetFlavour {
    /// One value, everything but reads of all.
    Single,
    /// Three values, likewise.
    Several,
    /// Adds, reads of all values, and some of one.
    Growing,
    /// All of it, each value several times.
    Everything,
}

impl Workload for Under<Set<usize>, SetFlavour> {
    fn input(&self, rng: &mut ChaCha8Rng, fresh: usize) -> SetInput<usize> {
        let (values, reads, removals) = match self.1 {
            SetFlavour::Single => (1, 0, 3),
            SetFlavour::Several => (3, 0, 2),
            SetFlavour::Growing => (fresh.max(1), 4, 0),
            SetFlavour::Everything => (2, 2, 2),
        };
        let value = rng.random_range(0..values);
        // The first of them are adds, so that there is something to see.
        let distinct = self.1 != SetFlavour::Everything;
        if distinct
            && (fresh < values.min(3) || (self.1 == SetFlavour::Growing && rng.random_bool(0.4)))
        {
            return SetInput::Add(fresh);
        }
        match rng.random_range(0..10) {
            i if i < reads => SetInput::ReadAll,
            i if i < reads + removals => SetInput::Remove(value),
            9 if !distinct => SetInput::Add(value),
            8 if !distinct => SetInput::Add(value),
            _ => SetInput::Contains(value),
        }
    }
    fn output(
        &self,
        state: &<Set<usize> as Model>::State,
        input: &SetInput<usize>,
    ) -> SetOutput<usize> {
        match input {
            SetInput::Add(value) => SetOutput::Changed(!state.contains(value)),
            SetInput::Remove(value) => SetOutput::Changed(state.contains(value)),
            SetInput::Contains(value) => SetOutput::Present(state.contains(value)),
            SetInput::ReadAll => SetOutput::Values(state.clone()),
        }
    }
    fn blurred(&self, rng: &mut ChaCha8Rng, output: SetOutput<usize>) -> SetOutput<usize> {
        match output {
            SetOutput::Changed(_) if rng.random_bool(0.5) => SetOutput::Done,
            // A value that nobody added, now and then.
            SetOutput::Values(values) if rng.random_range(0..30) == 0 => {
                SetOutput::Values(values.iter().copied().chain([99]).collect())
            }
            other => other,
        }
    }
}

impl Workload for Under<Register<usize>, Values> {
    fn input(&self, rng: &mut ChaCha8Rng, fresh: usize) -> CasInput<usize> {
        if rng.random_bool(0.5) {
            CasInput::Write(self.1.next(rng, fresh + 1))
        } else {
            CasInput::Read
        }
    }
    fn output(&self, state: &usize, input: &CasInput<usize>) -> CasOutput<usize> {
        match input {
            CasInput::Write(_) => CasOutput::Done,
            CasInput::Read => CasOutput::Value(*state),
            CasInput::Cas(expect, _) => CasOutput::Cas(state == expect),
        }
    }
    fn blurred(&self, _: &mut ChaCha8Rng, output: CasOutput<usize>) -> CasOutput<usize> {
        output
    }
}

impl Workload for Under<Counter, ()> {
    fn input(&self, rng: &mut ChaCha8Rng, _: usize) -> CounterInput {
        if rng.random_bool(0.5) {
            CounterInput::Add(rng.random_range(-1..3))
        } else {
            CounterInput::Read
        }
    }
    fn output(&self, state: &i128, input: &CounterInput) -> CounterOutput {
        match input {
            CounterInput::Read => CounterOutput::Value(*state),
            CounterInput::Add(delta) => CounterOutput::Value(state + delta),
        }
    }
    fn blurred(&self, rng: &mut ChaCha8Rng, output: CounterOutput) -> CounterOutput {
        // Only an addition may say nothing; the caller cannot tell, so a read's blurred result is illegal.
        if rng.random_range(0..4) == 0 { CounterOutput::Done } else { output }
    }
}

fn lock_request(rng: &mut ChaCha8Rng, client: Client) -> LockInput {
    if rng.random_bool(0.5) { LockInput::Acquire(client) } else { LockInput::Release(client) }
}

fn lock_answer(
    lock: &OwnedLock,
    state: &<OwnedLock as Model>::State,
    input: &LockInput,
) -> LockOutput {
    let done = lock.step(state, input, Some(&LockOutput::Done)).is_some();
    if done { LockOutput::Done } else { LockOutput::Refused }
}

impl Workload for Under<OwnedLock, Anybody> {
    fn input(&self, rng: &mut ChaCha8Rng, _: usize) -> LockInput {
        lock_request(rng, None)
    }
    fn output(&self, state: &<OwnedLock as Model>::State, input: &LockInput) -> LockOutput {
        lock_answer(&self.0, state, input)
    }
    fn blurred(&self, _: &mut ChaCha8Rng, output: LockOutput) -> LockOutput {
        output
    }
}

impl Workload for Under<OwnedLock, ()> {
    fn input(&self, rng: &mut ChaCha8Rng, _: usize) -> LockInput {
        let client = rng.random_range(0..2);
        lock_request(rng, Some(client))
    }
    fn output(&self, state: &<OwnedLock as Model>::State, input: &LockInput) -> LockOutput {
        lock_answer(&self.0, state, input)
    }
    fn blurred(&self, _: &mut ChaCha8Rng, output: LockOutput) -> LockOutput {
        output
    }
}

/// A model with all its effects, but for its monitor, and not telling what it holds at first: only a search decides.
pub struct Unmonitored<'a, M>(pub &'a M);

impl<M: Model> Model for Unmonitored<'_, M> {
    type Input = M::Input;
    type Output = M::Output;
    type State = M::State;

    fn initial(&self) -> Self::State {
        self.0.initial()
    }
    fn step(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Option<Self::State> {
        self.0.step(state, input, output)
    }
    fn describe(&self, input: &Self::Input, output: Option<&Self::Output>) -> String {
        self.0.describe(input, output)
    }
    fn effects<'a>(
        &'a self,
        input: &'a Self::Input,
        output: Option<&'a Self::Output>,
    ) -> Effects<'a> {
        self.0.effects(input, output)
    }
    fn state_bytes(&self, state: &Self::State) -> usize {
        self.0.state_bytes(state)
    }
}

/// The calls for people.
pub fn shown<M: Model>(model: &M, calls: &[CallOf<M>]) -> String {
    let line = |call: &CallOf<M>| {
        let what = model.describe(&call.input, call.output.as_ref());
        format!("{}: {what} {}–{:?}, failed {}\n", call.id, call.call, call.ret, call.failed)
    };
    calls.iter().map(line).collect()
}
