//! The models that go by a name, one row each, and what recorded operations mean to them.
//!
//! A result that is missing or has another shape than any answer of the model is an error where it would be a
//! promise, never a guess.

use std::borrow::Cow;

use compact_str::{CompactString, ToCompactString};
use history::{Datum, Operation};
use serde_json::Value;

use super::fields::{agrees, all_known, contradiction, differs, of_result};
use super::keys::{self, Part};
use super::recording::{Means, Recording};
use super::{Read, UNKNOWN, Unfit, shown, unfit};
use crate::CallOf;
use crate::Model;
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
    /// Nothing recorded yet, given the first value where one was chosen.
    pub(super) recording: fn(Option<&Datum>) -> Result<Recording, Unfit>,
}

/// One row for each, in the order in which they are listed.
static TABLE: [Row; 10] = [
    Row {
        model: Named::Register,
        name: "register",
        noun: "register",
        functions: "read, write V",
        has_initial_value: true,
        recording: |initial| {
            by(Named::Register, CasRegister { initial: or_nil(initial) }, register)
        },
    },
    Row {
        model: Named::CasRegister,
        name: "cas-register",
        noun: "cas-register",
        functions: "read, write V, cas [OLD NEW]",
        has_initial_value: true,
        recording: |initial| {
            by(Named::CasRegister, CasRegister { initial: or_nil(initial) }, cas_register)
        },
    },
    Row {
        model: Named::Kv,
        name: "kv",
        noun: "key-value store",
        functions: "get K, put K V, append K V, cas K OLD NEW, puthash K V",
        has_initial_value: false,
        recording: |_| {
            Ok(Recording::new(Named::Kv, Kv, Means::of_store(kv, Absence::note, settle)))
        },
    },
    Row {
        model: Named::MultiRegister,
        name: "multi-register",
        noun: "multi-register",
        functions: "txn [[read K V] [write K V] …]",
        has_initial_value: true,
        recording: |initial| {
            let model = MultiRegister { initial: or_nil(initial).into() };
            Ok(Recording::new(Named::MultiRegister, model, Means::whole(transaction)))
        },
    },
    Row {
        model: Named::Counter,
        name: "counter",
        noun: "counter",
        functions: "read, add N, increment, decrement",
        has_initial_value: true,
        recording: of_counter,
    },
    Row {
        model: Named::Set,
        name: "set",
        noun: "set",
        functions: "add V, remove V, contains V, read",
        has_initial_value: false,
        recording: |_| by(Named::Set, Set::new(), set),
    },
    Row {
        model: Named::Queue,
        name: "queue",
        noun: "FIFO queue",
        functions: "enqueue V, dequeue",
        has_initial_value: false,
        recording: |_| by(Named::Queue, Queue::new(), queue),
    },
    Row {
        model: Named::Stack,
        name: "stack",
        noun: "stack",
        functions: "push V, pop",
        has_initial_value: false,
        recording: |_| by(Named::Stack, Stack::new(), stack),
    },
    Row {
        model: Named::Mutex,
        name: "mutex",
        noun: "mutex",
        functions: "acquire, release",
        has_initial_value: false,
        recording: |_| by(Named::Mutex, OwnedLock::default(), mutex),
    },
    Row {
        model: Named::Lock,
        name: "lock",
        noun: "lock with an owner",
        functions: "acquire, release",
        has_initial_value: false,
        recording: |_| by(Named::Lock, OwnedLock::default(), lock),
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
fn or_nil(initial: Option<&Datum>) -> Datum {
    initial.cloned().unwrap_or_default()
}

/// As one object, or as one for each key where every value has one.
fn by<M: Model + Send + 'static>(
    named: Named,
    model: M,
    read: fn(&Part<'_>) -> Read<M>,
) -> Result<Recording, Unfit> {
    Ok(Recording::new(named, model, Means::by_pair(read)))
}

fn of_counter(initial: Option<&Datum>) -> Result<Recording, Unfit> {
    let initial = initial.map_or(Some(0), integer);
    let initial = initial.ok_or_else(|| unfit(None, "a counter begins with an integer"))?;
    by(Named::Counter, Counter { initial }, counter)
}

fn register(part: &Part<'_>) -> Read<Register<Datum>> {
    Ok(match part.operation.f.as_str() {
        "read" | "get" | "r" => (CasInput::Read, part.result.cloned().map(CasOutput::Value)),
        "write" | "put" | "w" => {
            agrees(part.arguments, part.result)?;
            (CasInput::Write(part.arguments.clone()), Some(CasOutput::Done))
        }
        _ => return Err(UNKNOWN.to_owned()),
    })
}

fn cas_register(part: &Part<'_>) -> Read<CasRegister<Datum>> {
    if part.operation.f != "cas" {
        return register(part);
    }
    let Some([expect, value]) = part.arguments.as_tuple() else {
        return Err("a compare-and-set takes a pair".to_owned());
    };
    agrees(part.arguments, part.result)?;
    let swapped = part.result != Some(&Datum::Bool(false));
    Ok((CasInput::Cas(expect.clone(), value.clone()), Some(CasOutput::Cas(swapped))))
}

/// A sum, of any size that cannot be reached.
fn integer(value: &Datum) -> Option<i128> {
    match value {
        Datum::Int(small) => Some((*small).into()),
        Datum::Number(text) => text.parse().ok(),
        _ => None,
    }
}

/// What is added at a time is of 64 bits, so that no sum leaves 128.
fn addend(value: &Datum) -> Result<i128, String> {
    match value {
        Datum::Int(small) => Ok((*small).into()),
        other if integer(other).is_some() => {
            Err(format!("{} is beyond 64 bits", shown(&other.to_string())))
        }
        other => Err(format!("{} is no integer", shown(&other.to_string()))),
    }
}

fn counter(part: &Part<'_>) -> Read<Counter> {
    let by = |value: &Datum| if value.is_nil() { Ok(1) } else { addend(value) };
    let f = part.operation.f.as_str();
    if matches!(f, "read" | "get" | "r") {
        let number = |value: &Datum| {
            integer(value).ok_or_else(|| format!("it read {}", shown(&value.to_string())))
        };
        let output = part.result.map(number).transpose()?.map(CounterOutput::Value);
        return Ok((CounterInput::Read, output));
    }
    agrees(part.arguments, part.result)?;
    let delta = match f {
        "add" => addend(part.arguments)?,
        "increment" | "inc" => by(part.arguments)?,
        "decrement" | "dec" => -by(part.arguments)?,
        _ => return Err(UNKNOWN.to_owned()),
    };
    Ok((CounterInput::Add(delta), Some(CounterOutput::Done)))
}

fn set(part: &Part<'_>) -> Read<Set<Datum>> {
    let value = || part.arguments.clone();
    let changed = match part.result {
        Some(Datum::Bool(changed)) if part.arguments != &Datum::Bool(*changed) => {
            SetOutput::Changed(*changed)
        }
        _ => SetOutput::Done,
    };
    Ok(match part.operation.f.as_str() {
        "add" => {
            agrees(part.arguments, part.result)?;
            (SetInput::Add(value()), Some(changed))
        }
        "remove" => {
            agrees(part.arguments, part.result)?;
            (SetInput::Remove(value()), Some(changed))
        }
        "contains" => match part.result {
            None => (SetInput::Contains(value()), None),
            Some(Datum::Bool(there)) => {
                (SetInput::Contains(value()), Some(SetOutput::Present(*there)))
            }
            Some(other) => {
                let other = shown(&other.to_string());
                return Err(format!("its result {other} is neither true nor false"));
            }
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
fn elements(value: &Datum) -> Result<Cow<'_, [Datum]>, String> {
    let none = value.is_nil().then_some(Cow::Borrowed(&[][..]));
    let read = || format!("it read {}, which is no set", shown(&value.to_string()));
    value.elements().or(none).ok_or_else(read)
}

fn queue(part: &Part<'_>) -> Read<Queue<Datum>> {
    line::<Front>(part, &["enqueue", "enq"], &["dequeue", "deq"])
}

fn stack(part: &Part<'_>) -> Read<Stack<Datum>> {
    line::<Back>(part, &["push"], &["pop"])
}

fn line<E: End>(part: &Part<'_>, put: &[&str], take: &[&str]) -> Read<Line<Datum, E>> {
    let f = part.operation.f.as_str();
    if put.contains(&f) {
        agrees(part.arguments, part.result)?;
        Ok((LineInput::Put(part.arguments.clone()), Some(LineOutput::Done)))
    } else if take.contains(&f) {
        let taken = |value: &Datum| match value {
            Datum::Nil => LineOutput::Empty,
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
    let is_refused = part.result == Some(&Datum::Bool(false));
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
            let same = |(a, b): (&(MultiStep, &Datum), &(MultiStep, &Datum))| a.0 == b.0;
            if asked.len() != answered.len() || !asked.iter().zip(&answered).all(same) {
                return Err(format!("its result {} is of another one", shown(&result.to_string())));
            }
            let read = |(step, value): (MultiStep, &Datum)| {
                matches!(step, MultiStep::Read(_)).then(|| Value::from(value))
            };
            Some(MultiOutput::Reads(answered.into_iter().filter_map(read).collect()))
        }
    };
    let asked = asked.into_iter().map(|(step, _)| step).collect();
    Ok((MultiInput::Transaction(asked), output))
}

/// The steps, each with its last element.
fn steps(value: &Datum) -> Result<Vec<(MultiStep, &Datum)>, String> {
    let step = |step: &'_ Datum| -> Option<MultiStep> {
        let [kind, key, value] = step.as_tuple()?;
        let key = text(key).into_string();
        match kind.as_str()?.trim_start_matches(':') {
            "r" | "read" => Some(MultiStep::Read(key)),
            "w" | "write" => Some(MultiStep::Write(key, value.into())),
            _ => None,
        }
    };
    let last = |one| -> Result<_, String> {
        let read = step(one).zip(one.as_tuple().map(|[_, _, last]| last));
        read.ok_or_else(|| no_step(one))
    };
    match value {
        Datum::List(steps) => steps.iter().map(last).collect(),
        Datum::Integers(values) => Err(no_step(&Datum::Int(values[0]))),
        _ => Err(format!("{} is no list of steps", shown(&value.to_string()))),
    }
}

fn no_step(one: &Datum) -> String {
    format!("{} is neither [read K V] nor [write K V]", shown(&one.to_string()))
}

/// What tells how a store says that a key is absent: with nil, or, as in Porcupine's data, with an empty string.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Absence {
    reads_nil: bool,
    reads_empty: bool,
    writes_empty: bool,
}

impl Absence {
    fn note(&mut self, part: &Part<'_>) {
        if !is_get(part) {
            self.writes_empty |= field(part.arguments, "value").as_str() == Some("");
        } else if let Some(result) = part.result {
            match field(result, "value") {
                Datum::Nil => self.reads_nil = true,
                Datum::Text(text) => self.reads_empty |= text.is_empty(),
                _ => {}
            }
        }
    }

    pub(super) fn also(&mut self, other: Self) {
        self.reads_nil |= other.reads_nil;
        self.reads_empty |= other.reads_empty;
        self.writes_empty |= other.writes_empty;
    }
}

/// A store that ever says nil means absence by it; of another one, an empty string that was read does.
fn settle(absence: Absence, calls: &mut [Vec<CallOf<Kv>>]) -> Result<(), String> {
    let Absence { reads_nil, reads_empty, writes_empty } = absence;
    if reads_nil || !reads_empty {
        return Ok(());
    }
    if writes_empty {
        return Err(
            "the empty string is written, and also read where it may mean a missing key, for no read says nil: \
             the two cannot be told apart"
                .to_owned(),
        );
    }
    for call in calls.iter_mut().flatten().filter(|call| call.input == KvInput::Get) {
        if let Some(KvOutput::Value(value)) = &mut call.output {
            *value = value.take().filter(|text| !text.is_empty());
        }
    }
    Ok(())
}

/// The fields of a store's operations, where their arguments have names.
fn fields_of(f: &str) -> Option<&'static [&'static str]> {
    Some(match f {
        "get" | "read" | "r" => &["key"],
        "put" | "write" | "w" | "append" | "puthash" => &["key", "value"],
        "cas" => &["key", "expect", "value"],
        _ => return None,
    })
}

/// What is wrong with an operation on a store that names no key.
pub(super) fn without_key(operation: &Operation<Datum>) -> String {
    let Some(fields) = fields_of(&operation.f) else { return UNKNOWN.to_owned() };
    let misspelt = all_known(&operation.f, &operation.arguments, fields);
    misspelt.err().unwrap_or_else(|| "it names no key".to_owned())
}

fn is_get(part: &Part<'_>) -> bool {
    matches!(part.operation.f.as_str(), "get" | "read" | "r")
}

/// What an object says under this name; anything else is the value itself.
fn field<'a>(value: &'a Datum, name: &str) -> &'a Datum {
    match value {
        Datum::Map(_) => value.get(name).unwrap_or(&Datum::Nil),
        other => other,
    }
}

/// Values other than strings go by how they are written.
fn text(value: &Datum) -> CompactString {
    value.as_str().map_or_else(|| value.to_compact_string(), CompactString::from)
}

fn optional_text(value: &Datum) -> Option<CompactString> {
    (!value.is_nil()).then(|| text(value))
}

fn kv(part: &Part<'_>) -> Read<Kv> {
    let f = part.operation.f.as_str();
    // Porcupine's reads have a value, too: nil.
    let arguments = part.arguments;
    if !(is_get(part) && arguments.get("value").is_some_and(Datum::is_nil)) {
        all_known(f, arguments, fields_of(f).ok_or(UNKNOWN)?)?;
    }
    if is_get(part) {
        let value = part.result.map(|result| of_result(result, "value")).transpose()?;
        return Ok((KvInput::Get, value.map(|value| KvOutput::Value(optional_text(value)))));
    }
    agrees_with_key(part)?;
    let written = || match field(arguments, "value") {
        Datum::Nil => Err("it writes no value".to_owned()),
        value => Ok(text(value)),
    };
    let told = |name| part.result.and_then(|result| result.get(name)).and_then(optional_text);
    Ok(match f {
        "put" | "write" | "w" => {
            if let Some(result) = part.result.filter(|r| differs(arguments, Some(r), "value")) {
                return Err(contradiction(arguments, result));
            }
            (KvInput::Put(written()?), Some(KvOutput::Done))
        }
        "append" => {
            // Only an object says which value it is; bare ones are the arguments repeated.
            let output = told("value").map_or(KvOutput::Done, |after| KvOutput::Value(Some(after)));
            (KvInput::Append(written()?), Some(output))
        }
        "puthash" => {
            let output = told("previous").map_or(KvOutput::Done, KvOutput::Previous);
            (KvInput::PutHash(written()?), Some(output))
        }
        _ => compare_and_set(part)?,
    })
}

fn compare_and_set(part: &Part<'_>) -> Read<Kv> {
    let (expect, value) = match part.arguments {
        list @ (Datum::List(_) | Datum::Integers(_)) => {
            let [expect, value] = list.as_tuple().ok_or("a compare-and-set takes a pair")?;
            (expect, value)
        }
        fields => (field(fields, "expect"), field(fields, "value")),
    };
    if value.is_nil() {
        return Err("it writes no value".to_owned());
    }
    let output = |result: &Datum| -> Result<_, String> {
        let swapped = match result {
            // Only an object says what came of it; nothing, or the arguments repeated, that it took place.
            Datum::Map(_) => of_result(result, "swapped")?,
            other => other,
        };
        let refused = *swapped == Datum::Bool(false);
        let current = if refused { result.get("value").map(optional_text) } else { None };
        Ok(KvOutput::Cas { swapped: !refused, current })
    };
    let output = part.result.map(output).transpose()?;
    Ok((KvInput::Cas { expect: optional_text(expect), value: text(value) }, output))
}

/// A completion may repeat what was asked, with the key or without it, but nothing else.
fn agrees_with_key(part: &Part<'_>) -> Result<(), String> {
    let repeated = part.result.and_then(keys::as_pair).is_some_and(|(key, value)| {
        part.arguments.get("key") == Some(key) && part.arguments.get("value") == Some(value)
    });
    if repeated || part.result == part.arguments.get("value") {
        return Ok(());
    }
    agrees(part.arguments, part.result)
}
