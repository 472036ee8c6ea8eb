//! `bank:txn`: money moves between accounts in guarded transactions; none may appear or vanish.
//!
//! Every version of an account is unique (`"95 c3.17"`: balance and tag), and every transfer guards the versions it
//! replaces. So the record itself tells the order of versions, and `anomalies` decides exactly whether the transactions
//! are strictly serializable. What that does not say (totals, overdrafts, refusals) is judged here.

use std::collections::BTreeMap;

use contract::{MicroOperation, Operation, Outcome, manifest::Capability};
use history::{CheckResult, Limits};
use isolation::Consistency;

use crate::{Client, Levels, Workload, WorkloadEntry, record, seeded::Seeded};

mod balances;
mod judge;

/// Few enough that transfers conflict.
const ACCOUNTS: u64 = 8;
const OPENING_BALANCE: i64 = 100;
const TOTAL: i64 = 800;

/// Transfers by guarded transactions over one set of accounts.
pub struct BankTxn {
    multiget: bool,
}

impl BankTxn {
    /// The workload for a store with these capabilities: without `multi` it reads by transactions only.
    #[must_use]
    pub fn new(manifest_caps: &[Capability]) -> Self {
        Self { multiget: manifest_caps.contains(&Capability::Multi) }
    }
}

/// The row of the registry.
pub(crate) const ENTRY: WorkloadEntry = WorkloadEntry {
    name: "bank:txn",
    about: "Clients move money between accounts in guarded transactions and read all accounts at once; money must be \
         neither made nor lost, and one order that respects real time must explain every answer.",
    needs: &[Capability::Txn],
    make: |caps| Box::new(BankTxn::new(caps)),
};

impl Workload for BankTxn {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn setup(&self) -> Vec<Operation> {
        // Guarded, so that even the first versions have a known predecessor: nothing, and the record shows it.
        let guards = (0..ACCOUNTS).map(|number| (account(number), None)).collect();
        let open =
            |number| MicroOperation::Write(account(number), format!("{OPENING_BALANCE} opening"));
        let opening = Operation::Txn { guards, ops: (0..ACCOUNTS).map(open).collect() };
        vec![read_of((0..ACCOUNTS).map(account).collect(), self.multiget), opening]
    }

    fn client(&self, seed: u64, client: u32) -> Box<dyn Client> {
        Box::new(BankTxnClient {
            choices: Seeded::new(seed, client),
            multiget: self.multiget,
            seen: None,
        })
    }

    fn final_reads(&self) -> Vec<Operation> {
        vec![read_of((0..ACCOUNTS).map(account).collect(), self.multiget)]
    }

    fn must_succeed(&self) -> &'static [&'static str] {
        &["txn"]
    }

    /// A total needs a read of one moment; transfers guard what they write, so that none is lost.
    fn levels(&self) -> Levels {
        Levels::From(Consistency::SnapshotIsolation)
    }

    fn check(
        &self,
        operations: &[history::Operation],
        level: Consistency,
        limits: &Limits,
    ) -> Vec<CheckResult> {
        let judged =
            record::read(operations).and_then(|records| judge::judge(&records, level, limits));
        judged.unwrap_or_else(|reason| vec![CheckResult::inconclusive("bank", reason)])
    }
}

/// Trailing digits place keys on shards: neighbouring accounts live on different ones.
fn account(number: u64) -> String {
    format!("account{number}")
}

fn read_of(keys: Vec<String>, multiget: bool) -> Operation {
    if multiget {
        return Operation::MultiGet { keys };
    }
    let ops = keys.into_iter().map(MicroOperation::Read).collect();
    Operation::Txn { guards: BTreeMap::new(), ops }
}

/// The balance of `"95 c3.17"`.
fn balance(value: &str) -> Option<i64> {
    value.split_once(' ').and_then(|(balance, _)| balance.parse().ok())
}

struct BankTxnClient {
    choices: Seeded,
    multiget: bool,
    /// What the next transfer builds on.
    seen: Option<BTreeMap<String, String>>,
}

impl Client for BankTxnClient {
    fn next(&mut self) -> Operation {
        let transfer = self.seen.take().and_then(|seen| self.transfer(&seen));
        transfer.unwrap_or_else(|| self.look())
    }

    fn completed(&mut self, operation: &Operation, outcome: Option<&Outcome>) {
        let found = match (operation, outcome) {
            (_, Some(Outcome::Values { values })) => complete(values.iter()),
            (Operation::Txn { ops, .. }, outcome) if !operation.is_read_only() => {
                return self.transferred(ops, outcome);
            }
            (
                Operation::Txn { ops, .. },
                Some(Outcome::Committed { results: Some(results), .. }),
            ) => {
                let keys = ops.iter().map(|op| match op {
                    MicroOperation::Read(key)
                    | MicroOperation::Write(key, _)
                    | MicroOperation::Append(key, _) => key,
                });
                complete(keys.zip(results))
            }
            _ => None,
        };
        // Some reads are only looked at, so that there are more reads than transfers.
        self.seen = found.filter(|_| self.choices.chance(70));
    }
}

/// All values, if none is missing.
fn complete<'a>(
    values: impl Iterator<Item = (&'a String, &'a Option<String>)>,
) -> Option<BTreeMap<String, String>> {
    values.map(|(key, value)| Some((key.clone(), value.clone()?))).collect()
}

impl BankTxnClient {
    fn look(&mut self) -> Operation {
        let keys = if self.choices.chance(60) {
            (0..ACCOUNTS).map(account).collect()
        } else {
            let (a, b) = self.choices.pair_below(ACCOUNTS);
            vec![account(a), account(b)]
        };
        // The other way to read is tried now and then.
        let multiget = self.multiget && self.choices.chance(80);
        read_of(keys, multiget)
    }

    /// A transfer between two accounts as they were seen; `None` where there is nothing to move.
    fn transfer(&mut self, seen: &BTreeMap<String, String>) -> Option<Operation> {
        let accounts: Vec<(&String, &String)> = seen.iter().collect();
        let count = u64::try_from(accounts.len()).ok().filter(|count| *count >= 2)?;
        let (from, to) = self.choices.pair_below(count);
        let (from, to) =
            (accounts[usize::try_from(from).ok()?], accounts[usize::try_from(to).ok()?]);
        let (rich, poor) = (balance(from.1)?, balance(to.1)?);
        let most = u64::try_from(rich).ok().filter(|most| *most > 0)?;
        let amount = i64::try_from(1 + self.choices.below(most.min(20))).ok()?;
        let tag = self.choices.tag();
        let mut guards =
            BTreeMap::from([from, to].map(|(key, value)| (key.clone(), Some(value.clone()))));
        if self.choices.chance(20) {
            // A guard on an account that is not written: it must be validated all the same.
            let (witness, _) = self.choices.pair_below(count);
            let (key, value) = accounts[usize::try_from(witness).ok()?];
            guards.insert(key.clone(), Some(value.clone()));
        }
        let mut ops = vec![
            MicroOperation::Write(from.0.clone(), format!("{} {tag}", rich - amount)),
            MicroOperation::Write(to.0.clone(), format!("{} {tag}", poor.checked_add(amount)?)),
        ];
        if self.choices.chance(20) {
            // A transaction must see what it was guarded by, and then its own writes.
            ops.insert(0, MicroOperation::Read(from.0.clone()));
            ops.push(MicroOperation::Read(to.0.clone()));
        }
        Some(Operation::Txn { guards, ops })
    }

    /// After a transfer the client may build on what it wrote, even where it does not know whether it did:
    /// if it did not, the next guard must fail.
    fn transferred(&mut self, ops: &[MicroOperation], outcome: Option<&Outcome>) {
        let wrote = || {
            let written = ops.iter().filter_map(|op| match op {
                MicroOperation::Write(key, value) => Some((key.clone(), value.clone())),
                MicroOperation::Read(_) | MicroOperation::Append(..) => None,
            });
            written.collect()
        };
        let refused = matches!(outcome, Some(Outcome::Committed { committed: false, .. }));
        self.seen = (self.choices.chance(25) && !refused).then(wrote);
    }
}
