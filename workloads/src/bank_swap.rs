//! `bank:swap`: the bank for stores that know `multiget`, `multiput` and `swap` but no transactions.
//!
//! Accounts come in branches of four. A `multiput` gives a whole branch fresh values, swaps exchange two of them, so a
//! branch must always hold a permutation of what ONE multiput wrote. Clients move on to fresh branches by their own
//! count of operations, so that each branch is a small object whose linearizability can be decided exactly.

use std::collections::BTreeMap;

use contract::{Operation, Outcome, manifest::Capability};
use history::{CheckResult, Findings};
use isolation::Consistency;
use linearizability::{
    Anomaly, Call, Limits, check_by_key,
    models::multi_register::{MultiInput, MultiOutput, MultiRegister},
};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::json;

use crate::{
    Client, Workload, WorkloadEntry,
    record::{self, End, Record},
    rotation::{Rotation, Turns},
    seeded::Seeded,
    words,
};

/// Accounts of a branch.
const ACCOUNTS: u64 = 4;
/// Branches a client uses at a time, and how many operations it spends on them: about 10 a branch. Twenty clients
/// thus leave about 200 on each, of which some seven are in flight at once.
const BRANCHES: u64 = 3;
const OPERATIONS: u64 = 30;
/// For a store that gets each write once: about 4 a branch.
const OPERATIONS_IF_DOUBTFUL: u64 = 12;
/// How many branches are read at the end, at each node.
const FINAL_BRANCHES: u64 = 20;

/// Swaps within small groups of accounts.
pub struct BankSwap {
    rotation: Rotation,
}

impl BankSwap {
    /// The workload for a store with these capabilities.
    #[must_use]
    pub fn new(manifest_caps: &[Capability]) -> Self {
        Self {
            rotation: Rotation::for_store(
                BRANCHES,
                OPERATIONS,
                OPERATIONS_IF_DOUBTFUL,
                manifest_caps,
            ),
        }
    }
}

/// The row of the registry.
pub(crate) const ENTRY: WorkloadEntry = WorkloadEntry {
    name: "bank:swap",
    about: "Clients fill small branches of accounts in one step, swap accounts and read whole branches; a branch must \
         always hold what one filling put there, in an order that its swaps explain.",
    needs: &[Capability::Multi],
    make: |caps| Box::new(BankSwap::new(caps)),
};

impl Workload for BankSwap {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn client(&self, seed: u64, client: u32) -> Box<dyn Client> {
        Box::new(BankSwapClient {
            choices: Seeded::new(seed, client),
            turns: self.rotation.turns(),
        })
    }

    fn final_reads(&self) -> Vec<Operation> {
        self.rotation.sampled(FINAL_BRANCHES).into_iter().map(read_all).collect()
    }

    fn must_succeed(&self) -> &'static [&'static str] {
        &["multiget", "multiput", "swap"]
    }

    fn check(
        &self,
        operations: &[history::Operation],
        _level: Consistency,
        limits: &Limits,
    ) -> Vec<CheckResult> {
        let records = record::read(operations);
        match records.and_then(|records| premise(&records).map(|()| records)) {
            Ok(records) => vec![check_permutations(&records), check_order(&records, limits)],
            Err(reason) => vec![CheckResult::inconclusive("bank-permutation", reason)],
        }
    }
}

/// Trailing digits place keys on shards: the accounts of a branch live on different ones.
fn account(branch: u64, number: u64) -> String {
    format!("account{}", branch * ACCOUNTS + number)
}

/// The branch of `account17`.
fn branch_of(key: &str) -> Option<u64> {
    key.strip_prefix("account")?.parse::<u64>().ok().map(|number| number / ACCOUNTS)
}

fn read_all(branch: u64) -> Operation {
    Operation::MultiGet { keys: (0..ACCOUNTS).map(|number| account(branch, number)).collect() }
}

struct BankSwapClient {
    choices: Seeded,
    turns: Turns,
}

impl Client for BankSwapClient {
    fn next(&mut self) -> Operation {
        let (branches, spent) = self.turns.next();
        if spent < BRANCHES {
            // Whoever arrives fills the branch, so that nobody depends on another.
            return self.fill(branches.start + spent);
        }
        if branches.start > 0 && self.choices.chance(3) {
            return read_all(self.choices.below(branches.start));
        }
        let branch = branches.start + self.choices.below(BRANCHES);
        match self.choices.below(100) {
            0..45 => self.swap(branch),
            45..50 => {
                let number = self.choices.below(ACCOUNTS);
                Operation::Get { key: account(branch, number) }
            }
            50..60 => self.fill(branch),
            _ => read_all(branch),
        }
    }
}

impl BankSwapClient {
    fn fill(&mut self, branch: u64) -> Operation {
        let tag = self.choices.tag();
        let value = |number| (account(branch, number), format!("{tag}.{number}"));
        Operation::MultiPut { values: (0..ACCOUNTS).map(value).collect() }
    }

    fn swap(&mut self, branch: u64) -> Operation {
        let (a, b) = self.choices.pair_below(ACCOUNTS);
        Operation::Swap { a: account(branch, a), b: account(branch, b) }
    }
}

/// What the checks rest on, and what this workload's clients keep: every filling gives all accounts of one branch values
/// that nobody else uses, and nothing else writes.
fn premise(records: &[Record]) -> Result<(), String> {
    let mut used = FxHashSet::default();
    for record in records {
        let fits = match &record.operation {
            Operation::MultiPut { values } => {
                u64::try_from(values.len()) == Ok(ACCOUNTS)
                    && in_one_branch(values.keys())
                    && values.values().all(|value| used.insert(value))
            }
            Operation::MultiGet { keys } => in_one_branch(keys),
            Operation::Swap { a, b } => in_one_branch([a, b]),
            Operation::Get { key } => in_one_branch([key]),
            _ => false,
        };
        if !fits {
            let who = record.who();
            return Err(format!(
                "{who} is no operation of `bank:swap`, so its checks do not apply"
            ));
        }
    }
    Ok(())
}

fn in_one_branch<'a>(keys: impl IntoIterator<Item = &'a String>) -> bool {
    let mut branches = keys.into_iter().map(|key| branch_of(key));
    branches.next().is_some_and(|first| first.is_some() && branches.all(|other| other == first))
}

/// Who wrote each value, and to which branch.
type Fillings<'a> = FxHashMap<&'a str, (&'a Record, u64)>;

fn fillings(records: &[Record]) -> Fillings<'_> {
    let mut fillings = FxHashMap::default();
    for record in records {
        let Operation::MultiPut { values } = &record.operation else { continue };
        for (key, value) in values {
            let Some(branch) = branch_of(key) else { continue };
            fillings.insert(value.as_str(), (record, branch));
        }
    }
    fillings
}

/// The key-value pairs a successful read has seen.
fn seen(record: &Record) -> Vec<(&str, Option<&str>)> {
    match (&record.operation, record.outcome()) {
        (Operation::MultiGet { .. }, Some(Outcome::Values { values })) => {
            values.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect()
        }
        (Operation::Get { key }, Some(Outcome::Value { value })) => vec![(key, value.as_deref())],
        _ => Vec::new(),
    }
}

fn check_permutations(records: &[Record]) -> CheckResult {
    let fillings = fillings(records);
    let mut reads = 0_u64;
    let mut findings = Findings::default();
    for record in records {
        let pairs = seen(record);
        reads += u64::from(!pairs.is_empty());
        if !is_impossible(record, &pairs, &fillings, &mut findings) {
            report_torn(records, record, &pairs, &fillings, &mut findings);
        }
    }
    let checked = format!("{reads} reads must each see one filling, its values exchanged at most.");
    findings
        .into_result("bank-permutation", &checked)
        .with_statistics(json!({ "reads": reads, "values": fillings.len() }))
}

/// Reports a value that cannot be where it was seen; whether there is one.
fn is_impossible(
    reader: &Record,
    pairs: &[(&str, Option<&str>)],
    fillings: &Fillings<'_>,
    findings: &mut Findings,
) -> bool {
    for (key, value) in pairs {
        let Some(value) = value else { continue };
        let saw = || format!("{} saw {key} = {}", reader.who(), words::value(Some(value)));
        match fillings.get(value) {
            None => findings.add(Anomaly::PhantomValue.name(), [reader.call], || {
                format!("{}, which nobody ever wrote", saw())
            }),
            Some((writer, _)) if writer.end == End::Fail => {
                findings.add(Anomaly::AbortedRead.name(), [reader.call, writer.call], || {
                    let writer = writer.who();
                    format!(
                        "{}, the value of {writer}, which failed and can never have happened",
                        saw()
                    )
                });
            }
            Some((writer, branch)) if branch_of(key) != Some(*branch) => {
                findings.add("value of another branch", [reader.call, writer.call], || {
                    format!("{}, which {} wrote to another branch", saw(), writer.who())
                });
            }
            Some(_) => continue,
        }
        return true;
    }
    false
}

/// Reports a read of a whole branch that is no permutation of one filling.
fn report_torn(
    records: &[Record],
    reader: &Record,
    pairs: &[(&str, Option<&str>)],
    fillings: &Fillings<'_>,
    findings: &mut Findings,
) {
    if u64::try_from(pairs.len()) != Ok(ACCOUNTS) {
        return;
    }
    let values: Vec<&str> = pairs.iter().filter_map(|(_, value)| *value).collect();
    let writers: BTreeMap<u64, &Record> = values
        .iter()
        .filter_map(|value| fillings.get(value))
        .map(|(writer, _)| (writer.call, *writer))
        .collect();
    let mut once = FxHashSet::default();
    let twice = values.iter().find(|value| !once.insert(**value));
    let kind = match twice {
        _ if writers.len() > 1 => Anomaly::TornRead.name(),
        Some(_) => "duplicated value",
        None if !values.is_empty() && values.len() < pairs.len() => Anomaly::LostValue.name(),
        None => return,
    };
    let swaps = std::iter::once_with(|| swaps_before(records, reader, pairs)).flatten();
    let proof = std::iter::once(reader.call).chain(writers.keys().copied()).chain(swaps);
    findings.add(kind, proof, || {
        let saw = format!("{} saw a branch with", reader.who());
        let names: Vec<String> = writers.values().map(|writer| writer.who()).collect();
        match twice {
            _ if names.len() > 1 => format!("{saw} values of {}", names.join(" and of ")),
            Some(value) => {
                let (value, names) = (words::value(Some(value)), names.concat());
                format!("{saw} {value} of {names} in it twice")
            }
            None => {
                let missing = pairs.len() - values.len();
                format!("{saw} {missing} of the values of {} missing", names.concat())
            }
        }
    });
}

/// The latest swaps of a branch that had begun when it was read: one of them may have mixed it up.
fn swaps_before(records: &[Record], reader: &Record, pairs: &[(&str, Option<&str>)]) -> Vec<u64> {
    const SUSPECTS: usize = 6;
    let touches = |key: &str| pairs.iter().any(|(read, _)| *read == key);
    let begun = |record: &&Record| reader.ret.is_some_and(|ended| record.call < ended);
    let swap = |record: &&Record| matches!(&record.operation, Operation::Swap { a, b } if touches(a) || touches(b));
    let mut swaps: Vec<u64> =
        records.iter().filter(begun).filter(swap).map(|record| record.call).collect();
    swaps.drain(..swaps.len().saturating_sub(SUSPECTS));
    swaps
}

fn check_order(records: &[Record], limits: &Limits) -> CheckResult {
    let observed: FxHashSet<&str> =
        records.iter().flat_map(seen).filter_map(|(_, value)| value).collect();
    let mut branches: BTreeMap<u64, Vec<Call<MultiInput, MultiOutput>>> = BTreeMap::new();
    for record in records {
        let Some((branch, input, output)) = as_multi(record) else { continue };
        if counts(record, &observed) {
            branches.entry(branch).or_default().push(record.as_call(input, output));
        }
    }
    let groups: Vec<_> =
        branches.into_iter().map(|(branch, calls)| (format!("Branch {branch}"), calls)).collect();
    check_by_key(&MultiRegister::default(), groups, limits).into_result()
}

/// Whether an operation can matter for the order. An unknown filling that nobody saw may be taken for one that never
/// happened: had it happened, nobody would have read the branch between it and the next filling, which leaves no
/// trace of it. An unknown read says nothing.
fn counts(record: &Record, observed: &FxHashSet<&str>) -> bool {
    match (&record.operation, &record.end) {
        (Operation::MultiPut { values }, End::Info) => {
            values.values().any(|value| observed.contains(value.as_str()))
        }
        (operation, End::Info) => !operation.is_read_only(),
        _ => true,
    }
}

fn as_multi(record: &Record) -> Option<(u64, MultiInput, Option<MultiOutput>)> {
    let (key, input) = match &record.operation {
        Operation::Get { key } => (key, MultiInput::Read(vec![key.clone()])),
        Operation::MultiGet { keys } => (keys.first()?, MultiInput::Read(keys.clone())),
        Operation::MultiPut { values } => {
            let written = values.iter().map(|(key, value)| (key.clone(), value.as_str().into()));
            (values.keys().next()?, MultiInput::Write(written.collect()))
        }
        Operation::Swap { a, b } => (a, MultiInput::Swap(a.clone(), b.clone())),
        _ => return None,
    };
    let output = match (record.outcome(), key) {
        (Some(Outcome::Value { value }), key) => {
            Some(MultiOutput::Values(BTreeMap::from([(key.clone(), value.clone().into())])))
        }
        (Some(Outcome::Values { values }), _) => {
            let read = values.iter().map(|(key, value)| (key.clone(), value.clone().into()));
            Some(MultiOutput::Values(read.collect()))
        }
        (Some(Outcome::Done {}), _) => Some(MultiOutput::Done),
        _ => None,
    };
    Some((branch_of(key)?, input, output))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn operations_stay_within_one_branch_and_a_branch_sees_few_of_one_client() {
        let workload = BankSwap::new(&[Capability::ExactlyOnce]);
        assert!(workload.final_reads().is_empty());
        let mut client = workload.client(3, 2);
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        for _ in 0..3000 {
            let operation = client.next();
            let keys: Vec<String> = match &operation {
                Operation::Get { key } => vec![key.clone()],
                Operation::MultiGet { keys } => keys.clone(),
                Operation::MultiPut { values } => values.keys().cloned().collect(),
                Operation::Swap { a, b } => vec![a.clone(), b.clone()],
                other => panic!("{other:?} is none of this workload"),
            };
            let branches: BTreeSet<u64> = keys.iter().map(|key| branch_of(key).unwrap()).collect();
            assert_eq!(branches.len(), 1, "{operation:?}");
            *counts.entry(*branches.first().unwrap()).or_default() += 1;
        }
        assert!(counts.len() == 300 && counts.values().all(|count| *count < 40), "{counts:?}");
        let reads = workload.final_reads();
        assert!(reads.contains(&read_all(0)) && reads.contains(&read_all(299)));
        assert!(reads.len() as u64 <= FINAL_BRANCHES);
    }
}
