//! `bank:txn`: money moves between accounts in guarded transactions; none may appear or vanish.
//!
//! Every version of an account is unique (`"95 c3.17"`: balance and tag), and every transfer guards the versions it
//! replaces. So the record itself tells the order of versions, and all that must hold can be decided exactly, in time
//! linear in the record: see `transactions` and `serial_order`. The same versions show every anomaly by its name: see
//! `anomalies`.

use std::collections::BTreeMap;

use contract::{MicroOperation, Operation, Outcome, manifest::Capability};
use history::CheckResult;
use isolation::Datatype;
use linearizability::Limits;
use serde_json::json;

use crate::{
    Client, Workload, anomalies, guards,
    narrate::{self, Untold},
    record::{self, Record},
    seeded::Seeded,
    serial_order,
    transactions::{Transaction, Transactions},
};

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

impl Workload for BankTxn {
    fn name(&self) -> &'static str {
        "bank:txn"
    }

    fn about(&self) -> &'static str {
        "Clients move money between accounts in guarded transactions and read all accounts at once; money must be \
         neither made nor lost, and one order that respects real time must explain every answer."
    }

    fn needs(&self) -> &'static [Capability] {
        &[Capability::Txn]
    }

    fn setup(&self) -> Vec<Operation> {
        // Guarded, so that even the first versions have a known predecessor: nothing.
        let guards = (0..ACCOUNTS).map(|number| (account(number), None)).collect();
        let open =
            |number| MicroOperation::Write(account(number), format!("{OPENING_BALANCE} opening"));
        vec![Operation::Txn { guards, ops: (0..ACCOUNTS).map(open).collect() }]
    }

    fn client(&self, seed: u64, client: u32) -> Box<dyn Client> {
        Box::new(Teller { choices: Seeded::new(seed, client), multiget: self.multiget, seen: None })
    }

    fn final_reads(&self) -> Vec<Operation> {
        vec![read_of((0..ACCOUNTS).map(account).collect(), self.multiget)]
    }

    fn must_succeed(&self) -> &'static [&'static str] {
        &["txn"]
    }

    fn check(&self, operations: &[history::Operation], limits: &Limits) -> Vec<CheckResult> {
        let records = match record::read(operations) {
            Ok(records) => records,
            Err(reason) => return vec![CheckResult::inconclusive("bank", reason)],
        };
        match Transactions::new(&records) {
            Ok(transactions) => {
                let mut results = judge(&records, &transactions);
                results.push(anomalies::judge(&records, Datatype::Register, limits));
                results
            }
            Err(premise) => vec![CheckResult::inconclusive("bank", premise)],
        }
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

struct Teller {
    choices: Seeded,
    multiget: bool,
    /// What the next transfer builds on.
    seen: Option<BTreeMap<String, String>>,
}

impl Client for Teller {
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

impl Teller {
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

fn judge<'a>(records: &'a [Record], transactions: &Transactions<'a>) -> Vec<CheckResult> {
    let balances: Vec<Balances<'_>> = transactions
        .happened
        .iter()
        .map(|transaction| Balances::of(transaction, transactions))
        .collect();
    let full = balances.iter().filter(|balances| balances.accounts == ACCOUNTS).count();
    let transfers =
        transactions.happened.iter().filter(|transaction| is_transfer(transaction)).count();
    let disorder = serial_order::disorder(transactions);
    let orderly = disorder.lost_updates.is_empty() && disorder.cycles.is_empty();
    let results = vec![
        narrate::found(
            "bank-total",
            format!("{full} reads of all accounts were summed; the total must be {TOTAL}."),
            &balances.iter().filter_map(Balances::wrong_total).collect::<Vec<_>>(),
        ),
        narrate::found(
            "bank-balance",
            format!("{} answers were searched for negative balances.", balances.len()),
            &balances
                .iter()
                .filter_map(|balances| balances.negative(records, transactions))
                .collect::<Vec<_>>(),
        ),
        narrate::found(
            "bank-values",
            format!("{} values were traced to their writers.", transactions.versions.len()),
            &transactions.impossible,
        ),
        narrate::found(
            "bank-updates",
            format!(
                "{transfers} committed transfers were searched for two that replaced the same version."
            ),
            &disorder.lost_updates,
        ),
        check_refusals(transactions, orderly),
        narrate::found(
            "bank-order",
            format!(
                "{} operations must have one order that respects real time.",
                transactions.happened.len()
            ),
            &disorder.cycles,
        ),
    ];
    let figures = json!({ "operations": records.len(), "happened": transactions.happened.len(),
                          "transfers": transfers, "full_reads": full });
    let mut results: Vec<CheckResult> =
        results.into_iter().map(|result| result.with_statistics(figures.clone())).collect();
    if transfers == 0 {
        results.push(CheckResult::inconclusive(
            "bank-activity",
            "No transfer committed, so nothing was tested.",
        ));
    }
    results
}

/// Refusals are judged by what others saw, which says little once those contradict each other.
fn check_refusals(transactions: &Transactions<'_>, orderly: bool) -> CheckResult {
    const CHECKER: &str = "bank-guards";
    if !orderly {
        let reason = "Refusals were not judged: the other answers contradict each other.";
        return CheckResult::inconclusive(CHECKER, reason);
    }
    let checked =
        format!("{} transactions were refused because of a guard.", transactions.refused.len());
    narrate::found(CHECKER, checked, &guards::false_refusals(transactions))
}

/// Whether it is more than the opening of the accounts.
fn is_transfer(transaction: &Transaction<'_>) -> bool {
    !transaction.writes.is_empty()
        && transaction.writes.len() < usize::try_from(ACCOUNTS).unwrap_or(0)
}

/// What one transaction saw of the accounts.
struct Balances<'a> {
    record: &'a Record,
    accounts: u64,
    missing: u64,
    total: i64,
    lowest: Option<(i64, usize)>,
}

impl<'a> Balances<'a> {
    fn of(transaction: &Transaction<'a>, transactions: &Transactions<'a>) -> Self {
        let mut balances =
            Self { record: transaction.record, accounts: 0, missing: 0, total: 0, lowest: None };
        for &version in &transaction.reads {
            balances.accounts += 1;
            let value = transactions.versions[version].value;
            balances.missing += u64::from(value.is_none());
            let Some(balance) = value.and_then(balance) else { continue };
            balances.total = balances.total.saturating_add(balance);
            balances.lowest = balances.lowest.into_iter().chain([(balance, version)]).min();
        }
        balances
    }

    /// Before the accounts are opened, all of them are missing; afterwards none may be.
    fn wrong_total(&self) -> Option<Untold<'a>> {
        let full = self.accounts == ACCOUNTS && self.missing < ACCOUNTS;
        let (record, total) = (self.record, self.total);
        let tell = move || {
            let (who, change) = (narrate::who(record), if total > TOTAL { "made" } else { "lost" });
            let sentence = format!("{who} saw a total of {total}, not {TOTAL}: money was {change}");
            (sentence, vec![record.call])
        };
        (full && total != TOTAL).then(|| Untold::new("wrong total", tell))
    }

    fn negative(
        &self,
        records: &'a [Record],
        transactions: &Transactions<'a>,
    ) -> Option<Untold<'a>> {
        let (balance, version) = self.lowest.filter(|(balance, _)| *balance < 0)?;
        let version = &transactions.versions[version];
        // The balance is nobody's, but the tag may tell whose value was tampered with.
        let tag = version.value.and_then(|value| value.split_once(' ')).map(|(_, tag)| tag)?;
        let (record, key) = (self.record, version.key);
        Some(Untold::new("negative balance", move || {
            let who = narrate::who(record);
            let tagged = records.iter().find(|record| wrote(record, key, tag));
            let operations = std::iter::once(record).chain(tagged).map(|record| record.call);
            let sentence = format!("{who} saw {balance} in {key}, which no transfer allows");
            (sentence, operations.collect())
        }))
    }
}

/// Whether a transaction meant to write a value with this tag to this account.
fn wrote(record: &Record, account: &str, tag: &str) -> bool {
    let Operation::Txn { ops, .. } = &record.operation else { return false };
    ops.iter().any(|op| match op {
        MicroOperation::Write(key, value) => {
            key == account && value.split_once(' ').is_some_and(|(_, other)| other == tag)
        }
        MicroOperation::Read(_) | MicroOperation::Append(..) => false,
    })
}
