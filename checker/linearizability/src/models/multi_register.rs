//! Several registers read, written and swapped together, atomically.

use std::collections::BTreeMap;
use std::fmt::Write;

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::Datum;
use crate::content::quoted;
use crate::{Content, Effect, Effects, Leaves, Model, Saw};

/// Registers by key, all with the same value at first. Operations span keys, so the whole is one object.
#[derive(Clone, Debug, Default)]
pub struct MultiRegister {
    /// The value of every key before the first operation; nil means that the key is absent.
    pub initial: Value,
}

/// What is asked of the registers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MultiInput {
    /// Read these keys at one moment.
    Read(Vec<String>),
    /// Write these keys at one moment.
    Write(BTreeMap<String, Value>),
    /// Exchange the values of two keys; absence swaps too.
    Swap(String, String),
    /// Read and write, one after the other, with nobody in between.
    Transaction(Vec<MultiStep>),
}

/// One step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MultiStep {
    /// Read this key.
    Read(String),
    /// Write this key.
    Write(String, Value),
}

/// What the registers answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MultiOutput {
    /// The values read, nil where a key is absent.
    Values(BTreeMap<String, Value>),
    /// It happened.
    Done,
    /// The values that a transaction read, in its order.
    Reads(Vec<Value>),
}

/// What the registers hold: a value for each key that has another than at first.
type State = BTreeMap<String, Value>;

impl MultiRegister {
    fn value<'a>(&'a self, state: &'a State, key: &str) -> &'a Value {
        state.get(key).unwrap_or(&self.initial)
    }

    fn set(&self, state: &mut State, key: &str, value: &Value) {
        if *value == self.initial {
            state.remove(key);
        } else {
            state.insert(key.to_owned(), value.clone());
        }
    }

    fn transact(
        &self,
        state: &State,
        steps: &[MultiStep],
        reads: Option<&[Value]>,
    ) -> Option<State> {
        let mut next = state.clone();
        let mut reads = reads.map(|reads| reads.iter());
        for step in steps {
            match (step, &mut reads) {
                (MultiStep::Write(key, value), _) => self.set(&mut next, key, value),
                (MultiStep::Read(key), Some(reads)) => {
                    let held = self.value(&next, key);
                    reads.next().filter(|&read| read == held)?;
                }
                (MultiStep::Read(_), None) => {}
            }
        }
        Some(next)
    }
}

impl Model for MultiRegister {
    type Input = MultiInput;
    type Output = MultiOutput;
    type State = State;

    fn initial(&self) -> State {
        State::new()
    }

    fn step(
        &self,
        state: &State,
        input: &MultiInput,
        output: Option<&MultiOutput>,
    ) -> Option<State> {
        match (input, output) {
            (MultiInput::Read(_), None) => Some(state.clone()),
            (MultiInput::Read(keys), Some(MultiOutput::Values(values))) => {
                let same =
                    |key: &String| values.get(key).is_some_and(|v| v == self.value(state, key));
                // Values of keys that nobody asked for are as wrong as wrong ones.
                let asked = |key: &String| keys.contains(key);
                (keys.iter().all(same) && values.keys().all(asked)).then(|| state.clone())
            }
            (MultiInput::Write(values), None | Some(MultiOutput::Done)) => {
                let mut next = state.clone();
                values.iter().for_each(|(key, value)| self.set(&mut next, key, value));
                Some(next)
            }
            (MultiInput::Swap(a, b), None | Some(MultiOutput::Done)) => {
                let mut next = state.clone();
                self.set(&mut next, a, self.value(state, b));
                self.set(&mut next, b, self.value(state, a));
                Some(next)
            }
            (MultiInput::Transaction(steps), None) => self.transact(state, steps, None),
            (MultiInput::Transaction(steps), Some(MultiOutput::Reads(reads))) => {
                self.transact(state, steps, Some(reads))
            }
            _ => None,
        }
    }

    fn describe(&self, input: &MultiInput, output: Option<&MultiOutput>) -> String {
        let pair = |(k, v): (&String, &Value)| format!("{} = {}", key(k), v.shown());
        match (input, output) {
            (MultiInput::Read(_), Some(MultiOutput::Values(values))) => {
                format!("multiget {}", list(values.iter().map(pair)))
            }
            (MultiInput::Read(keys), _) => {
                format!("multiget {}", list(keys.iter().map(|k| key(k))))
            }
            (MultiInput::Write(values), _) => {
                format!("multiput {}", list(values.iter().map(pair)))
            }
            (MultiInput::Swap(a, b), _) => format!("swap {} and {}", key(a), key(b)),
            (MultiInput::Transaction(steps), output) => describe_transaction(steps, output),
        }
    }

    fn effects<'a>(
        &'a self,
        input: &'a MultiInput,
        output: Option<&'a MultiOutput>,
    ) -> Effects<'a> {
        let saw = |(key, value): (&'a String, &'a Value)| {
            Effect::on(key.as_str(), Saw::Exactly(value.into()), Leaves::Unchanged)
        };
        let moved = |key: &'a String| Effect::on(key.as_str(), Saw::Anything, Leaves::Moved);
        match (input, output) {
            (MultiInput::Read(_), Some(MultiOutput::Values(values))) => {
                values.iter().map(saw).collect()
            }
            (MultiInput::Read(_), _) => Effects::none(),
            (MultiInput::Write(values), _) => {
                values.iter().map(|(key, value)| left(key, value)).collect()
            }
            (MultiInput::Swap(a, b), _) if a == b => Effects::none(),
            (MultiInput::Swap(a, b), _) => [moved(a), moved(b)].into_iter().collect(),
            (MultiInput::Transaction(steps), output) => of_transaction(steps, output),
        }
    }

    fn initially(&self, _key: &Content<'_>) -> Option<Content<'_>> {
        Some((&self.initial).into())
    }

    fn answer(&self, state: &State, input: &MultiInput) -> Option<MultiOutput> {
        Some(match input {
            MultiInput::Read(keys) => {
                let value = |key: &String| (key.clone(), self.value(state, key).clone());
                MultiOutput::Values(keys.iter().map(value).collect())
            }
            MultiInput::Write(_) | MultiInput::Swap(..) => MultiOutput::Done,
            MultiInput::Transaction(steps) => {
                let mut now = state.clone();
                let mut reads = Vec::new();
                for step in steps {
                    match step {
                        MultiStep::Read(key) => reads.push(self.value(&now, key).clone()),
                        MultiStep::Write(key, value) => self.set(&mut now, key, value),
                    }
                }
                MultiOutput::Reads(reads)
            }
        })
    }

    fn state_bytes(&self, state: &State) -> usize {
        let text = |value: &Value| value.as_str().map_or(0, str::len);
        let entry = |(k, v): (&String, &Value)| k.len() + text(v) + size_of::<(String, Value)>();
        size_of::<State>() + 64 + state.iter().map(entry).sum::<usize>()
    }
}

fn left<'a>(key: &'a str, value: &'a Value) -> Effect<'a> {
    Effect::on(key, Saw::Anything, Leaves::Exactly(value.into()))
}

/// Only reads of what other transactions wrote count, and the last write of each key.
fn of_transaction<'a>(steps: &'a [MultiStep], output: Option<&'a MultiOutput>) -> Effects<'a> {
    let mut reads = reads(output);
    let mut effects: Vec<Effect<'a>> = Vec::new();
    let mut written: FxHashMap<&str, usize> = FxHashMap::default();
    for step in steps {
        match step {
            MultiStep::Read(key) => {
                let Some(read) = reads.next() else { continue };
                if !written.contains_key(key.as_str()) {
                    let saw = Saw::Exactly(read.into());
                    effects.push(Effect::on(key.as_str(), saw, Leaves::Unchanged));
                }
            }
            MultiStep::Write(key, value) => {
                // The transaction itself replaces what it wrote first; nobody else can see it.
                if let Some(earlier) = written.insert(key, effects.len()) {
                    let leaves = &mut effects[earlier].leaves;
                    if let Leaves::Exactly(value) = std::mem::replace(leaves, Leaves::Anything) {
                        *leaves = Leaves::Briefly(value);
                    }
                }
                effects.push(left(key, value));
            }
        }
    }
    effects.into_iter().collect()
}

fn reads(output: Option<&MultiOutput>) -> std::slice::Iter<'_, Value> {
    match output {
        Some(MultiOutput::Reads(reads)) => reads.iter(),
        _ => [].iter(),
    }
}

fn describe_transaction(steps: &[MultiStep], output: Option<&MultiOutput>) -> String {
    let mut reads = reads(output);
    let mut text = "txn".to_owned();
    for step in steps.iter().take(SHOWN_MAX) {
        // Writing to a string cannot fail.
        let _ = match step {
            MultiStep::Write(name, value) => {
                write!(text, " write {} {},", key(name), value.shown())
            }
            MultiStep::Read(name) => match reads.next() {
                Some(value) => write!(text, " read {} = {},", key(name), value.shown()),
                None => write!(text, " read {},", key(name)),
            },
        };
    }
    text.truncate(text.trim_end_matches(',').len());
    if steps.len() > SHOWN_MAX {
        let _ = write!(text, " and {} more", steps.len() - SHOWN_MAX);
    }
    text
}

/// How many keys or steps a description shows.
const SHOWN_MAX: usize = 8;

/// A key for people: bare where it is a plain word.
fn key(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
    if key.len() <= 32 && !key.is_empty() && key.chars().all(plain) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// The first few of a list.
fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(SHOWN_MAX);
    let mut text = items.take(SHOWN_MAX).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
