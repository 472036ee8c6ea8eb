//! The models that go by a name, one row each, and what recorded operations mean to them.
//!
//! A result that is missing or has another shape than any answer of the model is an error where it would be a
//! promise, never a guess.

use serde_json::Value;

use super::keys::{self, Keyed, Part};
use super::{Judged, Read, Unfit, shown, unfit};
use crate::Report;
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

/// A model that goes by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Named {
    /// A register.
    Register,
    /// A register with compare-and-set.
    CasRegister,
    /// A key-value store.
    Kv,
    /// Registers under transactions.
    MultiRegister,
    /// A counter.
    Counter,
    /// A set.
    Set,
    /// A FIFO queue.
    Queue,
    /// A stack.
    Stack,
    /// A lock that does not know who holds it.
    Mutex,
    /// A lock that knows who holds it.
    Lock,
}

/// A row of the table of models.
pub(super) struct Row {
    model: Named,
    pub(super) name: &'static str,
    /// The object for people, after "a".
    pub(super) noun: &'static str,
    /// The functions it knows, with their arguments.
    pub(super) functions: &'static str,
    /// Does its first state hold a value that one may want to choose?
    pub(super) has_initial_value: bool,
    /// Judges a history, given the first value where one was chosen.
    pub(super) check: fn(&Judged<'_>, Option<&Value>) -> Result<Report, Unfit>,
}

/// One row for each, in the order in which they are listed.
static TABLE: [Row; 10] = [
    Row {
        model: Named::Register,
        name: "register",
        noun: "register",
        functions: "read, write V",
        has_initial_value: true,
        check: |judged, initial| judged.by(&CasRegister { initial: or_nil(initial) }, register),
    },
    Row {
        model: Named::CasRegister,
        name: "cas-register",
        noun: "cas-register",
        functions: "read, write V, cas [OLD NEW]",
        has_initial_value: true,
        check: |judged, initial| judged.by(&CasRegister { initial: or_nil(initial) }, cas_register),
    },
    Row {
        model: Named::Kv,
        name: "kv",
        noun: "key-value store",
        functions: "get K, put K V, append K V, cas K OLD NEW, puthash K V",
        has_initial_value: false,
        check: |judged, _| check_kv(judged),
    },
    Row {
        model: Named::MultiRegister,
        name: "multi-register",
        noun: "multi-register",
        functions: "txn [[read K V] [write K V] …]",
        has_initial_value: true,
        check: |judged, initial| {
            judged.whole(&MultiRegister { initial: or_nil(initial) }, transaction)
        },
    },
    Row {
        model: Named::Counter,
        name: "counter",
        noun: "counter",
        functions: "read, add N, increment, decrement",
        has_initial_value: true,
        check: check_counter,
    },
    Row {
        model: Named::Set,
        name: "set",
        noun: "set",
        functions: "add V, remove V, contains V, read",
        has_initial_value: false,
        check: |judged, _| judged.by(&Set::new(), set),
    },
    Row {
        model: Named::Queue,
        name: "queue",
        noun: "FIFO queue",
        functions: "enqueue V, dequeue",
        has_initial_value: false,
        check: |judged, _| judged.by(&Queue::new(), queue),
    },
    Row {
        model: Named::Stack,
        name: "stack",
        noun: "stack",
        functions: "push V, pop",
        has_initial_value: false,
        check: |judged, _| judged.by(&Stack::new(), stack),
    },
    Row {
        model: Named::Mutex,
        name: "mutex",
        noun: "mutex",
        functions: "acquire, release",
        has_initial_value: false,
        check: |judged, _| judged.by(&OwnedLock::default(), mutex),
    },
    Row {
        model: Named::Lock,
        name: "lock",
        noun: "lock with an owner",
        functions: "acquire, release",
        has_initial_value: false,
        check: |judged, _| judged.by(&OwnedLock::default(), lock),
    },
];

impl Named {
    /// All of them.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [Self::Register; TABLE.len()];
        let mut place = 0;
        while place < TABLE.len() {
            all[place] = TABLE[place].model;
            place += 1;
        }
        all
    };

    pub(super) fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.model == self).expect("each model has a row")
    }
}

/// The first value, nil where none was chosen.
fn or_nil(initial: Option<&Value>) -> Value {
    initial.cloned().unwrap_or_default()
}

fn check_counter(judged: &Judged<'_>, initial: Option<&Value>) -> Result<Report, Unfit> {
    let initial = initial.map_or(Some(0), Value::as_i64);
    let initial = initial.ok_or_else(|| unfit(None, "a counter begins with an integer"))?;
    judged.by(&Counter { initial }, counter)
}

/// The operations of a store name their keys.
fn check_kv(judged: &Judged<'_>) -> Result<Report, Unfit> {
    let keyed = keys::of_store(judged.operations)
        .map_err(|operation| judged.misfit(operation, without_key(&operation.f)))?;
    let absent = Absent::of(&keyed).map_err(|what| unfit(None, what))?;
    judged.by_key(&Kv, &keyed, |part| kv(part, absent))
}

fn register(part: &Part<'_>) -> Read<Register<Value>> {
    Ok(match part.operation.f.as_str() {
        "read" | "get" | "r" => (CasInput::Read, part.result.cloned().map(CasOutput::Value)),
        "write" | "put" | "w" => (CasInput::Write(part.arguments.clone()), Some(CasOutput::Done)),
        _ => return Err(UNKNOWN.to_owned()),
    })
}

fn cas_register(part: &Part<'_>) -> Read<CasRegister> {
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

fn counter(part: &Part<'_>) -> Read<Counter> {
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

fn set(part: &Part<'_>) -> Read<Set<Value>> {
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

fn queue(part: &Part<'_>) -> Read<Queue<Value>> {
    line::<Front>(part, &["enqueue", "enq"], &["dequeue", "deq"])
}

fn stack(part: &Part<'_>) -> Read<Stack<Value>> {
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

fn mutex(part: &Part<'_>) -> Read<OwnedLock> {
    lock_for(None, part)
}

fn lock(part: &Part<'_>) -> Read<OwnedLock> {
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
fn transaction(part: &Part<'_>) -> Read<MultiRegister> {
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
enum Absent {
    Nil,
    Empty,
}

impl Absent {
    /// A store that ever says nil means absence by it.
    fn of(keyed: &Keyed<'_>) -> Result<Self, String> {
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
fn without_key(f: &str) -> &'static str {
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

fn kv(part: &Part<'_>, absent: Absent) -> Read<Kv> {
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
