//! Every rule of the bank, one result each.

use history::{CheckResult, Limits, Verdict};
use isolation::{Consistency, Datatype};
use serde_json::json;

use super::{ACCOUNTS, balances};
use crate::{
    anomalies, guards,
    record::Record,
    transactions::{Transaction, Transactions, premise},
};

/// Judges what certainly happened, at this level.
///
/// # Errors
/// Why the record is none of this workload.
pub(super) fn judge(
    records: &[Record],
    level: Consistency,
    limits: &Limits,
) -> Result<Vec<CheckResult>, String> {
    premise(records)?;
    let history = anomalies::history(records, Datatype::Register)?;
    let transactions = &Transactions::new(records, &history)?;
    let transfers =
        transactions.happened.iter().filter(|transaction| is_transfer(transaction)).count();
    let isolation = anomalies::check(&history, level, limits);
    let mut results = balances::check(records, transactions);
    // Where real time does not count, a guard may be held against an older state, and fail there.
    if level.implies(Consistency::StrongSnapshotIsolation) {
        results.push(check_refusals(transactions, isolation.verdict));
    }
    if transfers == 0 {
        results.push(CheckResult::inconclusive(
            "bank-activity",
            "No transfer committed, so nothing was tested.",
        ));
    }
    let figures = json!({ "operations": records.len(), "happened": transactions.happened.len(),
                          "transfers": transfers });
    let results = results.into_iter().map(|result| result.with_statistics(figures.clone()));
    Ok(results.chain([isolation]).collect())
}

/// Refusals are judged by what others saw, which says little once those contradict each other.
fn check_refusals(transactions: &Transactions<'_>, isolation: Verdict) -> CheckResult {
    const CHECKER: &str = "bank-guards";
    if isolation == Verdict::Violation {
        let reason = "Refusals were not judged: the other answers contradict each other.";
        return CheckResult::inconclusive(CHECKER, reason);
    }
    let checked =
        format!("{} transactions were refused because of a guard.", transactions.refused.len());
    guards::false_refusals(transactions).into_result(CHECKER, &checked)
}

/// Whether it is more than the opening of the accounts.
fn is_transfer(transaction: &Transaction<'_>) -> bool {
    (1..usize::try_from(ACCOUNTS).unwrap_or(0)).contains(&transaction.writes)
}
