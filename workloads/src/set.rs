//! `set`: clients append unique elements to a key and read all of them; none may be lost, doubled or seen late.
//!
//! An append answers with the whole value, so that it reads the set, too. The fate of every element is followed through
//! all reads, in time linear in the record.

use contract::{Operation, Outcome, manifest::Capability};
use history::{CheckResult, Limits};
use invariants::Invariant;
use isolation::Consistency;
use serde_json::{Value, json};

use crate::{
    Client, Workload, WorkloadEntry,
    record::{self, Record},
    rotation::{Rotation, Turns},
    seeded::Seeded,
};

/// One set at a time, 60 operations of each client: ten clients leave some 400 elements in it.
const OPERATIONS: u64 = 60;
/// How many sets are read at the end, at each node.
const FINAL_SETS: u64 = 40;

/// Sets that grow by appends.
pub struct Set {
    rotation: Rotation,
}

impl Default for Set {
    fn default() -> Self {
        Self { rotation: Rotation::new(1, OPERATIONS) }
    }
}

/// The row of the registry.
pub(crate) const ENTRY: WorkloadEntry = WorkloadEntry {
    name: "set",
    about: "Clients add unique elements to sets and read whole sets; every element must be there once, from the moment \
         its addition is done, and for ever.",
    needs: &[Capability::Append],
    make: |_| Box::new(Set::default()),
};

impl Workload for Set {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn client(&self, seed: u64, client: u32) -> Box<dyn Client> {
        Box::new(SetClient { choices: Seeded::new(seed, client), turns: self.rotation.turns() })
    }

    fn final_reads(&self) -> Vec<Operation> {
        self.rotation
            .sampled(FINAL_SETS)
            .into_iter()
            .map(|set| Operation::Get { key: key(set) })
            .collect()
    }

    fn must_succeed(&self) -> &'static [&'static str] {
        &["append", "get"]
    }

    fn check(
        &self,
        operations: &[history::Operation],
        _level: Consistency,
        _limits: &Limits,
    ) -> Vec<CheckResult> {
        let operations = record::read(operations).and_then(|records| to_operations(&records));
        vec![record::judge(Invariant::SetFullLinearizable, operations)]
    }
}

/// Trailing digits place keys on shards.
fn key(set: u64) -> String {
    format!("set{set}")
}

struct SetClient {
    choices: Seeded,
    turns: Turns,
}

impl Client for SetClient {
    fn next(&mut self) -> Operation {
        let (sets, _) = self.turns.next();
        let current = sets.start;
        match self.choices.below(100) {
            // An element may be lost, or come, long after the others.
            0..5 if current > 0 => Operation::Get { key: key(self.choices.below(current)) },
            0..35 => Operation::Get { key: key(current) },
            _ => Operation::Append { value: format!("{};", self.choices.tag()), key: key(current) },
        }
    }
}

/// The record as additions to sets and reads of them, each set under its key.
fn to_operations(records: &[Record]) -> Result<Vec<history::Operation>, String> {
    let mut operations = Vec::new();
    for record in records {
        let read = |outcome: &Outcome, key: &str| match outcome {
            Outcome::Value { value } => Some(json!([key, elements(value.as_deref())])),
            _ => None,
        };
        let key = match &record.operation {
            Operation::Append { key, value } => {
                let element = json!([key, value]);
                operations.push(record.to_operation("add", element, |_| Some(Value::Null)));
                key
            }
            Operation::Get { key } => key,
            _ => return Err(record.foreign("set")),
        };
        let arguments = json!([key, null]);
        operations.push(record.to_operation("read", arguments, |outcome| read(outcome, key)));
    }
    Ok(operations)
}

/// The elements of `"c1.1;c3.7;"`.
fn elements(value: Option<&str>) -> Vec<&str> {
    value.map_or(Vec::new(), |value| value.split_inclusive(';').collect())
}
