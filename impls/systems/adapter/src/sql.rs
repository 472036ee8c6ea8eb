//! For databases with transactions: an operation as the statements of one transaction.
//!
//! Each operation is one transaction, from its begin to its commit, at the isolation level of the session. Nothing in it takes
//! effect before the commit: what fails before the commit was sent is definite. And nothing that it read holds before that: at
//! the serializable level of `PostgreSQL`, only the commit says that the reads were right. So a transaction whose guards did not
//! hold commits, too.

use std::{collections::BTreeMap, future::Future};

use contract::{MicroOperation, Operation, Outcome, Refusal};

use crate::{State, refusals};

/// A transaction that has begun.
pub trait Transaction: Send {
    /// Reads these keys in one statement; keys that are missing are left out.
    fn read(
        &mut self,
        keys: &[&str],
    ) -> impl Future<Output = Result<BTreeMap<String, String>, Refusal>> + Send;

    /// Gives a key this value; `None` removes it.
    fn write(
        &mut self,
        key: &str,
        value: Option<&str>,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Appends in one statement and returns the whole new value.
    fn append(
        &mut self,
        key: &str,
        value: &str,
    ) -> impl Future<Output = Result<String, Refusal>> + Send;

    /// Compares and writes in one statement. Says whether it wrote.
    fn compare_and_set(
        &mut self,
        key: &str,
        expect: Option<&str>,
        value: &str,
    ) -> impl Future<Output = Result<bool, Refusal>> + Send;
}

/// Carries out an operation in a transaction. Its outcome holds once that has committed.
///
/// # Errors
/// A statement failed, or SQL has no such operation.
pub async fn run(
    transaction: &mut impl Transaction,
    operation: &Operation,
) -> Result<Outcome, Refusal> {
    Ok(match operation {
        Operation::Get { key } => Outcome::Value { value: read_one(transaction, key).await? },
        Operation::Put { key, value } => {
            transaction.write(key, Some(value)).await?;
            Outcome::Done {}
        }
        Operation::Append { key, value } => {
            Outcome::Value { value: Some(transaction.append(key, value).await?) }
        }
        Operation::Cas { key, expect, value } => {
            let swapped = transaction.compare_and_set(key, expect.as_deref(), value).await?;
            Outcome::Swapped { swapped, value: None }
        }
        Operation::MultiGet { keys } => {
            let names: Vec<&str> = keys.iter().map(String::as_str).collect();
            let found = transaction.read(&names).await?;
            let value = |key: &String| (key.clone(), found.get(key).cloned());
            Outcome::Values { values: keys.iter().map(value).collect() }
        }
        Operation::MultiPut { values } => {
            for (key, value) in values {
                transaction.write(key, Some(value)).await?;
            }
            Outcome::Done {}
        }
        Operation::Swap { a, b } => {
            let found = transaction.read(&[a, b]).await?;
            transaction.write(a, found.get(b).map(String::as_str)).await?;
            transaction.write(b, found.get(a).map(String::as_str)).await?;
            Outcome::Done {}
        }
        Operation::Txn { guards, ops } => {
            if !guards_hold(transaction, guards).await? {
                return Ok(Outcome::Committed { committed: false, results: None });
            }
            let mut results = Vec::new();
            for op in ops {
                results.push(micro(transaction, op).await?);
            }
            Outcome::Committed { committed: true, results: Some(results) }
        }
        _ => return Err(refusals::unsupported(operation)),
    })
}

async fn read_one(
    transaction: &mut impl Transaction,
    key: &str,
) -> Result<Option<String>, Refusal> {
    Ok(transaction.read(&[key]).await?.remove(key))
}

async fn guards_hold(transaction: &mut impl Transaction, guards: &State) -> Result<bool, Refusal> {
    if guards.is_empty() {
        return Ok(true);
    }
    let keys: Vec<&str> = guards.keys().map(String::as_str).collect();
    let found = transaction.read(&keys).await?;
    Ok(guards.iter().all(|(key, expect)| found.get(key) == expect.as_ref()))
}

/// Carries out a micro-operation and returns the key's value right after it.
async fn micro(
    transaction: &mut impl Transaction,
    op: &MicroOperation,
) -> Result<Option<String>, Refusal> {
    Ok(match op {
        MicroOperation::Read(key) => read_one(transaction, key).await?,
        MicroOperation::Write(key, value) => {
            transaction.write(key, Some(value)).await?;
            Some(value.clone())
        }
        MicroOperation::Append(key, value) => Some(transaction.append(key, value).await?),
    })
}
