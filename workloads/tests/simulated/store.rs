//! The simulated store: one map, right by default, with planted faults that strike now and then.

use std::collections::{BTreeMap, BTreeSet};

use contract::{MicroOperation, Operation, Outcome};
use rand::{RngExt, rngs::ChaCha8Rng};

type State = BTreeMap<String, String>;

/// What can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A read is answered from the past.
    StaleRead,
    /// A write is acknowledged and forgotten.
    LostWrite,
    /// A write takes effect a second time, later.
    DoubleApply,
    /// A condition or guard is not looked at.
    Unchecked,
    /// Guards of keys that are not written are not looked at.
    ReadGuardsUnchecked,
    /// A read of several keys takes them at two moments.
    SplitRead,
    /// A write of several keys happens at two moments.
    SplitWrite,
    /// A swap writes back what it read at an earlier moment.
    StaleSwap,
    /// What was refused or failed leaves something behind.
    Dirty,
    /// A transaction commits, its answer is lost, and the retry is refused by its own writes.
    ForgottenRetry,
    /// A transaction is refused although its guards hold.
    FalseRefusal,
    /// A balance is changed by nobody.
    Overdraft,
    /// An operation reads its own transaction's past.
    BlindToItself,
}

/// How far an operation has come.
pub struct Effect {
    pub call: u64,
    pub outcome: Option<Outcome>,
    /// What a two-step fault remembers from its first step.
    first: Option<State>,
    /// What it answers after its second step, where the first has decided that.
    answer: Option<Outcome>,
    /// To be applied once more, later.
    again: bool,
}

impl Effect {
    pub fn new(call: u64) -> Self {
        Self { call, outcome: None, first: None, answer: None, again: false }
    }

    pub fn is_done(&self) -> bool {
        self.outcome.is_some() && !self.again
    }
}

pub struct Store {
    state: State,
    /// The states of the past with the event index at which each was replaced.
    past: Vec<(u64, State)>,
    now: u64,
    fault: Option<(Fault, u32)>,
    pub guilty: BTreeSet<u64>,
    /// Writes that will strike a second time.
    delayed: Vec<(u64, Operation)>,
}

impl Store {
    pub fn new(fault: Option<(Fault, u32)>) -> Self {
        Self {
            state: State::new(),
            past: Vec::new(),
            now: 0,
            fault,
            guilty: BTreeSet::new(),
            delayed: Vec::new(),
        }
    }

    /// Time passes.
    pub fn called(&mut self, event: u64) {
        self.now = event;
    }

    /// What a right store does.
    pub fn right(&mut self, operation: &Operation) -> Outcome {
        if self.fault.is_some() && !operation.is_read_only() {
            self.past.push((self.now, self.state.clone()));
            if self.past.len() > 60 {
                self.past.remove(0);
            }
        }
        apply(&mut self.state, operation)
    }

    pub fn right_late(&mut self, operation: &Operation, effect: &mut Effect) {
        effect.outcome = Some(self.right(operation));
    }

    /// An operation that fails: nothing happens, or with a fault something does.
    pub fn failed(&mut self, operation: &Operation, call: u64, rng: &mut ChaCha8Rng) {
        if !operation.is_read_only() && self.strikes(Fault::Dirty, rng) {
            self.guilty.insert(call);
            self.right(operation);
        }
    }

    fn strikes(&self, wanted: Fault, rng: &mut ChaCha8Rng) -> bool {
        self.fault.is_some_and(|(fault, per_mille)| {
            fault == wanted && rng.random_range(0..1000) < per_mille
        })
    }

    /// The next step of an operation: as a rule its only one.
    pub fn advance(&mut self, operation: &Operation, effect: &mut Effect, rng: &mut ChaCha8Rng) {
        if rng.random_range(0..10) == 0
            && let Some((call, delayed)) = self.delayed.pop()
        {
            self.guilty.insert(call);
            self.right(&delayed);
        }
        let Some(first) = effect.first.take() else {
            effect.outcome = self.begin(operation, effect, rng);
            return;
        };
        let outcome = self.second_step(operation, &first);
        effect.outcome = effect.answer.take().or(Some(outcome));
    }

    fn begin(
        &mut self,
        operation: &Operation,
        effect: &mut Effect,
        rng: &mut ChaCha8Rng,
    ) -> Option<Outcome> {
        let call = effect.call;
        if operation.is_read_only() {
            if self.strikes(Fault::StaleRead, rng)
                && let Some(outcome) = self.stale(operation, call)
            {
                self.guilty.insert(call);
                return Some(outcome);
            }
            if self.strikes(Fault::SplitRead, rng) {
                return self.split(effect);
            }
            return Some(self.right(operation));
        }
        if self.strikes(Fault::SplitWrite, rng)
            && matches!(operation, Operation::MultiPut { .. } | Operation::Txn { .. })
        {
            return self.split_write(operation, effect);
        }
        if self.strikes(Fault::StaleSwap, rng) && matches!(operation, Operation::Swap { .. }) {
            return self.split(effect);
        }
        Some(self.faulty_write(operation, call, rng).unwrap_or_else(|| self.right(operation)))
    }

    fn split(&mut self, effect: &mut Effect) -> Option<Outcome> {
        self.guilty.insert(effect.call);
        effect.first = Some(self.state.clone());
        None
    }

    fn split_write(&mut self, operation: &Operation, effect: &mut Effect) -> Option<Outcome> {
        let mut after = self.state.clone();
        let outcome = apply(&mut after, operation);
        if matches!(outcome, Outcome::Committed { committed: false, .. }) {
            return Some(outcome);
        }
        let before = std::mem::take(&mut self.state);
        let changed: Vec<String> =
            after.keys().filter(|key| after.get(*key) != before.get(*key)).cloned().collect();
        self.state.clone_from(&before);
        // The first half now, the rest with the second step.
        for key in changed.iter().take(changed.len() / 2) {
            self.state.insert(key.clone(), after[key].clone());
        }
        let rest = changed.into_iter().map(|key| (key.clone(), after[&key].clone())).collect();
        self.guilty.insert(effect.call);
        effect.first = Some(rest);
        effect.answer = Some(outcome);
        None
    }

    fn second_step(&mut self, operation: &Operation, first: &State) -> Outcome {
        match operation {
            Operation::Swap { a, b } => {
                set(&mut self.state, a, first.get(b).cloned());
                set(&mut self.state, b, first.get(a).cloned());
                Outcome::Done {}
            }
            write if !write.is_read_only() => {
                self.state.extend(first.clone());
                Outcome::Done {}
            }
            // A read: every other key from the first step.
            read => {
                let mut mixed = self.state.clone();
                let keys: BTreeSet<&String> = first.keys().chain(self.state.keys()).collect();
                for key in keys.into_iter().step_by(2) {
                    set(&mut mixed, key, first.get(key).cloned());
                }
                apply(&mut mixed, read)
            }
        }
    }

    /// An answer from before the operation began, which no state since has matched.
    fn stale(&self, operation: &Operation, call: u64) -> Option<Outcome> {
        let answer = |state: &State| apply(&mut state.clone(), operation);
        let since = self.past.iter().filter(|(replaced, _)| *replaced >= call);
        let mut possible: Vec<Outcome> = since.map(|(_, state)| answer(state)).collect();
        possible.push(answer(&self.state));
        let before = self.past.iter().rev().filter(|(replaced, _)| *replaced < call);
        before.map(|(_, state)| answer(state)).skip(6).find(|old| !possible.contains(old))
    }

    fn faulty_write(
        &mut self,
        operation: &Operation,
        call: u64,
        rng: &mut ChaCha8Rng,
    ) -> Option<Outcome> {
        let (fault, _) = self.fault.filter(|(fault, _)| self.strikes(*fault, rng))?;
        let mut elsewhere = self.state.clone();
        let outcome = apply(&mut elsewhere, operation);
        let held = elsewhere != self.state;
        let outcome = match (fault, operation) {
            (Fault::LostWrite, _) if held => outcome,
            (Fault::DoubleApply, _) if held => {
                self.delayed.push((call, operation.clone()));
                // Guilty once it strikes again.
                return Some(self.right(operation));
            }
            (Fault::Unchecked, Operation::Txn { ops, .. }) if !held => {
                self.right(&Operation::Txn { guards: BTreeMap::new(), ops: ops.clone() })
            }
            (Fault::Unchecked, Operation::Cas { key, value, .. }) if !held => {
                self.state.insert(key.clone(), value.clone());
                Outcome::Swapped { swapped: true, value: None }
            }
            (Fault::ReadGuardsUnchecked, Operation::Txn { guards, ops }) if !held => {
                let written = |key: &String| ops.iter().any(|op| writes(op, key));
                let mut fewer = guards.clone();
                fewer.retain(|key, _| written(key));
                let fewer = Operation::Txn { guards: fewer, ops: ops.clone() };
                let outcome = self.right(&fewer);
                if outcome == (Outcome::Committed { committed: false, results: None }) {
                    return Some(outcome);
                }
                outcome
            }
            (Fault::Dirty, Operation::Txn { ops, .. }) if !held => {
                let first = ops.iter().find(|op| !matches!(op, MicroOperation::Read(_)));
                micro(&mut self.state, first.expect("it is no read"));
                outcome
            }
            (Fault::Dirty, Operation::Cas { key, value, .. }) if !held => {
                self.state.insert(key.clone(), value.clone());
                outcome
            }
            (Fault::ForgottenRetry, Operation::Txn { .. }) if held => {
                self.right(operation);
                Outcome::Committed { committed: false, results: None }
            }
            (Fault::FalseRefusal, Operation::Txn { .. }) if held => {
                Outcome::Committed { committed: false, results: None }
            }
            (Fault::Overdraft, Operation::Txn { ops, .. }) if held => {
                self.right(operation);
                let written = ops.iter().find_map(|op| match op {
                    MicroOperation::Write(key, value) => Some((key, value)),
                    _ => None,
                });
                let (key, value) = written.expect("transfers write");
                let (_, tag) = value.split_once(' ').expect("values hold a tag");
                self.state.insert(key.clone(), format!("-5 {tag}"));
                outcome
            }
            (Fault::BlindToItself, Operation::Txn { ops, .. })
                if held && matches!(ops.last(), Some(MicroOperation::Read(_))) =>
            {
                let before = self.state.clone();
                let mut outcome = self.right(operation);
                let Some(MicroOperation::Read(key)) = ops.last() else { unreachable!() };
                if let Outcome::Committed { results: Some(results), .. } = &mut outcome {
                    *results.last_mut().expect("a result a step") = before.get(key).cloned();
                }
                outcome
            }
            _ => return None,
        };
        self.guilty.insert(call);
        Some(outcome)
    }
}

fn set(state: &mut State, key: &str, value: Option<String>) {
    match value {
        Some(value) => state.insert(key.to_owned(), value),
        None => state.remove(key),
    };
}

fn writes(op: &MicroOperation, wanted: &str) -> bool {
    matches!(op, MicroOperation::Write(key, _) | MicroOperation::Append(key, _) if key == wanted)
}

/// The client API, as it should be.
pub fn apply(state: &mut State, operation: &Operation) -> Outcome {
    match operation {
        Operation::Get { key } => Outcome::Value { value: state.get(key).cloned() },
        Operation::Put { key, value } => {
            state.insert(key.clone(), value.clone());
            Outcome::Done {}
        }
        Operation::Append { key, value } => {
            let whole = state.entry(key.clone()).or_default();
            whole.push_str(value);
            Outcome::Value { value: Some(whole.clone()) }
        }
        Operation::Cas { key, expect, value } => {
            let current = state.get(key).cloned();
            if current != *expect {
                return Outcome::Swapped { swapped: false, value: Some(current) };
            }
            state.insert(key.clone(), value.clone());
            Outcome::Swapped { swapped: true, value: None }
        }
        Operation::MultiGet { keys } => {
            let values = keys.iter().map(|key| (key.clone(), state.get(key).cloned()));
            Outcome::Values { values: values.collect() }
        }
        Operation::MultiPut { values } => {
            state.extend(values.clone());
            Outcome::Done {}
        }
        Operation::Swap { a, b } => {
            let (in_a, in_b) = (state.get(a).cloned(), state.get(b).cloned());
            set(state, a, in_b);
            set(state, b, in_a);
            Outcome::Done {}
        }
        Operation::Txn { guards, ops } => {
            if guards.iter().any(|(key, value)| state.get(key) != value.as_ref()) {
                return Outcome::Committed { committed: false, results: None };
            }
            let results = ops.iter().map(|op| micro(state, op)).collect();
            Outcome::Committed { committed: true, results: Some(results) }
        }
        Operation::PutHash { key, value } => {
            let previous = state.get(key).cloned().unwrap_or_default();
            let hash = fnv1a_32(&format!("{previous}{value}"));
            state.insert(key.clone(), hash.to_string());
            Outcome::Previous { previous }
        }
    }
}

/// As the contract defines it, apart from the model that judges it.
fn fnv1a_32(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn micro(state: &mut State, op: &MicroOperation) -> Option<String> {
    match op {
        MicroOperation::Read(key) => state.get(key).cloned(),
        MicroOperation::Write(key, value) => {
            state.insert(key.clone(), value.clone());
            Some(value.clone())
        }
        MicroOperation::Append(key, value) => {
            let whole = state.entry(key.clone()).or_default();
            whole.push_str(value);
            Some(whole.clone())
        }
    }
}
