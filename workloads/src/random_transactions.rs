//! `list-append` and `rw-register`: transactions of a few random steps on a few keys, searched for every anomaly.
//!
//! Every element that is appended and every value that is written is unique, so a read tells which transactions came
//! before it. Keys rotate: a list stays short however long the run.

use std::ops::Range;

use contract::{MicroOperation, Operation, Outcome, manifest::Capability};
use history::{CheckResult, Findings, Limits};
use isolation::{Consistency, Datatype};

use crate::{
    Client, Levels, Workload, WorkloadEntry, anomalies,
    record::{self, Record},
    rotation::{Rotation, Turns},
    seeded::Seeded,
};

/// Keys that a client uses at a time: few enough that transactions meet.
const KEYS: u64 = 5;
/// How many operations a client spends on them. Ten clients thus leave lists of about 50 elements.
const OPERATIONS: u64 = 25;
/// Steps of a transaction, at most.
const STEPS: u64 = 4;
/// How many keys are read at the end, at each node.
const FINAL_KEYS: usize = 60;

/// Random transactions over lists or registers.
pub struct RandomTransactions {
    datatype: Datatype,
    multiget: bool,
    rotation: Rotation,
}

impl RandomTransactions {
    /// Appends and reads of lists, for a store with these capabilities: without `multi` it reads by `txn` only.
    #[must_use]
    pub fn list_append(manifest_caps: &[Capability]) -> Self {
        Self::new(Datatype::ListAppend, manifest_caps)
    }

    /// Writes and reads of registers, for a store with these capabilities: without `multi` it reads by `txn` only.
    #[must_use]
    pub fn rw_register(manifest_caps: &[Capability]) -> Self {
        Self::new(Datatype::Register, manifest_caps)
    }

    fn new(datatype: Datatype, manifest_caps: &[Capability]) -> Self {
        let multiget = manifest_caps.contains(&Capability::Multi);
        Self { datatype, multiget, rotation: Rotation::new(KEYS, OPERATIONS) }
    }
}

/// The row of the registry.
pub(crate) const LIST_APPEND: WorkloadEntry = WorkloadEntry {
    name: "list-append",
    about: "Clients append unique elements to several lists and read lists in transactions of a few steps; one \
                 order of the transactions that respects real time must explain every list.",
    needs: &[Capability::Txn],
    make: |caps| Box::new(RandomTransactions::list_append(caps)),
};

/// The row of the registry.
pub(crate) const RW_REGISTER: WorkloadEntry = WorkloadEntry {
    name: "rw-register",
    about: "Clients write unique values to several keys and read keys in transactions of a few steps; one order \
                 of the transactions that respects real time must explain every value.",
    needs: &[Capability::Txn],
    make: |caps| Box::new(RandomTransactions::rw_register(caps)),
};

impl Workload for RandomTransactions {
    fn name(&self) -> &'static str {
        match self.datatype {
            Datatype::ListAppend => LIST_APPEND.name,
            Datatype::Register => RW_REGISTER.name,
        }
    }

    fn client(&self, seed: u64, client: u32) -> Box<dyn Client> {
        Box::new(RandomTransactionsClient {
            choices: Seeded::new(seed, client),
            datatype: self.datatype,
            multiget: self.multiget,
            turns: self.rotation.turns(),
            seen: None,
        })
    }

    fn final_reads(&self) -> Vec<Operation> {
        let keys: Vec<String> =
            self.rotation.sampled(FINAL_KEYS as u64).into_iter().map(key).collect();
        let together = keys.chunks(FINAL_KEYS / 6);
        together.map(|keys| read_of(keys.to_vec(), self.multiget)).collect()
    }

    fn must_succeed(&self) -> &'static [&'static str] {
        &["txn"]
    }

    fn levels(&self) -> Levels {
        Levels::From(Consistency::ReadUncommitted)
    }

    fn check(
        &self,
        operations: &[history::Operation],
        level: Consistency,
        limits: &Limits,
    ) -> Vec<CheckResult> {
        let records = match record::read(operations) {
            Ok(records) => records,
            Err(reason) => return vec![CheckResult::inconclusive(isolation::CHECKER, reason)],
        };
        let mut results = vec![
            anomalies::judge(&records, self.datatype, level, limits),
            check_refusals(&records),
        ];
        results.extend(check_activity(&records));
        results
    }
}

/// Trailing digits place keys on shards: neighbouring keys live on different ones.
fn key(number: u64) -> String {
    format!("k{number}")
}

fn read_of(keys: Vec<String>, multiget: bool) -> Operation {
    if multiget {
        return Operation::MultiGet { keys };
    }
    let ops = keys.into_iter().map(MicroOperation::Read).collect();
    Operation::Txn { guards: [].into(), ops }
}

struct RandomTransactionsClient {
    choices: Seeded,
    datatype: Datatype,
    multiget: bool,
    turns: Turns,
    /// A key with what it held when this client last looked.
    seen: Option<(String, Option<String>)>,
}

impl Client for RandomTransactionsClient {
    fn next(&mut self) -> Operation {
        let (keys, _) = self.turns.next();
        if keys.start > 0 && self.choices.chance(3) {
            // A write may be lost, or come back, long after it was made.
            let older = self.choices.below(keys.start / KEYS) * KEYS;
            return self.read(older..older + KEYS);
        }
        if self.choices.chance(35) { self.read(keys) } else { self.transact(keys) }
    }

    fn completed(&mut self, operation: &Operation, outcome: Option<&Outcome>) {
        let last = match (operation, outcome) {
            (_, Some(Outcome::Values { values })) => values.iter().next_back(),
            (
                Operation::Txn { ops, .. },
                Some(Outcome::Committed { results: Some(results), .. }),
            ) => ops.last().map(key_of).zip(results.last()),
            _ => None,
        };
        if let Some((key, value)) = last {
            self.seen = Some((key.clone(), value.clone()));
        }
    }
}

fn key_of(op: &MicroOperation) -> &String {
    let (MicroOperation::Read(key)
    | MicroOperation::Write(key, _)
    | MicroOperation::Append(key, _)) = op;
    key
}

impl RandomTransactionsClient {
    /// Reads some of these keys at once.
    fn read(&mut self, keys: Range<u64>) -> Operation {
        let (first, count) = (self.choices.below(KEYS), 1 + self.choices.below(KEYS));
        let keys = (first..first + count).map(|at| key(keys.start + at % KEYS)).collect();
        // The other way to read is tried now and then.
        let multiget = self.multiget && self.choices.chance(80);
        read_of(keys, multiget)
    }

    /// Reads and writes in random order. A few are guarded, so that some are refused, which must leave no trace.
    fn transact(&mut self, keys: Range<u64>) -> Operation {
        let guard = self.seen.clone().filter(|_| self.choices.chance(10));
        let steps = 1 + self.choices.below(STEPS);
        let ops = (0..steps).map(|_| {
            let key = key(keys.start + self.choices.below(KEYS));
            if self.choices.chance(50) {
                return MicroOperation::Read(key);
            }
            let tag = self.choices.tag();
            match self.datatype {
                Datatype::ListAppend => MicroOperation::Append(key, anomalies::element(&tag)),
                Datatype::Register => MicroOperation::Write(key, tag),
            }
        });
        Operation::Txn { ops: ops.collect(), guards: guard.into_iter().collect() }
    }
}

/// Without a guard there is nothing to refuse.
fn check_refusals(records: &[Record]) -> CheckResult {
    let refused = |record: &&Record| {
        matches!(record.outcome(), Some(Outcome::Committed { committed: false, .. }))
    };
    let unguarded = |record: &&Record| matches!(&record.operation, Operation::Txn { guards, .. } if guards.is_empty());
    let checked = format!(
        "{} transactions were refused because of a guard.",
        records.iter().filter(refused).count()
    );
    let mut findings = Findings::default();
    for record in records.iter().filter(refused).filter(unguarded) {
        findings.add("false refusal", [record.call], || {
            format!("{} was refused because of a guard, yet it had none", record.who())
        });
    }
    findings.into_result("txn-guards", &checked)
}

/// Nothing was tested where nothing was written, or nobody looked at it.
fn check_activity(records: &[Record]) -> Option<CheckResult> {
    let wrote = |record: &Record| {
        !record.operation.is_read_only()
            && matches!(record.outcome(), Some(Outcome::Committed { committed: true, .. }))
    };
    let saw = |record: &Record| {
        record.operation.is_read_only()
            && match record.outcome() {
                Some(Outcome::Values { values }) => values.values().any(Option::is_some),
                Some(Outcome::Committed { results: Some(results), .. }) => {
                    results.iter().any(Option::is_some)
                }
                _ => false,
            }
    };
    let reason = if !records.iter().any(wrote) {
        "No transaction that writes committed, so nothing was tested."
    } else if !records.iter().any(saw) {
        "No read saw anything that was written, so nothing was tested."
    } else {
        return None;
    };
    Some(CheckResult::inconclusive("txn-activity", reason))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const ALL: [Capability; 2] = [Capability::Multi, Capability::Txn];

    #[test]
    fn a_key_sees_few_operations_of_one_client_and_final_reads_cover_old_and_new_keys() {
        let workload = RandomTransactions::list_append(&ALL);
        assert!(workload.final_reads().is_empty());
        let mut client = workload.client(1, 0);
        let mut appends: BTreeMap<String, u64> = BTreeMap::new();
        for _ in 0..2500 {
            let Operation::Txn { ops, .. } = client.next() else { continue };
            for op in ops {
                let MicroOperation::Append(key, element) = op else { continue };
                assert!(element.ends_with(';'));
                *appends.entry(key).or_default() += 1;
            }
        }
        assert!(appends.len() > 450 && appends.values().all(|count| *count < 20), "{appends:?}");
        let reads = workload.final_reads();
        let read = |wanted: &str| {
            reads.iter().any(|read| {
                matches!(read, Operation::MultiGet { keys } if keys.iter().any(|key| key == wanted))
            })
        };
        assert!(reads.len() == 6 && read("k0") && read("k499"), "{reads:?}");
    }

    #[test]
    fn only_operations_the_store_can_serve_are_asked_and_each_datatype_has_its_own() {
        for (workload, is_list) in [
            (RandomTransactions::list_append(&[Capability::Txn]), true),
            (RandomTransactions::rw_register(&[Capability::Txn]), false),
        ] {
            let mut client = workload.client(5, 1);
            let (mut reads, mut writes) = (0, 0);
            for _ in 0..500 {
                let Operation::Txn { ops, .. } = client.next() else {
                    panic!("a store without `multi` serves nothing else")
                };
                for op in ops {
                    match op {
                        MicroOperation::Read(_) => reads += 1,
                        MicroOperation::Append(..) => writes += u32::from(is_list),
                        MicroOperation::Write(..) => writes += u32::from(!is_list),
                    }
                }
            }
            assert!(reads > 500 && writes > 200, "{reads} reads, {writes} writes");
        }
    }

    #[test]
    fn some_transactions_are_guarded_by_what_the_client_last_saw() {
        let mut client = RandomTransactions::rw_register(&ALL).client(1, 0);
        let read = Operation::MultiGet { keys: vec!["k0".to_owned()] };
        let values = BTreeMap::from([("k0".to_owned(), Some("c3.1".to_owned()))]);
        client.completed(&read, Some(&Outcome::Values { values: values.clone() }));
        let guarded = (0..200).filter(|_| match client.next() {
            Operation::Txn { guards, .. } => !guards.is_empty() && guards == values,
            _ => false,
        });
        assert!(guarded.count() > 5);
    }
}
