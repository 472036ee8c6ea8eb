//! `register`, `append` and `puthash`: operations on single keys; every key must be linearizable.
//!
//! Every value is a run of unique tokens (`c3.17;`), so a value tells who made it; only a hash hides that. Clients move
//! on to fresh keys by their own count of operations: a key sees a bounded number of operations and stays checkable
//! however long the run.

mod client;

use std::collections::{BTreeMap, BTreeSet};

use contract::{Operation, Outcome, manifest::Capability};
use history::{CheckResult, Findings, Limits};
use isolation::Consistency;
use linearizability::{
    Anomaly, Call, check_by_key,
    models::kv::{Kv, KvInput, KvOutput},
};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::json;

use crate::{
    Client, Workload, WorkloadEntry,
    record::{self, End, Record},
    rotation::Rotation,
    seeded::Seeded,
    words,
};
use client::{Mix, RegisterClient};

/// Keys that a client uses at a time, and how many operations it spends on them: 20 a key. Twenty clients thus leave
/// about 400 on each.
const KEYS: u64 = 5;
const OPERATIONS: u64 = 100;
/// For a store that gets each write once: 4 a key.
const OPERATIONS_IF_DOUBTFUL: u64 = 20;
/// How many keys are read at the end, at each node.
const FINAL_KEYS: u64 = 30;

/// Operations on single keys.
pub struct Register {
    name: &'static str,
    mix: &'static Mix,
    caps: Vec<Capability>,
    rotation: Rotation,
}

impl Register {
    fn new(name: &'static str, mix: &'static Mix, manifest_caps: &[Capability]) -> Self {
        Self {
            name,
            mix,
            caps: manifest_caps.to_vec(),
            rotation: Rotation::for_store(KEYS, OPERATIONS, OPERATIONS_IF_DOUBTFUL, manifest_caps),
        }
    }
}

/// The rows of the registry.
pub(crate) const REGISTER: WorkloadEntry = WorkloadEntry {
    name: "register",
    about: "Clients read, write, append to, compare-and-set and hash single keys; each key must behave as if one copy of \
         it took one operation at a time.",
    needs: &[],
    make: |caps| Box::new(Register::new("register", &client::REGISTER, caps)),
};

/// Every answer shows all appends so far.
pub(crate) const APPEND: WorkloadEntry = WorkloadEntry {
    name: "append",
    about: "Clients append to single keys and read them; each append must be there once, whole, and in its order.",
    needs: &[Capability::Append],
    make: |caps| Box::new(Register::new("append", &client::APPEND, caps)),
};

/// Every value depends on all those before it.
pub(crate) const PUTHASH: WorkloadEntry = WorkloadEntry {
    name: "puthash",
    about: "Clients replace a key's value by a hash of it and of something new; the answers must form one chain of \
         hashes for each key.",
    needs: &[Capability::PutHash],
    make: |caps| Box::new(Register::new("puthash", &client::PUTHASH, caps)),
};

impl Workload for Register {
    fn name(&self) -> &'static str {
        self.name
    }

    fn client(&self, seed: u64, client: u32) -> Box<dyn Client> {
        let (choices, turns) = (Seeded::new(seed, client), self.rotation.turns());
        Box::new(RegisterClient::new(choices, self.mix, self.caps.clone(), turns))
    }

    fn final_reads(&self) -> Vec<Operation> {
        let keys = self.rotation.sampled(FINAL_KEYS);
        keys.into_iter().map(|number| Operation::Get { key: key(number) }).collect()
    }

    fn must_succeed(&self) -> &'static [&'static str] {
        self.mix.must_succeed
    }

    fn check(
        &self,
        operations: &[history::Operation],
        _level: Consistency,
        limits: &Limits,
    ) -> Vec<CheckResult> {
        match record::read(operations) {
            Ok(records) if self.mix.shows_tokens && has_unique_tokens(&records) => {
                vec![check_values(&records), check_order(&records, limits)]
            }
            // A record of other clients, or of hashes: only the search makes no assumption about values.
            Ok(records) => vec![check_order(&records, limits)],
            Err(reason) => vec![CheckResult::inconclusive(linearizability::CHECKER, reason)],
        }
    }
}

/// Trailing digits place keys on shards.
fn key(number: u64) -> String {
    format!("k{number}")
}

/// Whether every value that was written is one token, and no two are the same.
fn has_unique_tokens(records: &[Record]) -> bool {
    let mut seen = FxHashSet::default();
    records.iter().all(|record| match &record.operation {
        Operation::Get { .. } => true,
        Operation::Put { value, .. }
        | Operation::Append { value, .. }
        | Operation::PutHash { value, .. }
        | Operation::Cas { value, .. } => {
            value.split_inclusive(';').count() == 1 && value.ends_with(';') && seen.insert(value)
        }
        _ => false,
    })
}

/// Who made a token, and whether it can ever be seen.
struct Origin<'a> {
    record: &'a Record,
    key: &'a str,
    /// Why nobody may see it.
    never: Option<&'static str>,
}

/// Traces every token of every value that was read to its writer.
fn check_values(records: &[Record]) -> CheckResult {
    let origins: FxHashMap<&str, Origin<'_>> = records.iter().filter_map(origin).collect();
    let hashed: FxHashSet<&str> = records.iter().filter_map(hashed_key).collect();
    let mut findings = Findings::default();
    let mut values = 0_u64;
    for record in records {
        let Some((key, value)) = seen(record) else { continue };
        values += 1;
        // A hash hides what it was made from, so that it is left to the search; appends may follow it.
        let value = if hashed.contains(key) { without_hash(value) } else { value };
        trace(record, key, value, &origins, &mut findings);
    }
    let checked = format!("{values} values that were read were traced to their writers.");
    findings
        .into_result("register-values", &checked)
        .with_statistics(json!({ "values": values, "writes": origins.len() }))
}

fn origin(record: &Record) -> Option<(&str, Origin<'_>)> {
    let (Operation::Put { key, value: token }
    | Operation::Append { key, value: token }
    | Operation::PutHash { key, value: token }
    | Operation::Cas { key, value: token, .. }) = &record.operation
    else {
        return None;
    };
    let never = match &record.end {
        _ if hashed_key(record).is_some() => Some("stores only a hash of it"),
        End::Fail => Some("failed and can never have happened"),
        End::Ok(Outcome::Swapped { swapped: false, .. }) => Some("did not find what it expected"),
        End::Ok(_) | End::Info => None,
    };
    Some((token, Origin { record, key, never }))
}

/// The key of an operation that stores a hash.
fn hashed_key(record: &Record) -> Option<&str> {
    match &record.operation {
        Operation::PutHash { key, .. } => Some(key),
        _ => None,
    }
}

/// What follows the decimal hash at the start of a value. No token begins with a digit.
fn without_hash(value: &str) -> &str {
    value.trim_start_matches(|character: char| character.is_ascii_digit())
}

/// The key and the value that a successful operation has seen.
fn seen(record: &Record) -> Option<(&str, &str)> {
    match (&record.operation, record.outcome()?) {
        (
            Operation::Get { key } | Operation::Append { key, .. },
            Outcome::Value { value: Some(value) },
        )
        | (Operation::Cas { key, .. }, Outcome::Swapped { value: Some(Some(value)), .. }) => {
            Some((key, value))
        }
        // Of a key that is missing it says the same as of an empty value.
        (Operation::PutHash { key, .. }, Outcome::Previous { previous }) => Some((key, previous)),
        _ => None,
    }
}

/// Reports what is wrong with the tokens of a value. Each is unique and written at most once, so none can be there twice.
fn trace(
    reader: &Record,
    key: &str,
    value: &str,
    origins: &FxHashMap<&str, Origin<'_>>,
    findings: &mut Findings,
) {
    let saw = || format!("{} saw {key} = {}", reader.who(), words::value(Some(value)));
    let mut tokens = BTreeSet::new();
    for token in value.split_inclusive(';') {
        let shown = || words::value(Some(token));
        let Some(Origin { record: writer, key: home, never }) = origins.get(token) else {
            return findings.add(Anomaly::PhantomValue.name(), [reader.call], || {
                format!("{}, but nobody ever wrote {}", saw(), shown())
            });
        };
        let proof = [reader.call, writer.call];
        if let Some(why) = never {
            return findings.add(Anomaly::AbortedRead.name(), proof, || {
                format!("{}, which holds {} of {}, which {why}", saw(), shown(), writer.who())
            });
        }
        if *home != key {
            return findings.add("value of another key", proof, || {
                format!("{}, but {} wrote {} to {home}", saw(), writer.who(), shown())
            });
        }
        if !tokens.insert(token) {
            return findings.add("applied twice", proof, || {
                format!("{}, which holds {} of {} twice", saw(), shown(), writer.who())
            });
        }
    }
}

/// Whether each key is linearizable; operations on several keys are left out.
pub(crate) fn check_order(records: &[Record], limits: &Limits) -> CheckResult {
    let mut groups: BTreeMap<&str, Vec<Call<KvInput, KvOutput>>> = BTreeMap::new();
    for record in records {
        let Some((key, input, output)) = as_kv(record) else { continue };
        groups.entry(key).or_default().push(record.as_call(input, output));
    }
    let groups: Vec<_> =
        groups.into_iter().map(|(key, calls)| (format!("Key {key}"), calls)).collect();
    check_by_key(&Kv, groups, limits).into_result()
}

fn as_kv(record: &Record) -> Option<(&str, KvInput, Option<KvOutput>)> {
    let (key, input) = match &record.operation {
        Operation::Get { key } => (key, KvInput::Get),
        Operation::Put { key, value } => (key, KvInput::Put(value.into())),
        Operation::Append { key, value } => (key, KvInput::Append(value.into())),
        Operation::PutHash { key, value } => (key, KvInput::PutHash(value.into())),
        Operation::Cas { key, expect, value } => {
            (key, KvInput::Cas { expect: expect.as_ref().map(Into::into), value: value.into() })
        }
        _ => return None,
    };
    let output = record.outcome().and_then(|outcome| match outcome {
        Outcome::Value { value } => Some(KvOutput::Value(value.as_ref().map(Into::into))),
        Outcome::Previous { previous } => Some(KvOutput::Previous(previous.into())),
        Outcome::Swapped { swapped, value } => Some(KvOutput::Cas {
            swapped: *swapped,
            current: value.as_ref().map(|value| value.as_ref().map(Into::into)),
        }),
        Outcome::Done {} => Some(KvOutput::Done),
        Outcome::Values { .. } | Outcome::Committed { .. } | Outcome::Configuration(_) => None,
    });
    Some((key, input, output))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_sees_few_operations_of_one_client_and_final_reads_cover_old_and_new_keys() {
        let workload =
            (REGISTER.make)(&[Capability::Append, Capability::Cas, Capability::ExactlyOnce]);
        assert!(workload.final_reads().is_empty());
        let mut client = workload.client(1, 0);
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for _ in 0..10_000 {
            let operation = client.next();
            let (Operation::Get { key }
            | Operation::Put { key, .. }
            | Operation::Append { key, .. }
            | Operation::Cas { key, .. }) = &operation
            else {
                panic!("{operation:?} is none of this workload");
            };
            *counts.entry(key.clone()).or_default() += 1;
            client.completed(&operation, None);
        }
        assert!(counts.len() > 400 && counts.values().all(|count| *count < 60), "{counts:?}");
        let reads = workload.final_reads();
        assert!(reads.len() as u64 <= FINAL_KEYS && reads.len() > 20);
        assert!(reads.contains(&Operation::Get { key: key(0) }));
        assert!(reads.contains(&Operation::Get { key: key(499) }));
    }

    #[test]
    fn a_record_of_hashes_claims_no_traced_values() {
        let caps = [Capability::Append, Capability::PutHash];
        let checkers = |entry: WorkloadEntry| -> Vec<String> {
            let results =
                (entry.make)(&caps).check(&[], Consistency::Linearizable, &Limits::default());
            results.into_iter().map(|result| result.checker).collect()
        };
        assert_eq!(checkers(PUTHASH), [linearizability::CHECKER]);
        assert_eq!(checkers(APPEND), ["register-values", linearizability::CHECKER]);
    }
}
