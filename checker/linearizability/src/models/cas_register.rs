//! A register over JSON values with compare-and-set: what Jepsen's register workloads test.

use serde_json::Value;

use super::datum::fingerprint;
use super::numbers::Numbers;
use super::quoted;
use crate::{CallOf, Content, Fact, Gives, Model, RegisterStep};

/// One register with an initial value (Jepsen's is nil).
#[derive(Clone, Debug, Default)]
pub struct CasRegister {
    /// The value before the first operation.
    pub initial: Value,
}

/// What is asked of the register.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CasInput {
    /// Read the value.
    Read,
    /// Replace the value.
    Write(Value),
    /// Replace the first value by the second.
    Cas(Value, Value),
}

/// What the register answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CasOutput {
    /// The value read.
    Value(Value),
    /// The write happened.
    Done,
    /// Whether a compare-and-set found the value it expected.
    Cas(bool),
}

impl Model for CasRegister {
    type Input = CasInput;
    type Output = CasOutput;
    type State = Value;

    fn initial(&self) -> Value {
        self.initial.clone()
    }

    fn step(&self, state: &Value, input: &CasInput, output: Option<&CasOutput>) -> Option<Value> {
        match (input, output) {
            (CasInput::Read, None) => Some(state.clone()),
            (CasInput::Read, Some(CasOutput::Value(value))) => {
                (state == value).then(|| state.clone())
            }
            (CasInput::Write(value), None | Some(CasOutput::Done)) => Some(value.clone()),
            (CasInput::Cas(expect, value), None) => {
                Some(if state == expect { value } else { state }.clone())
            }
            (CasInput::Cas(expect, value), Some(CasOutput::Cas(swapped))) => {
                let matches = state == expect;
                (matches == *swapped).then(|| if matches { value } else { state }.clone())
            }
            _ => None,
        }
    }

    fn is_read_only(&self, input: &CasInput) -> bool {
        match input {
            CasInput::Read => true,
            CasInput::Write(_) => false,
            CasInput::Cas(expect, value) => expect == value,
        }
    }

    fn describe(&self, input: &CasInput, output: Option<&CasOutput>) -> String {
        let asked = match input {
            CasInput::Read => "read".to_owned(),
            CasInput::Write(value) => format!("write {}", shown(value)),
            CasInput::Cas(expect, value) => format!("cas {} to {}", shown(expect), shown(value)),
        };
        match output {
            None => asked,
            Some(CasOutput::Value(value)) => format!("{asked} = {}", shown(value)),
            Some(CasOutput::Done) => asked,
            Some(CasOutput::Cas(true)) => format!("{asked}, swapped"),
            Some(CasOutput::Cas(false)) => format!("{asked}, refused"),
        }
    }

    fn overwrites(&self, input: &CasInput, output: Option<&CasOutput>) -> bool {
        matches!((input, output), (CasInput::Write(_), None | Some(CasOutput::Done)))
    }

    fn gives(&self, input: &CasInput, output: Option<&CasOutput>) -> Gives {
        match (input, output) {
            (CasInput::Read, _) | (_, Some(CasOutput::Cas(false))) => Gives::Unchanged,
            (CasInput::Cas(..), _) if self.is_read_only(input) => Gives::Unchanged,
            (CasInput::Write(value) | CasInput::Cas(_, value), _) => {
                Gives::Fingerprint(fingerprint(value))
            }
        }
    }

    fn needs(&self, input: &CasInput, output: Option<&CasOutput>) -> Option<u64> {
        match (input, output) {
            (CasInput::Read, Some(CasOutput::Value(value))) => Some(fingerprint(value)),
            (CasInput::Cas(expect, _), Some(CasOutput::Cas(true))) => Some(fingerprint(expect)),
            _ => None,
        }
    }

    fn facts<'a>(&self, input: &'a CasInput, output: Option<&'a CasOutput>) -> Vec<Fact<'a>> {
        match (input, output) {
            (CasInput::Read, Some(CasOutput::Value(value))) => {
                vec![Fact::Saw("".into(), value.into())]
            }
            (CasInput::Write(value), _) => vec![Fact::Left("".into(), value.into())],
            (CasInput::Cas(expect, value), Some(CasOutput::Cas(true))) => {
                let saw = Fact::Saw("".into(), expect.into());
                if self.is_read_only(input) {
                    vec![saw]
                } else {
                    vec![saw, Fact::Left("".into(), value.into())]
                }
            }
            (CasInput::Cas(..), _) if self.is_read_only(input) => Vec::new(),
            (CasInput::Cas(_, value), None) => vec![Fact::MayLeave("".into(), value.into())],
            (CasInput::Read | CasInput::Cas(..), _) => Vec::new(),
        }
    }

    fn initially(&self, _part: &str) -> Option<Content<'_>> {
        Some((&self.initial).into())
    }

    fn answer(&self, state: &Value, input: &CasInput) -> Option<CasOutput> {
        Some(match input {
            CasInput::Read => CasOutput::Value(state.clone()),
            CasInput::Write(_) => CasOutput::Done,
            CasInput::Cas(expect, _) => CasOutput::Cas(state == expect),
        })
    }

    fn register_steps(&self, calls: &[CallOf<Self>]) -> Option<Vec<RegisterStep>> {
        let mut numbers = Numbers::new(&self.initial);
        calls.iter().map(|call| step_of(call, &mut numbers)).collect()
    }
}

/// `None` where the value has a writer already.
fn step_of<'a>(
    call: &'a CallOf<CasRegister>,
    numbers: &mut Numbers<&'a Value>,
) -> Option<RegisterStep> {
    match (&call.input, &call.output) {
        (CasInput::Read, Some(CasOutput::Value(value))) => {
            Some(RegisterStep::Read(numbers.of(value)))
        }
        (CasInput::Read, _) => Some(RegisterStep::Nothing),
        // Remembered to name an aborted read.
        (CasInput::Write(value) | CasInput::Cas(_, value), _) if call.failed => {
            Some(RegisterStep::Write(numbers.of(value)))
        }
        (CasInput::Write(value), None | Some(CasOutput::Done)) => {
            Some(RegisterStep::Write(numbers.left(value)?))
        }
        (CasInput::Cas(expect, value), output) => match output {
            Some(CasOutput::Cas(false)) => Some(RegisterStep::Refused(numbers.of(expect))),
            None if call.ret.is_some() => None,
            None | Some(CasOutput::Cas(true)) => {
                Some(RegisterStep::Swap { old: numbers.of(expect), new: numbers.left(value)? })
            }
            Some(_) => None,
        },
        (CasInput::Write(_), Some(_)) => None,
    }
}

/// A number as it is, anything longer shortened.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(_) | Value::Object(_) => quoted(&value.to_string()),
        Value::Null => "nil".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
