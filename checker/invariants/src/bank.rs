//! Money moves between accounts, and none appears or vanishes.
//!
//! `read` gives all accounts with their balances, `transfer` moves money. What the accounts are and what they hold
//! together need not be told: the reads must agree on it, and what most of them saw is taken to be right.

use std::collections::BTreeMap;
use std::hash::Hash;

use history::{
    Findings, Operation,
    words::{counted, who},
};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::judgement::Judgement;
use crate::shape::{integer, misfit, only, succeeded};

/// What one read saw.
struct Read<'a> {
    operation: &'a Operation,
    /// `None` where an account has no balance.
    balances: BTreeMap<&'a str, Option<i128>>,
}

impl Read<'_> {
    fn accounts(&self) -> Vec<&str> {
        self.balances.keys().copied().collect()
    }

    fn missing(&self) -> Option<&str> {
        self.balances.iter().find(|(_, balance)| balance.is_none()).map(|(name, _)| *name)
    }

    fn total(&self) -> i128 {
        self.balances.values().flatten().fold(0, |sum, balance| sum.saturating_add(*balance))
    }
}

/// Whether accounts may be overdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overdraft {
    Allowed,
    Forbidden,
}

/// Every read must see every account, their total, and (unless allowed) no negative balance.
pub(crate) fn judge(operations: &[Operation], overdraft: Overdraft) -> Result<Judgement, String> {
    only(operations, &["read", "transfer"])?;
    let reads: Vec<Read<'_>> = succeeded(operations, "read").map(read).collect::<Result<_, _>>()?;
    let mut findings = Findings::default();
    let whole = check_accounts(&reads, &mut findings);
    check_totals(&whole, &mut findings);
    if overdraft == Overdraft::Forbidden {
        for read in &reads {
            let lowest = read.balances.iter().filter_map(|(name, b)| Some((b.as_ref()?, name)));
            let Some((balance, name)) = lowest.min().filter(|(balance, _)| **balance < 0) else {
                continue;
            };
            findings.add("negative balance", [read.operation.call], || {
                format!("{} saw {balance} in account {name}", who(read.operation))
            });
        }
    }
    let transfers = succeeded(operations, "transfer").count();
    let untested = if reads.is_empty() {
        Some("No read succeeded, so no balance was seen.".to_owned())
    } else {
        let is_blind = reads.iter().all(|read| read.balances.values().all(Option::is_none));
        is_blind.then(|| "No read shows the balance of an account.".to_owned())
    };
    let checked = format!(
        "{} must see the same accounts and total through {}.",
        counted(reads.len(), "read"),
        counted(transfers, "transfer")
    );
    let (lowest, highest) =
        (whole.iter().map(|read| read.total()).min(), whole.iter().map(|read| read.total()).max());
    Ok(Judgement::of(findings, &checked, untested).with_statistics(json!({
        "reads": reads.len(), "transfers": transfers,
        "lowest_total": lowest.map(|total| total.to_string()),
        "highest_total": highest.map(|total| total.to_string()),
    })))
}

fn read<'a>((operation, value): (&'a Operation, &'a Value)) -> Result<Read<'a>, String> {
    let shape = || misfit(operation, value, "a map from accounts to whole numbers");
    let balance = |(name, value): (&'a String, &Value)| match value {
        Value::Null => Ok((name.as_str(), None)),
        value => integer(value).map(|balance| (name.as_str(), Some(balance))).ok_or_else(shape),
    };
    let fields = value.as_object().ok_or_else(shape)?;
    Ok(Read { operation, balances: fields.iter().map(balance).collect::<Result<_, _>>()? })
}

/// Reports reads that saw other accounts than they should; gives those that saw each with a balance.
fn check_accounts<'r, 'a>(reads: &'r [Read<'a>], findings: &mut Findings) -> Vec<&'r Read<'a>> {
    let usual = most_frequent(reads.iter().map(|read| (read.accounts(), read)));
    let Some((expected, example)) = usual else { return Vec::new() };
    let mut whole = Vec::new();
    for read in reads {
        let accounts = read.accounts();
        let unknown = accounts.iter().find(|name| expected.binary_search(name).is_err());
        let missing = expected.iter().find(|name| !read.balances.contains_key(**name));
        let odd = |rest: String| format!("{} saw {rest}", who(read.operation));
        let other = Some(example.operation).filter(|_| accounts != expected);
        let proof = std::iter::once(read.operation).chain(other).map(|read| read.call);
        if let Some(name) = unknown {
            findings.add("unknown account", proof, || {
                odd(format!("account {name}, which there is not"))
            });
        } else if let Some(name) = missing {
            findings.add("missing account", proof, || odd(format!("no account {name}")));
        } else if let Some(name) = read.missing() {
            findings.add("missing balance", proof, || odd(format!("nothing in account {name}")));
        } else {
            whole.push(read);
        }
    }
    whole
}

fn check_totals(whole: &[&Read<'_>], findings: &mut Findings) {
    let usual = most_frequent(whole.iter().map(|read| (read.total(), read)));
    let Some((expected, example)) = usual else { return };
    for read in whole.iter().filter(|read| read.total() != expected) {
        let total = read.total();
        findings.add("wrong total", [read.operation.call, example.operation.call], || {
            let money = if total > expected { "made" } else { "lost" };
            format!(
                "{} saw a total of {total}, where other reads saw {expected}: money was {money}",
                who(read.operation)
            )
        });
    }
}

/// The key that occurs most often, of several the first, with the first of its values.
fn most_frequent<K: Eq + Hash + Clone, V>(pairs: impl Iterator<Item = (K, V)>) -> Option<(K, V)> {
    let mut counts: FxHashMap<K, (usize, usize)> = FxHashMap::default();
    let mut firsts: Vec<(K, V)> = Vec::new();
    for (key, value) in pairs {
        let place = firsts.len();
        let (_, count) = counts.entry(key.clone()).or_insert((place, 0));
        *count += 1;
        if *count == 1 {
            firsts.push((key, value));
        }
    }
    let best = counts.into_values().max_by_key(|(place, count)| (*count, usize::MAX - place));
    best.map(|(place, _)| firsts.swap_remove(place))
}
