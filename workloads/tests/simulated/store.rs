//! The simulated store: one map, right by default, with planted faults that strike now and then.

use std::collections::{BTreeMap, BTreeSet};

use checker_testing::simulation::Rng;
use contract::{MicroOperation, Operation, Outcome};
use rand::RngExt;

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

pub struct Store {
    state: State,
    /// The states of the past, oldest first.
    past: Vec<State>,
    /// How many there were when each client's operation began.
    began: Vec<usize>,
    fault: Option<(Fault, u32)>,
    pub guilty: BTreeSet<u64>,
    /// Writes that will strike a second time.
    delayed: Vec<(u64, Operation)>,
    /// What is written when the operation with this call ends.
    second_halves: BTreeMap<u64, State>,
}

impl Store {
    pub fn new(fault: Option<(Fault, u32)>, clients: usize) -> Self {
        Self {
            state: State::new(),
            past: Vec::new(),
            began: vec![0; clients],
            fault,
            guilty: BTreeSet::new(),
            delayed: Vec::new(),
            second_halves: BTreeMap::new(),
        }
    }

    /// A client's next operation begins.
    pub fn began(&mut self, client: usize) {
        self.began[client] = self.past.len();
    }

    /// What a right store does.
    pub fn right(&mut self, operation: &Operation) -> Outcome {
        if !operation.is_read_only() {
            self.remember();
        }
        apply(&mut self.state, operation)
    }

    fn remember(&mut self) {
        if self.fault.is_some() {
            self.past.push(self.state.clone());
        }
    }

    /// An operation that fails: nothing happens, or with a fault something does.
    pub fn failed(&mut self, call: u64, operation: &Operation, rng: &mut Rng) {
        if !operation.is_read_only() && self.strikes(rng) == Some(Fault::Dirty) {
            self.guilty.insert(call);
            self.right(operation);
        }
    }

    /// An operation ends that may have been carried out by halves.
    pub fn finish(&mut self, call: u64) {
        self.state.extend(self.second_halves.remove(&call).unwrap_or_default());
    }

    fn strikes(&self, rng: &mut Rng) -> Option<Fault> {
        let (fault, per_mille) = self.fault?;
        (rng.random_range(0..1000) < per_mille).then_some(fault)
    }

    /// Carries out a client's operation, with a fault now and then.
    pub fn apply(
        &mut self,
        client: usize,
        call: u64,
        operation: &Operation,
        rng: &mut Rng,
    ) -> Outcome {
        if rng.random_range(0..10) == 0
            && let Some((call, delayed)) = self.delayed.pop()
        {
            self.guilty.insert(call);
            self.right(&delayed);
        }
        let strikes = self.strikes(rng);
        let faulty = strikes.and_then(|fault| {
            if operation.is_read_only() {
                self.faulty_read(fault, client, operation)
            } else {
                self.faulty_write(fault, client, call, operation)
            }
        });
        let Some(outcome) = faulty else { return self.right(operation) };
        // Guilty once it strikes again.
        if strikes != Some(Fault::DoubleApply) {
            self.guilty.insert(call);
        }
        outcome
    }

    /// The state when this client's operation began; `None` if nothing has changed since.
    fn first(&self, client: usize) -> Option<State> {
        self.past.get(self.began[client]).cloned()
    }

    fn faulty_read(&self, fault: Fault, client: usize, operation: &Operation) -> Option<Outcome> {
        match fault {
            Fault::StaleRead => self.stale(client, operation),
            Fault::SplitRead => {
                // Every other key as it was when the read began.
                let first = self.first(client)?;
                let mut mixed = self.state.clone();
                let keys: BTreeSet<&String> = first.keys().chain(self.state.keys()).collect();
                for key in keys.into_iter().step_by(2) {
                    set(&mut mixed, key, first.get(key).cloned());
                }
                Some(apply(&mut mixed, operation))
            }
            _ => None,
        }
    }

    /// An answer from before the operation began, which no state since has matched.
    fn stale(&self, client: usize, operation: &Operation) -> Option<Outcome> {
        let answer = |state: &State| apply(&mut state.clone(), operation);
        let (before, since) = self.past.split_at(self.began[client]);
        let possible: Vec<Outcome> = since.iter().chain([&self.state]).map(answer).collect();
        before.iter().rev().skip(6).take(50).map(answer).find(|old| !possible.contains(old))
    }

    fn faulty_write(
        &mut self,
        fault: Fault,
        client: usize,
        call: u64,
        operation: &Operation,
    ) -> Option<Outcome> {
        let mut elsewhere = self.state.clone();
        let outcome = apply(&mut elsewhere, operation);
        let held = elsewhere != self.state;
        Some(match (fault, operation) {
            (Fault::LostWrite, _) if held => outcome,
            (Fault::DoubleApply, _) if held => {
                self.delayed.push((call, operation.clone()));
                self.right(operation)
            }
            (Fault::SplitWrite, Operation::MultiPut { .. } | Operation::Txn { .. }) if held => {
                // The first half now, the rest when the operation ends.
                elsewhere.retain(|key, value| self.state.get(key) != Some(value));
                let half = elsewhere.len() / 2;
                self.state.extend(elsewhere.clone().into_iter().take(half));
                self.second_halves.insert(call, elsewhere);
                outcome
            }
            (Fault::StaleSwap, Operation::Swap { a, b }) => {
                let first = self.first(client)?;
                self.remember();
                set(&mut self.state, a, first.get(b).cloned());
                set(&mut self.state, b, first.get(a).cloned());
                outcome
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
                    return None;
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
        })
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
        other => panic!("{other:?} is not asked of keys"),
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
