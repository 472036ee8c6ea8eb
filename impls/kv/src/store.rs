//! The store: a sorted map with every operation of the contract.

use std::collections::BTreeMap;

use contract::{Answer, ErrorCode, MicroOperation, Operation, Outcome, Refusal, puthash};
use node::Application;
use serde::{Deserialize, Serialize};

/// Keys and their values; sorted, so that equal stores have equal snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Store {
    values: BTreeMap<String, String>,
}

impl Store {
    /// The value of a key, `None` where it is missing.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// The keys that have a value, with it, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// How many keys have a value.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no key has a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn owned(&self, key: &str) -> Option<String> {
        self.values.get(key).cloned()
    }

    fn put(&mut self, key: &str, value: String) {
        self.values.insert(key.to_owned(), value);
    }

    /// Takes the keys of which `is_taken` says so away from here.
    pub fn take(&mut self, is_taken: impl Fn(&str) -> bool) -> Self {
        let taken = self.values.extract_if(.., |key, _| is_taken(key)).collect();
        Self { values: taken }
    }

    /// Adds all that another store has.
    pub fn absorb(&mut self, other: Self) {
        self.values.extend(other.values);
    }

    /// Gives a key this value; `None` removes it.
    pub fn set(&mut self, key: &str, value: Option<String>) {
        match value {
            Some(value) => self.put(key, value),
            None => drop(self.values.remove(key)),
        }
    }

    fn append(&mut self, key: &str, value: &str) -> String {
        let whole = self.values.entry(key.to_owned()).or_default();
        whole.push_str(value);
        whole.clone()
    }

    fn put_hash(&mut self, key: &str, value: &str) -> Outcome {
        let previous = self.owned(key).unwrap_or_default();
        self.put(key, puthash(&previous, value));
        Outcome::Previous { previous }
    }

    fn compare_and_swap(&mut self, key: &str, expect: Option<&str>, value: &str) -> Outcome {
        if self.get(key) != expect {
            return Outcome::Swapped { swapped: false, value: Some(self.owned(key)) };
        }
        self.put(key, value.to_owned());
        Outcome::Swapped { swapped: true, value: None }
    }

    fn swap(&mut self, a: &str, b: &str) {
        let (value_of_a, value_of_b) = (self.owned(a), self.owned(b));
        self.set(a, value_of_b);
        self.set(b, value_of_a);
    }

    fn guards_hold(&self, guards: &BTreeMap<String, Option<String>>) -> bool {
        guards.iter().all(|(key, expect)| self.get(key) == expect.as_deref())
    }

    /// Runs a transaction. Nothing can fail once the guards hold, so it is all or nothing.
    fn transaction(
        &mut self,
        guards: &BTreeMap<String, Option<String>>,
        ops: &[MicroOperation],
    ) -> Outcome {
        if !self.guards_hold(guards) {
            return Outcome::Committed { committed: false, results: None };
        }
        let results = ops.iter().map(|op| self.micro(op)).collect();
        Outcome::Committed { committed: true, results: Some(results) }
    }

    /// Carries out a micro-operation and returns the key's value right after it.
    fn micro(&mut self, op: &MicroOperation) -> Option<String> {
        match op {
            MicroOperation::Read(key) => self.owned(key),
            MicroOperation::Write(key, value) => {
                self.put(key, value.clone());
                Some(value.clone())
            }
            MicroOperation::Append(key, value) => Some(self.append(key, value)),
        }
    }

    fn get_many<'a>(&self, keys: impl Iterator<Item = &'a String>) -> Outcome {
        Outcome::Values { values: keys.map(|key| (key.clone(), self.owned(key))).collect() }
    }
}

/// A shard controller's operations mean nothing here.
fn unsupported(command: &Operation) -> Answer {
    let message = format!("a store of keys knows no `{}`", command.name());
    Answer::Error(Refusal::new(ErrorCode::Unsupported, message))
}

impl Application for Store {
    type Command = Operation;
    type Output = Answer;

    fn apply(&mut self, command: &Operation) -> Answer {
        Answer::Ok(match command {
            Operation::Get { key } => Outcome::Value { value: self.owned(key) },
            Operation::Put { key, value } => {
                self.put(key, value.clone());
                Outcome::Done {}
            }
            Operation::Append { key, value } => {
                Outcome::Value { value: Some(self.append(key, value)) }
            }
            Operation::PutHash { key, value } => self.put_hash(key, value),
            Operation::Cas { key, expect, value } => {
                self.compare_and_swap(key, expect.as_deref(), value)
            }
            Operation::MultiGet { keys } => self.get_many(keys.iter()),
            Operation::MultiPut { values } => {
                self.values.extend(values.clone());
                Outcome::Done {}
            }
            Operation::Swap { a, b } => {
                self.swap(a, b);
                Outcome::Done {}
            }
            Operation::Txn { guards, ops } => self.transaction(guards, ops),
            Operation::Join { .. }
            | Operation::Leave { .. }
            | Operation::Move { .. }
            | Operation::Query { .. }
            | Operation::Internal { .. } => return unsupported(command),
        })
    }

    fn query(&self, command: &Operation) -> Option<Answer> {
        Some(Answer::Ok(match command {
            Operation::Get { key } => Outcome::Value { value: self.owned(key) },
            Operation::MultiGet { keys } => self.get_many(keys.iter()),
            Operation::Query { .. } => return Some(unsupported(command)),
            Operation::Txn { guards, ops } if command.is_read_only() => {
                if !self.guards_hold(guards) {
                    let outcome = Outcome::Committed { committed: false, results: None };
                    return Some(Answer::Ok(outcome));
                }
                let results = Some(ops.iter().map(|op| self.owned(op.key())).collect());
                Outcome::Committed { committed: true, results }
            }
            _ => return None,
        }))
    }

    fn snapshot(&self) -> Vec<u8> {
        serde_json::to_vec(&self.values).expect("a map of strings has a JSON form")
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), String> {
        let values = serde_json::from_slice(bytes)
            .map_err(|error| format!("this is no snapshot of a store: {error}"))?;
        self.values = values;
        Ok(())
    }
}
