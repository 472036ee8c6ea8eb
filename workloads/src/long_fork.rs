//! `long-fork`: clients write single keys of small groups, each key once, and read whole groups at once; all readers
//! must agree on the order of the writes.
//!
//! The same record also shows writes that overtook earlier ones, and reads that missed what was there.

use contract::{MicroOperation, Operation, Outcome, manifest::Capability};
use history::{CheckResult, Limits};
use invariants::Invariant;
use isolation::Consistency;
use serde_json::{Value, json};

use crate::{
    Client, Levels, Workload, WorkloadEntry,
    record::{self, Record},
    rotation::Rotation,
    seeded::Seeded,
};

/// Clients of a group, and how many of its keys each of them writes.
const MEMBERS: u64 = 3;
const KEYS_EACH: u64 = 4;
/// A client waits for the others of its group for so many operations: only writes at the same time can fork.
const PATIENCE: u64 = 12;
/// How many generations are read at the end, at each node.
const FINAL_GENERATIONS: u64 = 20;

/// Groups of keys that are written one by one and read at once.
pub struct LongFork {
    multiget: bool,
    /// One object is a generation of groups, however many clients there are.
    rotation: Rotation,
}

impl LongFork {
    /// The workload for a store with these capabilities: without `multi` it reads by transactions.
    #[must_use]
    pub fn new(manifest_caps: &[Capability]) -> Self {
        let multiget = manifest_caps.contains(&Capability::Multi);
        Self { multiget, rotation: Rotation::new(1, 1) }
    }
}

/// The row of the registry.
pub(crate) const ENTRY: WorkloadEntry = WorkloadEntry {
    name: "long-fork",
    about: "Clients write the keys of small groups one by one and read whole groups at once; all readers must see the \
         writes in one order, which respects real time.",
    needs: &[Capability::Multi, Capability::Txn],
    make: |caps| Box::new(LongFork::new(caps)),
};

impl Workload for LongFork {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn client(&self, seed: u64, client: u32) -> Box<dyn Client> {
        Box::new(LongForkClient {
            choices: Seeded::new(seed, client),
            group: u64::from(client) / MEMBERS,
            number: u64::from(client) % MEMBERS,
            generation: 0,
            step: 0,
            written: 0,
            complete: false,
            multiget: self.multiget,
            rotation: self.rotation.clone(),
        })
    }

    fn final_reads(&self) -> Vec<Operation> {
        let generations = self.rotation.sampled(FINAL_GENERATIONS);
        // The first group is there with any number of clients.
        generations.into_iter().map(|generation| read_of(generation, 0, self.multiget)).collect()
    }

    fn must_succeed(&self) -> &'static [&'static str] {
        // How it reads depends on the store; that it read is for the check to see.
        &["put"]
    }

    fn levels(&self) -> Levels {
        Levels::From(Consistency::SnapshotIsolation)
    }

    fn check(
        &self,
        operations: &[history::Operation],
        level: Consistency,
        _limits: &Limits,
    ) -> Vec<CheckResult> {
        let records = match record::read(operations) {
            Ok(records) => records,
            Err(reason) => return vec![CheckResult::inconclusive("long-fork", reason)],
        };
        let judge = |invariant, convert: Conversion| {
            record::judge(invariant, records.iter().map(convert).collect())
        };
        let mut results = vec![judge(Invariant::LongFork, as_transactions)];
        // The others are about real time.
        if level.implies(Consistency::StrongSnapshotIsolation) {
            results.extend([
                judge(Invariant::CausalReverse, |record| as_inserts(record, "write")),
                judge(Invariant::SetFullLinearizable, |record| as_inserts(record, "add")),
            ]);
        }
        results
    }
}

/// Trailing digits place keys on shards: the keys of a group live on different ones.
fn key(generation: u64, group: u64, number: u64) -> String {
    format!("g{generation}.{group}.{number}")
}

/// `g4.1` of `g4.1.2`.
fn group_of(key: &str) -> Option<&str> {
    key.rsplit_once('.').map(|(group, _)| group)
}

fn read_of(generation: u64, group: u64, multiget: bool) -> Operation {
    let keys = (0..MEMBERS * KEYS_EACH).map(|number| key(generation, group, number));
    if multiget {
        return Operation::MultiGet { keys: keys.collect() };
    }
    Operation::Txn { guards: [].into(), ops: keys.map(MicroOperation::Read).collect() }
}

struct LongForkClient {
    choices: Seeded,
    group: u64,
    /// Which member of its group this client is.
    number: u64,
    generation: u64,
    /// How many operations it has spent on this generation.
    step: u64,
    /// How many of its keys it has written.
    written: u64,
    /// Whether it has seen the whole group written.
    complete: bool,
    multiget: bool,
    rotation: Rotation,
}

impl Client for LongForkClient {
    fn next(&mut self) -> Operation {
        if self.written == KEYS_EACH && (self.complete || self.step >= PATIENCE) {
            self.generation += 1;
            (self.step, self.written, self.complete) = (0, 0, false);
        }
        self.rotation.at(self.generation);
        self.step += 1;
        if self.written < KEYS_EACH && self.choices.chance(50) {
            let number = self.number * KEYS_EACH + self.written;
            self.written += 1;
            let key = key(self.generation, self.group, number);
            return Operation::Put { key, value: self.choices.tag() };
        }
        match self.choices.below(100) {
            // A write may be lost, or come, long after the others.
            0..5 => read_of(self.choices.below(self.generation + 1), self.group, self.multiget),
            // The groups before the own one are those of clients that are surely there.
            5..25 => read_of(self.generation, self.choices.below(self.group + 1), self.multiget),
            _ => read_of(self.generation, self.group, self.multiget),
        }
    }

    fn completed(&mut self, operation: &Operation, outcome: Option<&Outcome>) {
        if *operation != read_of(self.generation, self.group, self.multiget) {
            return;
        }
        self.complete |= match outcome {
            Some(Outcome::Values { values }) => values.values().all(Option::is_some),
            Some(Outcome::Committed { results: Some(results), .. }) => {
                results.iter().all(Option::is_some)
            }
            _ => false,
        };
    }
}

/// How an operation is written for a checker.
type Conversion = fn(&Record) -> Result<history::Operation, String>;

/// Writes and reads of groups as transactions.
fn as_transactions(record: &Record) -> Result<history::Operation, String> {
    if let Operation::Put { key, value } = &record.operation {
        let write = json!([["w", key, value]]);
        return Ok(record.to_operation("write", write.clone(), |_| Some(write)));
    }
    let keys = keys_read(record)?;
    let step = |(key, value): (&String, &Option<String>)| json!(["r", key, value]);
    let asked = keys.iter().map(|key| json!(["r", key, null])).collect();
    Ok(record.to_operation("read", asked, |outcome| {
        Some(values(&keys, outcome)?.into_iter().map(step).collect())
    }))
}

/// Writes as inserts of keys into their group, reads as reads of the keys that are there.
fn as_inserts(record: &Record, insert: &str) -> Result<history::Operation, String> {
    let foreign = || record.foreign("long-fork");
    if let Operation::Put { key, .. } = &record.operation {
        let group = group_of(key).ok_or_else(foreign)?;
        return Ok(record.to_operation(insert, json!([group, key]), |_| Some(Value::Null)));
    }
    let keys = keys_read(record)?;
    let group = keys.first().and_then(|key| group_of(key)).ok_or_else(foreign)?;
    Ok(record.to_operation("read", json!([group, null]), |outcome| {
        let values = values(&keys, outcome)?;
        let there: Vec<&String> =
            values.into_iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key).collect();
        Some(json!([group, there]))
    }))
}

/// The keys that a read asks for.
fn keys_read(record: &Record) -> Result<Vec<String>, String> {
    match &record.operation {
        Operation::MultiGet { keys } => Ok(keys.clone()),
        Operation::Txn { ops, .. } if record.operation.is_read_only() => {
            let key = |op: &MicroOperation| match op {
                MicroOperation::Read(key) => Some(key.clone()),
                MicroOperation::Write(..) | MicroOperation::Append(..) => None,
            };
            Ok(ops.iter().filter_map(key).collect())
        }
        _ => Err(record.foreign("long-fork")),
    }
}

/// The keys with the values that were found.
fn values<'a>(
    keys: &'a [String],
    outcome: &'a Outcome,
) -> Option<Vec<(&'a String, &'a Option<String>)>> {
    match outcome {
        Outcome::Values { values } => Some(values.iter().collect()),
        Outcome::Committed { results: Some(results), .. } => {
            Some(keys.iter().zip(results).collect())
        }
        _ => None,
    }
}
