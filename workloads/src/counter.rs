//! `counter`: clients add to counters; every value must lie between what was certainly added and what may have been.
//!
//! The contract has no increment, so clients add as programs do: they compare-and-set the value they know to the sum.
//! One that does not swap has added nothing, and answers with the current value, which is a read.

use std::collections::BTreeMap;

use contract::{Operation, Outcome, manifest::Capability};
use history::{CheckResult, Limits};
use invariants::Invariant;
use isolation::Consistency;
use serde_json::{Value, json};

use crate::{
    Client, Workload, WorkloadEntry,
    record::{self, End, Record},
    rotation::{Rotation, Turns},
    seeded::Seeded,
};

/// Few counters at a time, so that clients collide, and few operations on each, for every unknown one leaves its bounds
/// wider for ever.
const COUNTERS: u64 = 3;
const OPERATIONS: u64 = 60;
/// How many counters are read at the end, at each node.
const FINAL_COUNTERS: u64 = 30;

/// Counters by compare-and-set.
pub struct Counter {
    rotation: Rotation,
}

impl Default for Counter {
    fn default() -> Self {
        Self { rotation: Rotation::new(COUNTERS, OPERATIONS) }
    }
}

/// The row of the registry.
pub(crate) const ENTRY: WorkloadEntry = WorkloadEntry {
    name: "counter",
    about: "Clients add to counters by compare-and-set and read them; every value must be a sum of what was added before, \
         of which nothing is lost or counted twice.",
    needs: &[Capability::Cas],
    make: |_| Box::new(Counter::default()),
};

impl Workload for Counter {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn client(&self, seed: u64, client: u32) -> Box<dyn Client> {
        let (choices, turns) = (Seeded::new(seed, client), self.rotation.turns());
        Box::new(CounterClient { choices, turns, seen: BTreeMap::new() })
    }

    fn final_reads(&self) -> Vec<Operation> {
        let counters = self.rotation.sampled(FINAL_COUNTERS);
        counters.into_iter().map(|counter| Operation::Get { key: key(counter) }).collect()
    }

    fn must_succeed(&self) -> &'static [&'static str] {
        &["cas", "get"]
    }

    fn check(
        &self,
        operations: &[history::Operation],
        _level: Consistency,
        _limits: &Limits,
    ) -> Vec<CheckResult> {
        let operations = record::read(operations).and_then(|records| to_operations(&records));
        vec![record::judge(Invariant::CounterBounds, operations)]
    }
}

/// Trailing digits place keys on shards.
fn key(counter: u64) -> String {
    format!("counter{counter}")
}

struct CounterClient {
    choices: Seeded,
    turns: Turns,
    /// What each counter held when this client last knew.
    seen: BTreeMap<String, Option<String>>,
}

impl Client for CounterClient {
    fn next(&mut self) -> Operation {
        let (counters, _) = self.turns.next();
        if counters.start > 0 && self.choices.chance(4) {
            return Operation::Get { key: key(self.choices.below(counters.start)) };
        }
        let key = key(counters.start + self.choices.below(COUNTERS));
        let known = self.seen.remove(&key).filter(|_| self.choices.chance(85));
        let number = known.as_ref().and_then(|value| number(value.as_deref()));
        let (Some(expect), Some(number)) = (known, number) else { return Operation::Get { key } };
        Operation::Cas { key, expect, value: number.saturating_add(self.amount()).to_string() }
    }

    fn completed(&mut self, operation: &Operation, outcome: Option<&Outcome>) {
        let (key, now) = match (operation, outcome) {
            (Operation::Get { key }, Some(Outcome::Value { value })) => (key, value.clone()),
            (Operation::Cas { key, value, .. }, Some(Outcome::Swapped { swapped: true, .. })) => {
                (key, Some(value.clone()))
            }
            (Operation::Cas { key, .. }, Some(Outcome::Swapped { value: Some(current), .. })) => {
                (key, current.clone())
            }
            _ => return,
        };
        self.seen.insert(key.clone(), now);
    }
}

impl CounterClient {
    /// From -3 to 9, but not 0.
    fn amount(&mut self) -> i64 {
        match self.choices.below(12) {
            0 => -3,
            1 => -2,
            2 => -1,
            more => i64::try_from(more).unwrap_or(1) - 2,
        }
    }
}

/// The number that a value stands for; a missing counter is at 0.
fn number(value: Option<&str>) -> Option<i64> {
    value.map_or(Some(0), |text| text.parse().ok())
}

/// The record as additions and reads, each counter under its key.
fn to_operations(records: &[Record]) -> Result<Vec<history::Operation>, String> {
    records.iter().filter_map(|record| to_operation(record).transpose()).collect()
}

fn to_operation(record: &Record) -> Result<Option<history::Operation>, String> {
    let seen = |key: &str, value: &Option<String>| {
        // What is no number, the checker refuses.
        let value = number(value.as_deref()).map_or_else(|| json!(value), |number| json!(number));
        Some(json!([key, value]))
    };
    match (&record.operation, &record.end) {
        (Operation::Get { key }, _) => {
            Ok(Some(record.to_operation("read", json!([key, null]), |outcome| match outcome {
                Outcome::Value { value } => seen(key, value),
                _ => None,
            })))
        }
        (Operation::Cas { key, .. }, End::Ok(Outcome::Swapped { swapped: false, value })) => {
            let read =
                |current| record.to_operation("read", json!([key, null]), |_| seen(key, current));
            Ok(value.as_ref().map(read))
        }
        (Operation::Cas { key, expect, value }, _) => {
            let amount = number(Some(value)).zip(number(expect.as_deref()));
            let Some((new, old)) = amount else { return Err(record.foreign("counter")) };
            let arguments = json!([key, new.saturating_sub(old)]);
            Ok(Some(record.to_operation("add", arguments, |_| Some(Value::Null))))
        }
        _ => Err(record.foreign("counter")),
    }
}
