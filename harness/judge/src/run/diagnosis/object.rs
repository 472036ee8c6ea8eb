//! The operations on a few keys that belong together, whole or in parts.

use std::collections::{BTreeMap, BTreeSet};

use contract::{MicroOperation, Operation as Asked, Outcome};
use linearizability::Call;

use super::done::Done;
use super::node;
use super::store::Step;

/// So many keys may belong together, and so many operations may be on them.
const KEYS_MAX: usize = 16;
const OPERATIONS_MAX: usize = 2000;
/// So many keys are named.
const NAMED_MAX: usize = 5;

/// Keys, and everything that was done to them.
pub(super) struct Object<'d, 'a> {
    keys: BTreeSet<&'d str>,
    pub(super) entries: Vec<Entry<'d, 'a>>,
}

/// An operation, as far as it is about these keys.
pub(super) struct Entry<'d, 'a> {
    pub(super) done: &'d Done<'a>,
    pub(super) asked: Asked,
    pub(super) answer: Option<Outcome>,
}

impl<'d, 'a> Object<'d, 'a> {
    /// The keys of these operations, with those that were ever written together with one of them.
    pub(super) fn around(all: &'d [Done<'a>], proof: &[&'d Done<'a>]) -> Option<Self> {
        let mut keys: BTreeSet<&str> = proof.iter().flat_map(|done| done.asked.keys()).collect();
        loop {
            let before = keys.len();
            if before > KEYS_MAX {
                return None;
            }
            for done in all {
                let written = written(&done.asked);
                if written.len() > 1 && written.iter().any(|key| keys.contains(key)) {
                    keys.extend(written);
                }
            }
            if keys.len() == before {
                break;
            }
        }
        let entries: Vec<Entry<'d, 'a>> =
            all.iter().filter_map(|done| Entry::of(done, &keys)).collect();
        (entries.len() <= OPERATIONS_MAX).then_some(Self { keys, entries })
    }

    /// `k1, k2 and 3 more keys`.
    pub(super) fn name(&self) -> String {
        let names: Vec<String> = self.keys.iter().take(NAMED_MAX).map(|key| node(key)).collect();
        match self.keys.len().saturating_sub(NAMED_MAX) {
            0 => names.join(", "),
            more => format!("{} and {more} more keys", names.join(", ")),
        }
    }
}

impl<'d, 'a> Entry<'d, 'a> {
    /// `None` where it is not about these keys, or nobody can say whether it is.
    fn of(done: &'d Done<'a>, keys: &BTreeSet<&str>) -> Option<Self> {
        let is_one = |key: &str| keys.contains(key);
        let whole =
            |asked: &Asked, is_one: bool| is_one.then(|| (asked.clone(), done.answer.clone()));
        let (asked, answer) = match &done.asked {
            asked @ (Asked::Get { key }
            | Asked::Put { key, .. }
            | Asked::Append { key, .. }
            | Asked::PutHash { key, .. }
            | Asked::Cas { key, .. }) => whole(asked, is_one(key))?,
            asked @ Asked::Swap { a, .. } => whole(asked, is_one(a))?,
            asked @ Asked::MultiPut { values } => {
                whole(asked, values.keys().any(|key| is_one(key)))?
            }
            Asked::MultiGet { keys } => {
                let keys: Vec<String> = keys.iter().filter(|key| is_one(key)).cloned().collect();
                let answer = done.answer.as_ref().map(|answer| match answer {
                    Outcome::Values { values } => {
                        let values = values.iter().filter(|(key, _)| is_one(key));
                        let values = values.map(|(key, value)| (key.clone(), value.clone()));
                        Outcome::Values { values: values.collect() }
                    }
                    other => other.clone(),
                });
                (!keys.is_empty()).then_some((Asked::MultiGet { keys }, answer))?
            }
            Asked::Txn { guards, ops } => of_transaction(&done.answer, guards, ops, &is_one)?,
            Asked::Join { .. }
            | Asked::Leave { .. }
            | Asked::Move { .. }
            | Asked::Query { .. }
            | Asked::Internal { .. } => return None,
        };
        Some(Self { done, asked, answer })
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.done.operation.call == other.done.operation.call
    }

    /// The operation as it is.
    pub(super) fn whole(&self) -> Call<Step, Outcome> {
        self.call(Step::Whole(self.asked.clone()), self.answer.clone())
    }

    /// The same operation once more, some time after it was asked for, or not.
    pub(super) fn again(&self) -> Call<Step, Outcome> {
        Call { ret: None, output: None, ..self.whole() }
    }

    pub(super) fn writes_several(&self) -> bool {
        written(&self.asked).into_iter().collect::<BTreeSet<_>>().len() > 1
    }

    /// Each key at a moment of its own.
    pub(super) fn key_by_key(&self) -> Vec<Call<Step, Outcome>> {
        let alone = |asked: Asked, answer: Outcome| {
            let answer = self.answer.is_some().then_some(answer);
            self.call(Step::Whole(asked), answer)
        };
        match (&self.asked, &self.answer) {
            (Asked::MultiGet { .. }, Some(Outcome::Values { values })) => {
                let get = |(key, value): (&String, &Option<String>)| {
                    alone(Asked::Get { key: key.clone() }, Outcome::Value { value: value.clone() })
                };
                values.iter().map(get).collect()
            }
            (Asked::MultiPut { values }, _) => {
                let put = |(key, value): (&String, &String)| {
                    let put = Asked::Put { key: key.clone(), value: value.clone() };
                    alone(put, Outcome::Done {})
                };
                values.iter().map(put).collect()
            }
            (Asked::Txn { guards, ops }, _) if !self.is_refused() => {
                let keys: BTreeSet<&str> = self.asked.keys().into_iter().collect();
                let parts = keys.into_iter().filter_map(|key| {
                    of_transaction(&self.answer, guards, ops, &|other| other == key)
                });
                parts.map(|(asked, answer)| self.call(Step::Whole(asked), answer)).collect()
            }
            _ => vec![self.whole()],
        }
    }

    /// A condition was not met, so that it changed nothing.
    fn is_refused(&self) -> bool {
        matches!(
            self.answer,
            Some(
                Outcome::Swapped { swapped: false, .. }
                    | Outcome::Committed { committed: false, .. }
            )
        )
    }

    /// Did it take effect because a condition was met?
    pub(super) fn is_guarded(&self) -> bool {
        let has_guard = match &self.asked {
            Asked::Cas { .. } => true,
            Asked::Txn { guards, .. } => !guards.is_empty() && !self.asked.is_read_only(),
            _ => false,
        };
        has_guard && self.answer.is_some() && !self.is_refused()
    }

    /// The same without its condition.
    pub(super) fn unguarded(&self) -> Vec<Call<Step, Outcome>> {
        let (asked, answer) = match &self.asked {
            Asked::Cas { key, value, .. } => {
                let put = Asked::Put { key: key.clone(), value: value.clone() };
                (put, Some(Outcome::Done {}))
            }
            Asked::Txn { ops, .. } => {
                (Asked::Txn { guards: BTreeMap::new(), ops: ops.clone() }, self.answer.clone())
            }
            other => (other.clone(), self.answer.clone()),
        };
        vec![self.call(Step::Whole(asked), answer)]
    }

    /// Were both under way at one time?
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let (one, other) = (self.done.operation, other.done.operation);
        let ends = |operation: &history::Operation| operation.return_index().unwrap_or(u64::MAX);
        one.call < ends(other) && other.call < ends(one)
    }

    /// What it finds at one moment, and what it writes at a later one.
    pub(super) fn in_two_steps(&self) -> Vec<Call<Step, Outcome>> {
        let number = self.done.operation.call;
        let finds = self.call(Step::Finds(number, self.asked.clone()), self.answer.clone());
        vec![finds, self.call(Step::Writes(number), None)]
    }

    fn call(&self, input: Step, output: Option<Outcome>) -> Call<Step, Outcome> {
        let call = Call::from_operation(self.done.operation, input, output);
        // One whose answer cannot be read stays open.
        Call { ret: call.ret.filter(|_| self.done.answer.is_some()), ..call }
    }
}

/// The part of a transaction that is about these keys. Which of its guards refused it is not known.
fn of_transaction(
    answer: &Option<Outcome>,
    guards: &BTreeMap<String, Option<String>>,
    ops: &[MicroOperation],
    is_one: &dyn Fn(&str) -> bool,
) -> Option<(Asked, Option<Outcome>)> {
    let is_own = |op: &MicroOperation| is_one(op.key());
    let own_guards: BTreeMap<String, Option<String>> = (guards.iter())
        .filter(|(key, _)| is_one(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let answer = match answer {
        Some(Outcome::Committed { committed: true, results: Some(results) }) => {
            let results = ops.iter().zip(results).filter(|(op, _)| is_own(op));
            let results = Some(results.map(|(_, result)| result.clone()).collect());
            Some(Outcome::Committed { committed: true, results })
        }
        Some(_) if own_guards.len() < guards.len() => return None,
        answer => answer.clone(),
    };
    let ops: Vec<MicroOperation> = ops.iter().filter(|op| is_own(op)).cloned().collect();
    let is_about = !ops.is_empty() || !own_guards.is_empty();
    is_about.then_some((Asked::Txn { guards: own_guards, ops }, answer))
}

/// The keys that it may write.
fn written(asked: &Asked) -> Vec<&str> {
    match asked {
        Asked::Txn { ops, .. } => {
            let written = ops.iter().filter(|op| !matches!(op, MicroOperation::Read(_)));
            written.map(MicroOperation::key).collect()
        }
        _ if asked.is_read_only() => Vec::new(),
        _ => asked.keys(),
    }
}
