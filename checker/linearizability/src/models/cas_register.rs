//! A register with compare-and-set: what Jepsen's register workloads test.

use serde_json::Value;

use super::{Datum, with_result};
use crate::{Content, Effects, Leaves, Model, Saw};

/// One register and what it holds at first (Jepsen's is nil).
#[derive(Clone, Debug, Default)]
pub struct CasRegister<V = Value> {
    /// The value before the first operation.
    pub initial: V,
}

/// A register that is only read and written.
pub type Register<V> = CasRegister<V>;

/// What is asked of the register.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CasInput<V = Value> {
    /// Read the value.
    Read,
    /// Replace the value.
    Write(V),
    /// Replace the first value by the second.
    Cas(V, V),
}

/// What the register answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CasOutput<V = Value> {
    /// The value read.
    Value(V),
    /// The write happened.
    Done,
    /// Whether a compare-and-set found the value it expected.
    Cas(bool),
}

impl<V: Datum> Model for CasRegister<V> {
    type Input = CasInput<V>;
    type Output = CasOutput<V>;
    type State = V;

    fn initial(&self) -> V {
        self.initial.clone()
    }

    fn step(&self, state: &V, input: &CasInput<V>, output: Option<&CasOutput<V>>) -> Option<V> {
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

    fn describe(&self, input: &CasInput<V>, output: Option<&CasOutput<V>>) -> String {
        let asked = match input {
            CasInput::Read => "read".to_owned(),
            CasInput::Write(value) => format!("write {}", value.shown()),
            CasInput::Cas(expect, value) => {
                format!("cas {} to {}", expect.shown(), value.shown())
            }
        };
        match output {
            Some(CasOutput::Cas(true)) => format!("{asked}, swapped"),
            Some(CasOutput::Cas(false)) => format!("{asked}, refused"),
            Some(CasOutput::Value(value)) => {
                with_result(asked, Some(format!("= {}", value.shown())))
            }
            None | Some(CasOutput::Done) => asked,
        }
    }

    fn effects<'a>(
        &'a self,
        input: &'a CasInput<V>,
        output: Option<&'a CasOutput<V>>,
    ) -> Effects<'a> {
        let (saw, leaves) = match (input, output) {
            (CasInput::Read, None) => (Saw::Anything, Leaves::Unchanged),
            (CasInput::Read, Some(CasOutput::Value(value))) => {
                (Saw::Exactly(value.content()), Leaves::Unchanged)
            }
            (CasInput::Read, Some(_)) => (Saw::Something, Leaves::Unchanged),
            (CasInput::Write(value), output) => {
                let is_possible = matches!(output, None | Some(CasOutput::Done));
                let saw = if is_possible { Saw::Anything } else { Saw::Something };
                (saw, Leaves::Exactly(value.content()))
            }
            (CasInput::Cas(expect, _), Some(CasOutput::Cas(false))) => {
                (Saw::Other(expect.content()), Leaves::Unchanged)
            }
            (CasInput::Cas(expect, value), output) => {
                let (old, new) = (expect.content(), value.content());
                match output {
                    Some(CasOutput::Cas(_)) if expect == value => {
                        (Saw::Exactly(old), Leaves::Unchanged)
                    }
                    Some(CasOutput::Cas(_)) => (Saw::Exactly(old), Leaves::Exactly(new)),
                    None if expect == value => (Saw::Anything, Leaves::Unchanged),
                    None => (Saw::Anything, Leaves::Swapped { old, new }),
                    Some(_) => (Saw::Something, Leaves::Swapped { old, new }),
                }
            }
        };
        Effects::whole(saw, leaves)
    }

    fn initially(&self, _part: &Content<'_>) -> Option<Content<'_>> {
        Some(self.initial.content())
    }

    fn answer(&self, state: &V, input: &CasInput<V>) -> Option<CasOutput<V>> {
        Some(match input {
            CasInput::Read => CasOutput::Value(state.clone()),
            CasInput::Write(_) => CasOutput::Done,
            CasInput::Cas(expect, _) => CasOutput::Cas(state == expect),
        })
    }
}
