//! Workloads of the models that are not stores.

#![allow(dead_code, reason = "each test binary uses a part")]

use linearizability::models::counter::{Counter, CounterInput, CounterOutput};
use linearizability::models::line::{LineInput, LineOutput, Queue, Stack};
use linearizability::models::lock::{LockInput, LockOutput, OwnedLock};
use linearizability::models::mutex::{Mutex, MutexInput, MutexOutput};
use linearizability::models::register::{Register, RegisterInput, RegisterOutput};
use linearizability::models::set::{Set, SetInput, SetOutput};
use linearizability::{CallOf, Gives, Model};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::common::Workload;

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
            fn is_read_only(&self, input: &Self::Input) -> bool {
                self.0.is_read_only(input)
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
    Mutex, ();
    OwnedLock, ();
}

/// Which values are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    Distinct,
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
    fn input(&self, rng: &mut ChaCha8Rng, fresh: usize) -> RegisterInput<usize> {
        if rng.random_bool(0.5) {
            RegisterInput::Write(self.1.next(rng, fresh + 1))
        } else {
            RegisterInput::Read
        }
    }
    fn output(&self, state: &usize, input: &RegisterInput<usize>) -> RegisterOutput<usize> {
        match input {
            RegisterInput::Write(_) => RegisterOutput::Done,
            RegisterInput::Read => RegisterOutput::Value(*state),
        }
    }
    fn blurred(&self, _: &mut ChaCha8Rng, output: RegisterOutput<usize>) -> RegisterOutput<usize> {
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
    fn output(&self, state: &i64, input: &CounterInput) -> CounterOutput {
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

impl Workload for Under<Mutex, ()> {
    fn input(&self, rng: &mut ChaCha8Rng, _: usize) -> MutexInput {
        if rng.random_bool(0.5) { MutexInput::Acquire } else { MutexInput::Release }
    }
    fn output(&self, held: &bool, input: &MutexInput) -> MutexOutput {
        let changes = *held == (*input == MutexInput::Release);
        if changes { MutexOutput::Done } else { MutexOutput::Refused }
    }
    fn blurred(&self, _: &mut ChaCha8Rng, output: MutexOutput) -> MutexOutput {
        output
    }
}

impl Workload for Under<OwnedLock, ()> {
    fn input(&self, rng: &mut ChaCha8Rng, _: usize) -> LockInput {
        let client = rng.random_range(0..2);
        if rng.random_bool(0.5) { LockInput::Acquire(client) } else { LockInput::Release(client) }
    }
    fn output(&self, state: &<OwnedLock as Model>::State, input: &LockInput) -> LockOutput {
        let done = self.0.step(state, input, Some(&LockOutput::Done)).is_some();
        if done { LockOutput::Done } else { LockOutput::Refused }
    }
    fn blurred(&self, _: &mut ChaCha8Rng, output: LockOutput) -> LockOutput {
        output
    }
}

/// A model with all its hints, but for its monitor.
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
    fn is_read_only(&self, input: &Self::Input) -> bool {
        self.0.is_read_only(input)
    }
    fn describe(&self, input: &Self::Input, output: Option<&Self::Output>) -> String {
        self.0.describe(input, output)
    }
    fn overwrites(&self, input: &Self::Input, output: Option<&Self::Output>) -> bool {
        self.0.overwrites(input, output)
    }
    fn gives(&self, input: &Self::Input, output: Option<&Self::Output>) -> Gives {
        self.0.gives(input, output)
    }
    fn needs(&self, input: &Self::Input, output: Option<&Self::Output>) -> Option<u64> {
        self.0.needs(input, output)
    }
    fn may_enable(
        &self,
        effect: &Self::Input,
        blocked: &Self::Input,
        output: Option<&Self::Output>,
    ) -> bool {
        self.0.may_enable(effect, blocked, output)
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
