//! A register that is only read and written.

use super::Datum;
use super::datum::{fingerprint, told};
use super::numbers::Numbers;
use crate::{CallOf, Content, Fact, Gives, Model, RegisterStep};

/// One register and what it holds at first. For compare-and-set see [`super::CasRegister`].
#[derive(Clone, Debug, Default)]
pub struct Register<V> {
    /// The value before the first operation.
    pub initial: V,
}

/// What is asked of the register.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RegisterInput<V> {
    /// Read the value.
    Read,
    /// Replace the value.
    Write(V),
}

/// What the register answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RegisterOutput<V> {
    /// The value read.
    Value(V),
    /// The write happened.
    Done,
}

impl<V: Datum> Model for Register<V> {
    type Input = RegisterInput<V>;
    type Output = RegisterOutput<V>;
    type State = V;

    fn initial(&self) -> V {
        self.initial.clone()
    }

    fn step(&self, state: &V, input: &Self::Input, output: Option<&Self::Output>) -> Option<V> {
        match (input, output) {
            (RegisterInput::Read, None) => Some(state.clone()),
            (RegisterInput::Read, Some(RegisterOutput::Value(value))) => {
                (state == value).then(|| state.clone())
            }
            (RegisterInput::Write(value), None | Some(RegisterOutput::Done)) => Some(value.clone()),
            _ => None,
        }
    }

    fn is_read_only(&self, input: &Self::Input) -> bool {
        *input == RegisterInput::Read
    }

    fn describe(&self, input: &Self::Input, output: Option<&Self::Output>) -> String {
        let asked = match input {
            RegisterInput::Read => "read".to_owned(),
            RegisterInput::Write(value) => format!("write {}", value.shown()),
        };
        let answer = |output: &Self::Output| match output {
            RegisterOutput::Value(value) => format!("= {}", value.shown()),
            RegisterOutput::Done => String::new(),
        };
        told(asked, output.map(answer))
    }

    fn overwrites(&self, input: &Self::Input, output: Option<&Self::Output>) -> bool {
        matches!((input, output), (RegisterInput::Write(_), None | Some(RegisterOutput::Done)))
    }

    fn gives(&self, input: &Self::Input, _output: Option<&Self::Output>) -> Gives {
        match input {
            RegisterInput::Read => Gives::Unchanged,
            RegisterInput::Write(value) => Gives::Fingerprint(fingerprint(value)),
        }
    }

    fn needs(&self, input: &Self::Input, output: Option<&Self::Output>) -> Option<u64> {
        match (input, output) {
            (RegisterInput::Read, Some(RegisterOutput::Value(value))) => Some(fingerprint(value)),
            _ => None,
        }
    }

    fn facts<'a>(&self, input: &'a Self::Input, output: Option<&'a Self::Output>) -> Vec<Fact<'a>> {
        match (input, output) {
            (RegisterInput::Write(value), _) => vec![Fact::Left("".into(), value.content())],
            (RegisterInput::Read, Some(RegisterOutput::Value(value))) => {
                vec![Fact::Saw("".into(), value.content())]
            }
            (RegisterInput::Read, _) => Vec::new(),
        }
    }

    fn initially(&self, _part: &str) -> Option<Content<'_>> {
        Some(self.initial.content())
    }

    fn answer(&self, state: &V, input: &Self::Input) -> Option<Self::Output> {
        Some(match input {
            RegisterInput::Read => RegisterOutput::Value(state.clone()),
            RegisterInput::Write(_) => RegisterOutput::Done,
        })
    }

    fn register_steps(&self, calls: &[CallOf<Self>]) -> Option<Vec<RegisterStep>> {
        let mut numbers = Numbers::new(&self.initial);
        let step = |call| step_of(call, &mut numbers);
        calls.iter().map(step).collect()
    }
}

/// `None` where the value has a writer already.
fn step_of<'a, V: Datum>(
    call: &'a CallOf<Register<V>>,
    numbers: &mut Numbers<&'a V>,
) -> Option<RegisterStep> {
    match (&call.input, &call.output) {
        (RegisterInput::Read, Some(RegisterOutput::Value(value))) => {
            Some(RegisterStep::Read(numbers.of(value)))
        }
        (RegisterInput::Read, None) => Some(RegisterStep::Nothing),
        // Remembered to name an aborted read.
        (RegisterInput::Write(value), _) if call.failed => {
            Some(RegisterStep::Write(numbers.of(value)))
        }
        (RegisterInput::Write(value), None | Some(RegisterOutput::Done)) => {
            Some(RegisterStep::Write(numbers.left(value)?))
        }
        _ => None,
    }
}
