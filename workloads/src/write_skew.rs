//! `write-skew`: transactions that insert one of two rows where both are absent; of each pair at most one may be there.
//!
//! Each transaction guards what the other writes, and writes something else: a store that validates only what is
//! written, or looks at its guards too early, lets both in. That is G2 of Adya, "Weak Consistency", MIT 1999, §4.2.

use contract::{MicroOperation, Operation, Outcome, manifest::Capability};
use history::{CheckResult, Completion, Findings, Limits};
use invariants::Invariant;
use isolation::Consistency;
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::{
    Client, Levels, Workload, WorkloadEntry,
    record::{self, End, Record},
    rotation::Rotation,
    seeded::Seeded,
    words,
};

/// How many pairs are read at the end, at each node.
const FINAL_PAIRS: u64 = 60;

/// Pairs of rows of which one may be inserted.
pub struct WriteSkew {
    rotation: Rotation,
}

impl Default for WriteSkew {
    fn default() -> Self {
        Self { rotation: Rotation::new(1, 1) }
    }
}

/// The row of the registry.
pub(crate) const ENTRY: WorkloadEntry = WorkloadEntry {
    name: "write-skew",
    about: "Clients insert one of two rows in transactions that are guarded by the absence of both; of each pair at most \
         one may ever be there.",
    needs: &[Capability::Txn],
    make: |_| Box::new(WriteSkew::default()),
};

impl Workload for WriteSkew {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn client(&self, seed: u64, client: u32) -> Box<dyn Client> {
        let (choices, rotation) = (Seeded::new(seed, client), self.rotation.clone());
        Box::new(WriteSkewClient { choices, side: client % 2 == 1, pair: 0, refused: 0, rotation })
    }

    fn final_reads(&self) -> Vec<Operation> {
        self.rotation.sampled(FINAL_PAIRS).into_iter().map(read_of).collect()
    }

    fn must_succeed(&self) -> &'static [&'static str] {
        &["txn"]
    }

    /// No check of it looks at the time.
    fn levels(&self) -> Levels {
        Levels::From(Consistency::Serializable)
    }

    fn check(
        &self,
        operations: &[history::Operation],
        _level: Consistency,
        _limits: &Limits,
    ) -> Vec<CheckResult> {
        let records = record::read(operations);
        let judged = records.and_then(|records| {
            let seen = seen(&records)?;
            Ok(vec![check_pairs(&records, &seen)?, check_values(&records, &seen)?])
        });
        judged
            .unwrap_or_else(|reason| vec![CheckResult::inconclusive(Invariant::G2.name(), reason)])
    }
}

/// Trailing digits place keys on shards: the rows of a pair live on different ones.
fn keys(pair: u64) -> [String; 2] {
    [2 * pair, 2 * pair + 1].map(|number| format!("row{number}"))
}

/// The pair of `row17`, and whether it is the second of it.
fn place(key: &str) -> Option<(u64, bool)> {
    let number: u64 = key.strip_prefix("row")?.parse().ok()?;
    Some((number / 2, number % 2 == 1))
}

fn read_of(pair: u64) -> Operation {
    Operation::Txn { guards: [].into(), ops: keys(pair).map(MicroOperation::Read).into() }
}

struct WriteSkewClient {
    choices: Seeded,
    /// Whether this client inserts the second row of a pair.
    side: bool,
    /// The next pair to try.
    pair: u64,
    /// How often in a row it came too late.
    refused: u64,
    rotation: Rotation,
}

impl Client for WriteSkewClient {
    fn next(&mut self) -> Operation {
        self.rotation.at(self.pair);
        if self.choices.chance(25) {
            return read_of(self.pair - self.choices.below(4).min(self.pair));
        }
        let [first, second] = keys(self.pair);
        let row = if self.side { second.clone() } else { first.clone() };
        let guards = [(first, None), (second, None)].into();
        Operation::Txn { guards, ops: vec![MicroOperation::Write(row, self.choices.tag())] }
    }

    /// Whoever comes too late skips more and more pairs, until it is abreast of the others again.
    fn completed(&mut self, operation: &Operation, outcome: Option<&Outcome>) {
        if operation.is_read_only() {
            return;
        }
        let late = matches!(outcome, Some(Outcome::Committed { committed: false, .. }));
        self.refused = if late { self.refused + 1 } else { 0 };
        self.pair += self.refused.max(1);
    }
}

/// The row and the value that a transaction inserts: it writes one row of a pair, guarded by the absence of both.
fn inserted(record: &Record) -> Option<(&str, &str)> {
    let Operation::Txn { guards, ops } = &record.operation else { return None };
    let [MicroOperation::Write(row, value)] = &ops[..] else { return None };
    let (pair, _) = place(row)?;
    let absent = |key: &String| guards.get(key).is_some_and(Option::is_none);
    (guards.len() == 2 && keys(pair).iter().all(absent)).then_some((row, value))
}

/// The first who saw each value, by row and value.
type Seen<'a> = FxHashMap<(&'a str, &'a str), &'a Record>;

fn seen(records: &[Record]) -> Result<Seen<'_>, String> {
    let mut seen = Seen::default();
    for record in records.iter().filter(|record| inserted(record).is_none()) {
        let Operation::Txn { ops, .. } = &record.operation else {
            return Err(record.foreign("write-skew"));
        };
        if !record.operation.is_read_only() {
            return Err(record.foreign("write-skew"));
        }
        let Some(Outcome::Committed { results: Some(results), .. }) = record.outcome() else {
            continue;
        };
        for (op, value) in ops.iter().zip(results) {
            if let (MicroOperation::Read(row), Some(value)) = (op, value) {
                seen.entry((row, value)).or_insert(record);
            }
        }
    }
    Ok(seen)
}

fn committed(record: &Record) -> bool {
    matches!(record.outcome(), Some(Outcome::Committed { committed: true, .. }))
}

/// At most one insert of each pair may have happened: it committed, or its row was seen.
fn check_pairs(records: &[Record], seen: &Seen<'_>) -> Result<CheckResult, String> {
    let insert = |record: &Record| {
        let row = inserted(record)?;
        let (pair, second) = place(row.0)?;
        let rows = if second { json!([null, row.1]) } else { json!([row.1, null]) };
        let happened = |_: &Outcome| committed(record).then_some(Value::Null);
        let mut operation = record.to_operation("insert", json!([pair, rows]), happened);
        if let (End::Info, Some(reader)) = (&record.end, seen.get(&row)) {
            operation.completion = Completion::Ok(reader.ret.unwrap_or(reader.call), Value::Null);
        }
        Some(operation)
    };
    let inserts: Vec<history::Operation> = records.iter().filter_map(insert).collect();
    Ok(Invariant::G2.check(&inserts))
}

/// What was seen must have been inserted, by a transaction that was not refused.
fn check_values(records: &[Record], seen: &Seen<'_>) -> Result<CheckResult, String> {
    let mut writers: Seen<'_> = Seen::default();
    for record in records {
        let Some(row) = inserted(record) else { continue };
        if let Some(first) = writers.insert(row, record) {
            let (first, second) = (first.who(), record.who());
            return Err(format!(
                "values must be unique, but {first} and {second} both write {}.",
                words::value(Some(row.1))
            ));
        }
    }
    let never = |writer: &Record| writer.end != End::Info && !committed(writer);
    let mut impossible: Vec<_> = seen
        .iter()
        .map(|(&row, &reader)| (row, reader, writers.get(&row).copied()))
        .filter(|(.., writer)| writer.is_none_or(never))
        .collect();
    impossible.sort_by_key(|(row, reader, _)| (reader.call, *row));
    let mut findings = Findings::default();
    for ((row, value), reader, writer) in impossible {
        let kind = if writer.is_some() { "aborted read" } else { "phantom value" };
        let proof = std::iter::once(reader).chain(writer).map(|record| record.call);
        findings.add(kind, proof, || {
            let saw = format!("{} saw {row} = {}", reader.who(), words::value(Some(value)));
            match writer {
                None => format!("{saw}, which nobody inserted"),
                Some(writer) => format!("{saw} of {}, which was refused or failed", writer.who()),
            }
        });
    }
    let checked = format!("{} rows that were seen were traced to their transactions.", seen.len());
    Ok(findings.into_result("write-skew-values", &checked))
}
