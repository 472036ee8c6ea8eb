//! Registers that are read and written by transactions.

use std::collections::BTreeMap;
use std::fmt::Write;

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::keys::Part;
use super::{Read, shown};
use crate::models::Datum;
use crate::{Content, Fact, Model};

/// Registers by key, all with the same value at first. Transactions span keys, so the whole is one object.
pub(super) struct Transactions {
    initial: Value,
}

/// One step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Read(String),
    Write(String, Value),
}

impl Step {
    fn key(&self) -> &str {
        match self {
            Self::Read(key) | Self::Write(key, _) => key,
        }
    }
}

impl Transactions {
    pub(super) fn new(initial: Value) -> Self {
        Self { initial }
    }
}

impl Model for Transactions {
    type Input = Vec<Step>;
    /// A value for each read, in order.
    type Output = Vec<Value>;
    /// What was written.
    type State = BTreeMap<String, Value>;

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &Self::State,
        input: &Vec<Step>,
        output: Option<&Vec<Value>>,
    ) -> Option<Self::State> {
        let mut next = state.clone();
        let mut results = output.map(|output| output.iter());
        for step in input {
            match (step, &mut results) {
                (Step::Write(key, value), _) => {
                    next.insert(key.clone(), value.clone());
                }
                (Step::Read(key), Some(results)) => {
                    let held = next.get(key).unwrap_or(&self.initial);
                    results.next().filter(|&value| value == held)?;
                }
                (Step::Read(_), None) => {}
            }
        }
        Some(next)
    }

    fn is_read_only(&self, input: &Vec<Step>) -> bool {
        input.iter().all(|step| matches!(step, Step::Read(_)))
    }

    fn describe(&self, input: &Vec<Step>, output: Option<&Vec<Value>>) -> String {
        const SHOWN_MAX: usize = 8;
        let mut results = output.into_iter().flatten();
        let mut text = "txn".to_owned();
        for step in input.iter().take(SHOWN_MAX) {
            let key = shown(step.key());
            // Writing to a string cannot fail.
            let _ = match step {
                Step::Write(_, value) => write!(text, " write {key} {},", value.shown()),
                Step::Read(_) => match results.next() {
                    Some(value) => write!(text, " read {key} = {},", value.shown()),
                    None => write!(text, " read {key},"),
                },
            };
        }
        text.truncate(text.trim_end_matches(',').len());
        if input.len() > SHOWN_MAX {
            let _ = write!(text, " and {} more", input.len() - SHOWN_MAX);
        }
        text
    }

    /// Right after a transaction its writes stand.
    fn may_enable(
        &self,
        effect: &Vec<Step>,
        blocked: &Vec<Step>,
        output: Option<&Vec<Value>>,
    ) -> bool {
        let Some(results) = output else { return true };
        let mut results = results.iter();
        let mut written: Vec<&str> = Vec::new();
        for step in blocked {
            match step {
                Step::Write(key, _) => written.push(key),
                Step::Read(key) => {
                    let Some(read) = results.next() else { return true };
                    let own = written.contains(&key.as_str());
                    if !own && last_write(effect, key).is_some_and(|left| left != read) {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Only reads of what other transactions wrote, and the last write of each key.
    fn facts<'a>(&self, input: &'a Vec<Step>, output: Option<&'a Vec<Value>>) -> Vec<Fact<'a>> {
        let mut results = output.into_iter().flatten();
        let mut facts = Vec::new();
        let mut written: FxHashMap<&str, usize> = FxHashMap::default();
        for step in input {
            match step {
                Step::Read(key) => {
                    let Some(read) = results.next() else { continue };
                    if !written.contains_key(key.as_str()) {
                        facts.push(Fact::Saw(key.into(), read.into()));
                    }
                }
                Step::Write(key, value) => {
                    if let Some(earlier) = written.insert(key, facts.len()) {
                        overwritten(&mut facts[earlier]);
                    }
                    facts.push(Fact::Left(key.into(), value.into()));
                }
            }
        }
        facts
    }

    fn initially(&self, _key: &str) -> Option<Content<'_>> {
        Some((&self.initial).into())
    }

    fn answer(&self, state: &Self::State, input: &Vec<Step>) -> Option<Vec<Value>> {
        let held = |(at, step): (usize, &Step)| match step {
            Step::Read(key) => {
                let held = last_write(&input[..at], key).or(state.get(key));
                Some(held.unwrap_or(&self.initial).clone())
            }
            Step::Write(..) => None,
        };
        Some(input.iter().enumerate().filter_map(held).collect())
    }

    fn state_bytes(&self, state: &Self::State) -> usize {
        let entry = |(key, _): (&String, &Value)| key.len() + size_of::<(String, Value)>();
        size_of::<Self::State>() + state.iter().map(entry).sum::<usize>()
    }
}

/// The transaction itself replaces what it wrote first; nobody else can see it.
fn overwritten(fact: &mut Fact<'_>) {
    if let Fact::Left(part, value) = fact {
        *fact = Fact::MayLeave(std::mem::take(part), std::mem::replace(value, Content::Nil));
    }
}

fn last_write<'a>(steps: &'a [Step], key: &str) -> Option<&'a Value> {
    steps.iter().rev().find_map(|step| match step {
        Step::Write(of, value) if of == key => Some(value),
        Step::Write(..) | Step::Read(_) => None,
    })
}

/// `[[:read :x nil] [:write :y 2]]`, and as a result the same with the values that were read.
pub(super) fn transaction(part: &Part<'_>) -> Read<Transactions> {
    if part.operation.f != "txn" {
        return Err("there is no such function".to_owned());
    }
    let asked = steps(part.arguments)?;
    let input = asked.iter().map(|(step, _)| step.clone()).collect();
    let output = match part.result {
        None => None,
        Some(result) => {
            let answered = steps(result)?;
            let same = |(a, b): (&(Step, &Value), &(Step, &Value))| a.0 == b.0;
            if asked.len() != answered.len() || !asked.iter().zip(&answered).all(same) {
                return Err(format!("its result {} is of another one", shown(&result.to_string())));
            }
            let read = |(step, value): (Step, &Value)| {
                matches!(step, Step::Read(_)).then(|| value.clone())
            };
            Some(answered.into_iter().filter_map(read).collect())
        }
    };
    Ok((input, output))
}

/// The steps, each with its last element.
fn steps(value: &Value) -> Result<Vec<(Step, &Value)>, String> {
    let wrong = |value: &Value| format!("{} is no list of steps", shown(&value.to_string()));
    let step = |step: &'_ Value| -> Option<Step> {
        let [kind, key, value] = step.as_array()?.as_slice() else { return None };
        let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        match kind.as_str()?.trim_start_matches(':') {
            "r" | "read" => Some(Step::Read(key)),
            "w" | "write" => Some(Step::Write(key, value.clone())),
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
