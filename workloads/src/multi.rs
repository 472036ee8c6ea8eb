//! `multi`: clients write the two keys of a pair in one step, always with the same value, and read them in one step; no
//! reader may see two values.
//!
//! A pair is thus one register, whose linearizability is checked as well. Every value is unique, so a torn read tells
//! who wrote its halves.

use std::collections::BTreeMap;

use contract::{Operation, Outcome, manifest::Capability};
use history::{CheckResult, Findings};
use isolation::Consistency;
use linearizability::{
    Call, Limits, check_by_key,
    models::kv::{Kv, KvInput, KvOutput},
};
use rustc_hash::FxHashMap;
use serde_json::json;

use crate::{
    Client, Workload, WorkloadEntry,
    record::{self, Record},
    rotation::{Rotation, Turns},
    seeded::Seeded,
    words,
};

/// Pairs that a client uses at a time, and how many operations it spends on them.
const PAIRS: u64 = 3;
const OPERATIONS: u64 = 60;
/// How many pairs are read at the end, at each node.
const FINAL_PAIRS: u64 = 30;

/// Pairs of keys that always hold the same.
pub struct Multi {
    rotation: Rotation,
}

impl Default for Multi {
    fn default() -> Self {
        Self { rotation: Rotation::new(PAIRS, OPERATIONS) }
    }
}

/// The row of the registry.
pub(crate) const ENTRY: WorkloadEntry = WorkloadEntry {
    name: "multi",
    about: "Clients write both keys of a pair in one step, with the same value, and read both in one step; no reader may \
         see two values, and each pair must be linearizable.",
    needs: &[Capability::Multi],
    make: |_| Box::new(Multi::default()),
};

impl Workload for Multi {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn client(&self, seed: u64, client: u32) -> Box<dyn Client> {
        Box::new(MultiClient { choices: Seeded::new(seed, client), turns: self.rotation.turns() })
    }

    fn final_reads(&self) -> Vec<Operation> {
        self.rotation.sampled(FINAL_PAIRS).into_iter().map(read_both).collect()
    }

    fn must_succeed(&self) -> &'static [&'static str] {
        &["multiget", "multiput"]
    }

    fn check(
        &self,
        operations: &[history::Operation],
        _level: Consistency,
        limits: &Limits,
    ) -> Vec<CheckResult> {
        let records = record::read(operations);
        match records.and_then(|records| premise(&records).map(|()| records)) {
            Ok(records) => vec![check_halves(&records), check_order(&records, limits)],
            Err(reason) => vec![CheckResult::inconclusive("pairs", reason)],
        }
    }
}

/// Trailing digits place keys on shards: the keys of a pair live on different ones.
fn keys(pair: u64) -> [String; 2] {
    [2 * pair, 2 * pair + 1].map(|number| format!("half{number}"))
}

/// The pair of `half17`.
fn pair_of(key: &str) -> Option<u64> {
    key.strip_prefix("half")?.parse::<u64>().ok().map(|number| number / 2)
}

fn read_both(pair: u64) -> Operation {
    Operation::MultiGet { keys: keys(pair).into() }
}

struct MultiClient {
    choices: Seeded,
    turns: Turns,
}

impl Client for MultiClient {
    fn next(&mut self) -> Operation {
        let (pairs, _) = self.turns.next();
        if pairs.start > 0 && self.choices.chance(4) {
            return read_both(self.choices.below(pairs.start));
        }
        let pair = pairs.start + self.choices.below(PAIRS);
        match self.choices.below(100) {
            0..40 => {
                let value = self.choices.tag();
                Operation::MultiPut { values: keys(pair).map(|key| (key, value.clone())).into() }
            }
            40..50 => {
                let [first, second] = keys(pair);
                Operation::Get { key: if self.choices.chance(50) { first } else { second } }
            }
            _ => read_both(pair),
        }
    }
}

/// What the checks rest on, and what this workload's clients keep: every write gives both keys of one pair the same
/// value, which nobody else writes to it.
fn premise(records: &[Record]) -> Result<(), String> {
    let mut writers: FxHashMap<(u64, &str), &Record> = FxHashMap::default();
    for record in records {
        let place = place(record).ok_or_else(|| record.foreign("multi"))?;
        let Some(value) = written(record) else { continue };
        if let Some(first) = writers.insert((place, value), record) {
            let (first, second) = (first.who(), record.who());
            let value = words::value(Some(value));
            return Err(format!(
                "values must be unique, but {first} and {second} both write {value}."
            ));
        }
    }
    Ok(())
}

/// The pair that an operation is about, if it is one of this workload.
fn place(record: &Record) -> Option<u64> {
    match &record.operation {
        Operation::Get { key } => pair_of(key),
        Operation::MultiGet { keys: asked } => {
            let pair = pair_of(asked.first()?)?;
            let [first, second] = keys(pair);
            (*asked == [first, second]).then_some(pair)
        }
        Operation::MultiPut { values } => {
            let pair = pair_of(values.keys().next()?)?;
            let both = keys(pair);
            (values.len() == 2
                && both.iter().all(|key| values.contains_key(key))
                && written(record).is_some())
            .then_some(pair)
        }
        _ => None,
    }
}

/// The one value that an operation writes.
fn written(record: &Record) -> Option<&str> {
    let Operation::MultiPut { values } = &record.operation else { return None };
    let mut values = values.values();
    let first = values.next()?;
    values.all(|other| other == first).then_some(first.as_str())
}

/// The values of the halves that a read found.
fn halves(record: &Record) -> Option<[Option<&str>; 2]> {
    let Some(Outcome::Values { values }) = record.outcome() else { return None };
    let [first, second] = keys(place(record)?);
    Some([values.get(&first)?.as_deref(), values.get(&second)?.as_deref()])
}

fn check_halves(records: &[Record]) -> CheckResult {
    let writers: FxHashMap<(Option<u64>, &str), &Record> = records
        .iter()
        .filter_map(|record| Some(((place(record), written(record)?), record)))
        .collect();
    let mut reads = 0_u64;
    let mut findings = Findings::default();
    for record in records {
        let Some(halves) = halves(record) else { continue };
        reads += 1;
        let [first, second] = halves;
        if first == second {
            continue;
        }
        let writer = |half: &str| writers.get(&(place(record), half)).copied();
        let values = || halves.into_iter().flatten();
        if let Some(phantom) = values().find(|half| writer(half).is_none()) {
            findings.add("phantom value", [record.call], || {
                let phantom = words::value(Some(phantom));
                format!("{}; nobody ever wrote {phantom} to it", saw(record, halves))
            });
        } else {
            let writers: Vec<&Record> = values().filter_map(writer).collect();
            let proof = std::iter::once(&record).chain(&writers).map(|record| record.call);
            findings.add("torn read", proof, || {
                let by: Vec<String> = writers.iter().map(|writer| writer.who()).collect();
                let by = by.join(" and by ");
                format!("{}; both halves were written at once by {by}", saw(record, halves))
            });
        }
    }
    let checked = format!("{reads} reads of a pair must each see one value in both halves.");
    findings
        .into_result("pairs", &checked)
        .with_statistics(json!({ "reads": reads, "writes": writers.len() }))
}

fn saw(reader: &Record, halves: [Option<&str>; 2]) -> String {
    let [one, other] = halves.map(words::value);
    format!("{} saw {one} in one half of a pair and {other} in the other", reader.who())
}

/// Each pair as one register; torn reads are left to the other check.
fn check_order(records: &[Record], limits: &Limits) -> CheckResult {
    let mut groups: BTreeMap<u64, Vec<Call<KvInput, KvOutput>>> = BTreeMap::new();
    for record in records {
        let Some(pair) = place(record) else { continue };
        let input = written(record).map_or(KvInput::Get, |value| KvInput::Put(value.into()));
        let output = match record.outcome() {
            Some(Outcome::Values { .. }) => match halves(record) {
                Some([first, second]) if first == second => {
                    Some(KvOutput::Value(first.map(Into::into)))
                }
                _ => continue,
            },
            Some(Outcome::Value { value }) => Some(KvOutput::Value(value.as_ref().map(Into::into))),
            Some(_) => Some(KvOutput::Done),
            None => None,
        };
        groups.entry(pair).or_default().push(record.as_call(input, output));
    }
    let groups: Vec<_> =
        groups.into_iter().map(|(pair, calls)| (format!("pair {pair}"), calls)).collect();
    check_by_key(&Kv, groups, limits).into_result()
}
