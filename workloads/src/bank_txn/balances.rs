//! What reads saw of the balances: no account before they are opened, then the same total always, and no debt.

use contract::{MicroOperation, Operation};
use history::{CheckResult, Findings};

use super::{ACCOUNTS, TOTAL, balance};
use crate::{
    record::Record,
    transactions::{Transaction, Transactions, Version},
};

/// Judges the balances that were seen.
pub(super) fn check(records: &[Record], transactions: &Transactions<'_>) -> Vec<CheckResult> {
    let balances: Vec<Balances<'_>> = transactions
        .happened
        .iter()
        .map(|transaction| Balances::of(transaction, transactions))
        .collect();
    let mut debts = Findings::default();
    for seen in &balances {
        seen.report_debt(records, transactions, &mut debts);
    }
    let checked = format!("{} answers were searched for negative balances.", balances.len());
    vec![
        check_start(&balances),
        check_totals(&balances),
        debts.into_result("bank-balance", &checked),
    ]
}

/// A store must start empty. Where the record shows that this one did not, or shows nothing of its start, a wrong value
/// may be older than the run.
fn check_start(balances: &[Balances<'_>]) -> CheckResult {
    const CHECKER: &str = "bank-start";
    let first_write = balances.iter().filter(|seen| seen.writes).map(|seen| seen.record.call).min();
    let is_before = |seen: &&Balances<'_>| {
        seen.record.ret.is_some_and(|ret| first_write.is_none_or(|write| ret < write))
    };
    let start = balances.iter().filter(|seen| !seen.writes && seen.accounts == ACCOUNTS);
    match { start }.find(is_before) {
        Some(start) if start.missing == ACCOUNTS => CheckResult::valid(
            CHECKER,
            "Before the accounts were opened, all were read as missing.",
        ),
        Some(_) => CheckResult::inconclusive(
            CHECKER,
            "Before the accounts were opened, some were there already: the store did not start empty.",
        ),
        None => CheckResult::inconclusive(
            CHECKER,
            "Nobody read the accounts before they were opened, so the record does not show that the store \
             started empty.",
        ),
    }
}

fn check_totals(balances: &[Balances<'_>]) -> CheckResult {
    const CHECKER: &str = "bank-total";
    let sums = balances.iter().filter(|balances| balances.total().is_some()).count();
    let mut wrong = Findings::default();
    for seen in balances {
        seen.report_total(&mut wrong);
    }
    if sums == 0 && wrong.is_empty() {
        let reason = "No read saw all accounts at once, so there was no total to compare.";
        return CheckResult::inconclusive(CHECKER, reason);
    }
    let checked =
        format!("{sums} reads saw all accounts at once; each must find {TOTAL} in total.");
    wrong.into_result(CHECKER, &checked)
}

/// What one transaction saw of the accounts.
struct Balances<'a> {
    record: &'a Record,
    writes: bool,
    accounts: u64,
    missing: u64,
    /// Of the accounts whose value begins with a number.
    sum: i64,
    summed: u64,
    lowest: Option<(i64, usize)>,
}

impl<'a> Balances<'a> {
    fn of(transaction: &Transaction<'a>, transactions: &Transactions<'_>) -> Self {
        let mut balances = Self {
            record: transaction.record,
            writes: transaction.writes > 0,
            accounts: 0,
            missing: 0,
            sum: 0,
            summed: 0,
            lowest: None,
        };
        for &version in &transaction.reads {
            balances.accounts += 1;
            let value = transactions.versions[version].value;
            balances.missing += u64::from(value.is_none());
            let Some(balance) = value.and_then(balance) else { continue };
            balances.sum = balances.sum.saturating_add(balance);
            balances.summed += 1;
            balances.lowest = balances.lowest.into_iter().chain([(balance, version)]).min();
        }
        balances
    }

    /// The sum, where it is that of all accounts.
    fn total(&self) -> Option<i64> {
        (self.summed == ACCOUNTS).then_some(self.sum)
    }

    /// All accounts were opened in one step: some may not be missing where others are there.
    fn report_total(&self, wrong: &mut Findings) {
        let missing = self.missing;
        let (who, proof) = (|| self.record.who(), [self.record.call]);
        match self.total() {
            Some(TOTAL) => {}
            Some(total) => wrong.add("wrong total", proof, || {
                let change = if total > TOTAL { "made" } else { "lost" };
                format!("{} saw a total of {total}, not {TOTAL}: money was {change}", who())
            }),
            None if self.accounts == ACCOUNTS && (1..ACCOUNTS).contains(&missing) => {
                wrong.add("wrong total", proof, || {
                    format!(
                        "{} saw {missing} of the {ACCOUNTS} accounts missing and the others not, though all were \
                         opened in one step",
                        who()
                    )
                });
            }
            None => {}
        }
    }

    fn report_debt(
        &self,
        records: &[Record],
        transactions: &Transactions<'_>,
        debts: &mut Findings,
    ) {
        let Some((balance, version)) = self.lowest.filter(|(balance, _)| *balance < 0) else {
            return;
        };
        let Version { key, value, .. } = transactions.versions[version];
        // The balance is nobody's, but the tag may tell whose value was tampered with.
        let Some((_, tag)) = value.and_then(|value| value.split_once(' ')) else { return };
        let tagged = || records.iter().find(|record| wrote(record, key, tag));
        let proof = std::iter::once(self.record).chain(std::iter::once_with(tagged).flatten());
        debts.add("negative balance", proof.map(|record| record.call), || {
            format!("{} saw {balance} in {key}, which no transfer allows", self.record.who())
        });
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
