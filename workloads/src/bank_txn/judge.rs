//! Every rule of the bank, one result each.

use history::CheckResult;
use serde_json::json;

use super::{ACCOUNTS, balances};
use crate::{
    guards, narrate,
    record::Record,
    serial_order,
    transactions::{Transaction, Transactions},
};

/// Judges what certainly happened.
pub(super) fn judge<'a>(
    records: &'a [Record],
    transactions: &Transactions<'a>,
) -> Vec<CheckResult> {
    let transfers =
        transactions.happened.iter().filter(|transaction| is_transfer(transaction)).count();
    let disorder = serial_order::disorder(transactions);
    let orderly = disorder.lost_updates.is_empty() && disorder.cycles.is_empty();
    let mut results = balances::check(records, transactions);
    results.extend([
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
    ]);
    if transfers == 0 {
        results.push(CheckResult::inconclusive(
            "bank-activity",
            "No transfer committed, so nothing was tested.",
        ));
    }
    let figures = json!({ "operations": records.len(), "happened": transactions.happened.len(),
                          "transfers": transfers });
    results.into_iter().map(|result| result.with_statistics(figures.clone())).collect()
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
