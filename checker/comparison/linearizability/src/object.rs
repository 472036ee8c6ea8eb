//! What the other checkers are given: operations that carry their result, over the leanest values there are.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;

use linearizability::models::cas_register::{CasInput, CasOutput};
use linearizability::models::kv::{KvInput, KvOutput};
use linearizability::models::{CasRegister, Kv};
use linearizability::{Call, CallOf, Model};
use serde_json::Value;

/// A sequential object; an operation says what it answered, where that is known.
pub trait Object: Clone + Debug + Send + Sync + 'static {
    /// What it holds.
    type State: Clone + Debug + Eq + Hash + Send + Sync;

    /// What it holds at first.
    fn initial() -> Self::State;

    /// What it holds after this operation; `None` where it could not have had this result.
    fn apply(&self, state: &Self::State) -> Option<Self::State>;

    /// The same as the others like it: whether it could, and the state.
    fn step(&self, state: &Self::State) -> (bool, Self::State) {
        let next = self.apply(state);
        (next.is_some(), next.unwrap_or_else(|| state.clone()))
    }
}

/// An operation and when it took place.
#[derive(Clone, Debug)]
pub struct Timed<O> {
    pub operation: O,
    /// A client: one operation at a time, and none after one that stays open.
    pub client: usize,
    pub call: u64,
    /// `None`: open for ever.
    pub ret: Option<u64>,
}

/// A call or a return, for the operation at this place of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    Call(usize),
    Return(usize),
}

/// All calls and returns in order; what stays open never returns.
pub fn moments<O>(history: &[Timed<O>]) -> Vec<Moment> {
    let mut moments: Vec<(u64, Moment)> = Vec::with_capacity(2 * history.len());
    for (i, timed) in history.iter().enumerate() {
        moments.push((timed.call, Moment::Call(i)));
        moments.extend(timed.ret.map(|ret| (ret, Moment::Return(i))));
    }
    moments.sort_unstable();
    moments.into_iter().map(|(_, moment)| moment).collect()
}

/// Our object as the others know it.
pub trait Known: Model {
    type Object: Object;

    /// # Errors
    /// An operation that the others do not know.
    fn operation(call: &CallOf<Self>) -> Result<Self::Object, String>;
}

/// The calls of one object. Failed ones and unanswered reads say nothing, so nobody need look at them.
pub fn translate<M: Known>(
    model: &M,
    calls: &[CallOf<M>],
) -> Result<Vec<Timed<M::Object>>, String> {
    let mut clients: HashMap<u64, usize> = HashMap::new();
    let mut next = 0;
    let mut fresh = || {
        next += 1;
        next - 1
    };
    let says_something = |call: &&CallOf<M>| {
        !call.failed && (call.output.is_some() || !model.effects(&call.input, None).is_read_only())
    };
    let timed = |call: &CallOf<M>| {
        let client = *clients.entry(call.process).or_insert_with(&mut fresh);
        if call.ret.is_none() {
            clients.remove(&call.process);
        }
        Ok(Timed { operation: M::operation(call)?, client, call: call.call, ret: call.ret })
    };
    calls.iter().filter(says_something).map(timed).collect()
}

/// An operation on a register of small numbers; nil is 0.
#[derive(Clone, Copy, Debug)]
pub enum RegisterOperation {
    Read(u32),
    Write(u32),
    Cas { expect: u32, value: u32, swapped: Option<bool> },
}

impl Object for RegisterOperation {
    type State = u32;

    fn initial() -> u32 {
        0
    }

    fn apply(&self, &state: &u32) -> Option<u32> {
        match *self {
            Self::Read(value) => (value == state).then_some(state),
            Self::Write(value) => Some(value),
            Self::Cas { expect, value, swapped } => {
                let matches = state == expect;
                swapped.is_none_or(|swapped| swapped == matches).then_some(if matches {
                    value
                } else {
                    state
                })
            }
        }
    }
}

impl Known for CasRegister {
    type Object = RegisterOperation;

    fn operation(call: &CallOf<Self>) -> Result<RegisterOperation, String> {
        Ok(match (&call.input, &call.output) {
            (CasInput::Read, Some(CasOutput::Value(value))) => {
                RegisterOperation::Read(number(value)?)
            }
            (CasInput::Write(value), _) => RegisterOperation::Write(number(value)?),
            (CasInput::Cas(expect, value), output) => RegisterOperation::Cas {
                expect: number(expect)?,
                value: number(value)?,
                swapped: output.as_ref().map(|output| *output == CasOutput::Cas(true)),
            },
            _ => return Err(unknown_to_others(call)),
        })
    }
}

fn number(value: &Value) -> Result<u32, String> {
    let shifted = match value {
        Value::Null => Some(0),
        value => value.as_u64().and_then(|n| u32::try_from(n + 1).ok()),
    };
    shifted.ok_or_else(|| format!("{value} is neither nil nor a small number"))
}

/// An operation on a key of a store of strings.
#[derive(Clone, Debug)]
pub enum KeyOperation {
    Get(Option<String>),
    Put(String),
    Append { more: String, after: Option<String> },
}

impl Object for KeyOperation {
    type State = Option<String>;

    fn initial() -> Option<String> {
        None
    }

    fn apply(&self, state: &Option<String>) -> Option<Option<String>> {
        match self {
            Self::Get(value) => (value == state).then(|| state.clone()),
            Self::Put(value) => Some(Some(value.clone())),
            Self::Append { more, after } => {
                let new = state.clone().unwrap_or_default() + more;
                after.as_ref().is_none_or(|after| *after == new).then_some(Some(new))
            }
        }
    }
}

impl Known for Kv {
    type Object = KeyOperation;

    fn operation(call: &CallOf<Self>) -> Result<KeyOperation, String> {
        Ok(match (&call.input, &call.output) {
            (KvInput::Get, Some(KvOutput::Value(value))) => KeyOperation::Get(value.as_ref().map(ToString::to_string)),
            (KvInput::Put(value), _) => KeyOperation::Put(value.to_string()),
            (KvInput::Append(more), output) => KeyOperation::Append {
                more: more.to_string(),
                after: match output {
                    Some(KvOutput::Value(after)) => after.as_ref().map(ToString::to_string),
                    _ => None,
                },
            },
            _ => return Err(unknown_to_others(call)),
        })
    }
}

fn unknown_to_others<I: Debug, O: Debug>(call: &Call<I, O>) -> String {
    format!("operation {}: the other checkers do not know {:?}", call.id, call.input)
}
