//! What recorded operations mean to each model.
//!
//! A result that is missing or has another shape than any answer of the model is an error where it would be a
//! promise, never a guess.

use serde_json::Value;

use super::keys::{Keyed, Part};
use super::{Read, shown};
use crate::models::cas_register::{CasInput, CasOutput};
use crate::models::counter::{CounterInput, CounterOutput};
use crate::models::kv::{KvInput, KvOutput};
use crate::models::line::{Back, End, Front, Line, LineInput, LineOutput};
use crate::models::lock::{Client, LockInput, LockOutput};
use crate::models::multi_register::{MultiInput, MultiOutput, MultiStep};
use crate::models::set::{SetInput, SetOutput};
use crate::models::{
    CasRegister, Counter, Kv, MultiRegister, OwnedLock, Queue, Register, Set, Stack,
};

const UNKNOWN: &str = "there is no such function";

pub(super) fn register(part: &Part<'_>) -> Read<Register<Value>> {
    Ok(match part.operation.f.as_str() {
        "read" | "get" | "r" => (CasInput::Read, part.result.cloned().map(CasOutput::Value)),
        "write" | "put" | "w" => (CasInput::Write(part.arguments.clone()), Some(CasOutput::Done)),
        _ => return Err(UNKNOWN.to_owned()),
    })
}

pub(super) fn cas_register(part: &Part<'_>) -> Read<CasRegister> {
    if part.operation.f != "cas" {
        return register(part);
    }
    let pair = part.arguments.as_array().map(Vec::as_slice);
    let Some([expect, value]) = pair else {
        return Err("a compare-and-set takes a pair".to_owned());
    };
    let swapped = part.result != Some(&Value::Bool(false));
    Ok((CasInput::Cas(expect.clone(), value.clone()), Some(CasOutput::Cas(swapped))))
}

pub(super) fn counter(part: &Part<'_>) -> Read<Counter> {
    let by = |value: &Value| match value {
        Value::Null => Ok(1),
        value => value.as_i64().ok_or_else(|| format!("{value} is no integer")),
    };
    let done = Some(CounterOutput::Done);
    Ok(match part.operation.f.as_str() {
        "read" | "get" | "r" => {
            let number = |value: &Value| value.as_i64().ok_or_else(|| format!("it read {value}"));
            (CounterInput::Read, part.result.map(number).transpose()?.map(CounterOutput::Value))
        }
        "add" => match part.arguments.as_i64() {
            Some(delta) => (CounterInput::Add(delta), done),
            None => return Err("it adds no integer".to_owned()),
        },
        "increment" | "inc" => (CounterInput::Add(by(part.arguments)?), done),
        "decrement" | "dec" => (CounterInput::Add(by(part.arguments)?.wrapping_neg()), done),
        _ => return Err(UNKNOWN.to_owned()),
    })
}

pub(super) fn set(part: &Part<'_>) -> Read<Set<Value>> {
    let value = || part.arguments.clone();
    let changed = match part.result {
        Some(Value::Bool(changed)) if part.arguments != &Value::Bool(*changed) => {
            SetOutput::Changed(*changed)
        }
        _ => SetOutput::Done,
    };
    Ok(match part.operation.f.as_str() {
        "add" => (SetInput::Add(value()), Some(changed)),
        "remove" => (SetInput::Remove(value()), Some(changed)),
        "contains" => match part.result {
            None => (SetInput::Contains(value()), None),
            Some(Value::Bool(there)) => {
                (SetInput::Contains(value()), Some(SetOutput::Present(*there)))
            }
            Some(other) => return Err(format!("its result {other} is neither true nor false")),
        },
        "read" | "get" => {
            let values = part.result.map(elements).transpose()?;
            let values = values.map(|values| SetOutput::Values(values.iter().cloned().collect()));
            (SetInput::ReadAll, values)
        }
        _ => return Err(UNKNOWN.to_owned()),
    })
}

/// The elements of a set, a vector or a list.
fn elements(value: &Value) -> Result<&[Value], String> {
    let items = match value {
        Value::Object(fields) if fields.len() == 1 => {
            fields.get("#set").or(fields.get("#list")).unwrap_or(value)
        }
        Value::Null => return Ok(&[]),
        other => other,
    };
    items.as_array().map(Vec::as_slice).ok_or_else(|| format!("it read {value}, which is no set"))
}

pub(super) fn queue(part: &Part<'_>) -> Read<Queue<Value>> {
    line::<Front>(part, &["enqueue", "enq"], &["dequeue", "deq"])
}

pub(super) fn stack(part: &Part<'_>) -> Read<Stack<Value>> {
    line::<Back>(part, &["push"], &["pop"])
}

fn line<E: End>(part: &Part<'_>, put: &[&str], take: &[&str]) -> Read<Line<Value, E>> {
    let f = part.operation.f.as_str();
    if put.contains(&f) {
        Ok((LineInput::Put(part.arguments.clone()), Some(LineOutput::Done)))
    } else if take.contains(&f) {
        let taken = |value: &Value| match value {
            Value::Null => LineOutput::Empty,
            value => LineOutput::Value(value.clone()),
        };
        Ok((LineInput::Take, part.result.map(taken)))
    } else {
        Err(UNKNOWN.to_owned())
    }
}

pub(super) fn mutex(part: &Part<'_>) -> Read<OwnedLock> {
    lock_for(None, part)
}

pub(super) fn lock(part: &Part<'_>) -> Read<OwnedLock> {
    lock_for(Some(part.operation.process), part)
}

fn lock_for(client: Client, part: &Part<'_>) -> Read<OwnedLock> {
    let input = match part.operation.f.as_str() {
        "acquire" | "lock" => LockInput::Acquire(client),
        "release" | "unlock" => LockInput::Release(client),
        _ => return Err(UNKNOWN.to_owned()),
    };
    // A lock says `false` where it refuses.
    let is_refused = part.result == Some(&Value::Bool(false));
    Ok((input, Some(if is_refused { LockOutput::Refused } else { LockOutput::Done })))
}

/// `[[:read :x nil] [:write :y 2]]`, and as a result the same with the values that were read.
pub(super) fn transaction(part: &Part<'_>) -> Read<MultiRegister> {
    if part.operation.f != "txn" {
        return Err(UNKNOWN.to_owned());
    }
    let asked = steps(part.arguments)?;
    let output = match part.result {
        None => None,
        Some(result) => {
            let answered = steps(result)?;
            let same = |(a, b): (&(MultiStep, &Value), &(MultiStep, &Value))| a.0 == b.0;
            if asked.len() != answered.len() || !asked.iter().zip(&answered).all(same) {
                return Err(format!("its result {} is of another one", shown(&result.to_string())));
            }
            let read = |(step, value): (MultiStep, &Value)| {
                matches!(step, MultiStep::Read(_)).then(|| value.clone())
            };
            Some(MultiOutput::Reads(answered.into_iter().filter_map(read).collect()))
        }
    };
    let asked = asked.into_iter().map(|(step, _)| step).collect();
    Ok((MultiInput::Transaction(asked), output))
}

/// The steps, each with its last element.
fn steps(value: &Value) -> Result<Vec<(MultiStep, &Value)>, String> {
    let wrong = |value: &Value| format!("{} is no list of steps", shown(&value.to_string()));
    let step = |step: &'_ Value| -> Option<MultiStep> {
        let [kind, key, value] = step.as_array()?.as_slice() else { return None };
        let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        match kind.as_str()?.trim_start_matches(':') {
            "r" | "read" => Some(MultiStep::Read(key)),
            "w" | "write" => Some(MultiStep::Write(key, value.clone())),
            _ => None,
        }
    };
    let all = value.as_array().ok_or_else(|| wrong(value))?;
    all.iter()
        .map(|one| {
            let read = step(one).ok_or_else(|| {
                format!("{} is neither [read K V] nor [write K V]", shown(&one.to_string()))
            })?;
            Ok((read, &one[2]))
        })
        .collect()
}

/// How a store tells that a key is absent: with nil, or, as in Porcupine's data, with an empty string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    Nil,
    Empty,
}

impl Absent {
    /// A store that ever says nil means absence by it.
    pub(super) fn of(keyed: &Keyed<'_>) -> Result<Self, String> {
        let parts = || keyed.iter().flat_map(|(_, parts)| parts);
        let read = |wanted: &Value| {
            let results = parts().filter(|part| is_get(part)).filter_map(|part| part.result);
            results.into_iter().any(|result| field(result, "value") == wanted)
        };
        let is_written_empty = |part: &Part<'_>| field(part.arguments, "value") == "";
        if read(&Value::Null) || !read(&Value::String(String::new())) {
            Ok(Self::Nil)
        } else if parts().any(|part| !is_get(part) && is_written_empty(part)) {
            Err("the empty string is written, and also read where it may mean a missing key, for no read says nil: \
                 the two cannot be told apart"
                .to_owned())
        } else {
            Ok(Self::Empty)
        }
    }
}

/// What is wrong with an operation on a store that names no key.
pub(super) fn without_key(f: &str) -> &'static str {
    let known = ["get", "read", "r", "put", "write", "w", "append", "cas", "puthash"];
    if known.contains(&f) { "it names no key" } else { UNKNOWN }
}

fn is_get(part: &Part<'_>) -> bool {
    matches!(part.operation.f.as_str(), "get" | "read" | "r")
}

/// What an object says under this name; anything else is the value itself.
fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    match value {
        Value::Object(fields) => fields.get(name).unwrap_or(&Value::Null),
        other => other,
    }
}

/// Values other than strings go by their JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn optional_text(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| text(value))
}

pub(super) fn kv(part: &Part<'_>, absent: Absent) -> Read<Kv> {
    let result = |name| part.result.map(|result| field(result, name));
    let written = || match field(part.arguments, "value") {
        Value::Null => Err("it writes no value".to_owned()),
        value => Ok(text(value)),
    };
    let found = |value: &Value| {
        optional_text(value).filter(|text| absent == Absent::Nil || !text.is_empty())
    };
    Ok(match part.operation.f.as_str() {
        "get" | "read" | "r" => {
            (KvInput::Get, result("value").map(|value| KvOutput::Value(found(value))))
        }
        "put" | "write" | "w" => (KvInput::Put(written()?), Some(KvOutput::Done)),
        "append" => {
            // Only an object says which value it is; bare ones may be the arguments repeated.
            let after = part.result.filter(|r| r.is_object()).and_then(|r| r.get("value"));
            let output = after
                .and_then(optional_text)
                .map_or(KvOutput::Done, |after| KvOutput::Value(Some(after)));
            (KvInput::Append(written()?), Some(output))
        }
        "puthash" => {
            let previous = part.result.and_then(|r| r.get("previous")).and_then(optional_text);
            (
                KvInput::PutHash(written()?),
                Some(previous.map_or(KvOutput::Done, KvOutput::Previous)),
            )
        }
        "cas" => {
            let (expect, value) = match part.arguments {
                Value::Array(pair) => match pair.as_slice() {
                    [expect, value] => (optional_text(expect), text(value)),
                    _ => return Err("a compare-and-set takes a pair".to_owned()),
                },
                fields => (optional_text(field(fields, "expect")), written()?),
            };
            let output = part.result.map(|result| {
                let refused = result == &Value::Bool(false) || field(result, "swapped") == false;
                let current = || result.get("value").map(optional_text);
                KvOutput::Cas { swapped: !refused, current: if refused { current() } else { None } }
            });
            (KvInput::Cas { expect, value }, output)
        }
        _ => return Err(UNKNOWN.to_owned()),
    })
}
