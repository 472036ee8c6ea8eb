//! The operations of the contract by name.

use std::collections::BTreeMap;

use contract::{MicroOperation, Operation, Outcome};

use crate::{Client, Failure, attempt::shown};

impl Client {
    /// The value of a key, `None` where it has none.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn get(&mut self, key: &str) -> Result<Option<String>, Failure> {
        match self.ask(Operation::Get { key: key.to_owned() }).await? {
            Outcome::Value { value } => Ok(value),
            other => Err(unexpected("get", &other)),
        }
    }

    /// Gives a key a value.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn put(&mut self, key: &str, value: &str) -> Result<(), Failure> {
        self.ask(Operation::Put { key: key.to_owned(), value: value.to_owned() }).await.map(drop)
    }

    /// Adds to the end of a key's value, which it returns.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn append(&mut self, key: &str, value: &str) -> Result<String, Failure> {
        let operation = Operation::Append { key: key.to_owned(), value: value.to_owned() };
        match self.ask(operation).await? {
            Outcome::Value { value: Some(value) } => Ok(value),
            other => Err(unexpected("append", &other)),
        }
    }

    /// Gives a key a value if it has the expected one (`None`: none); whether it had.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn cas(
        &mut self,
        key: &str,
        expect: Option<&str>,
        value: &str,
    ) -> Result<bool, Failure> {
        let (key, expect) = (key.to_owned(), expect.map(str::to_owned));
        match self.ask(Operation::Cas { key, expect, value: value.to_owned() }).await? {
            Outcome::Swapped { swapped, .. } => Ok(swapped),
            other => Err(unexpected("cas", &other)),
        }
    }

    /// The values of several keys at one moment.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn multi_get(
        &mut self,
        keys: &[&str],
    ) -> Result<BTreeMap<String, Option<String>>, Failure> {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        match self.ask(Operation::MultiGet { keys }).await? {
            Outcome::Values { values } => Ok(values),
            other => Err(unexpected("multiget", &other)),
        }
    }

    /// Gives several keys values at one moment.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn multi_put(&mut self, values: BTreeMap<String, String>) -> Result<(), Failure> {
        self.ask(Operation::MultiPut { values }).await.map(drop)
    }

    /// Exchanges the values of two keys.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn swap(&mut self, a: &str, b: &str) -> Result<(), Failure> {
        self.ask(Operation::Swap { a: a.to_owned(), b: b.to_owned() }).await.map(drop)
    }

    /// Carries out all steps at one moment if each guard has its value (`None`: none), and returns the value of each step's key
    /// right after it; `None` where a guard has another value and nothing was done.
    ///
    /// # Errors
    /// As [`Self::ask`]. A sharded store may refuse a transaction as `aborted` while others use its keys: then it did not happen,
    /// and may be tried again.
    pub async fn txn(
        &mut self,
        guards: BTreeMap<String, Option<String>>,
        ops: Vec<MicroOperation>,
    ) -> Result<Option<Vec<Option<String>>>, Failure> {
        match self.ask(Operation::Txn { guards, ops }).await? {
            Outcome::Committed { committed: false, .. } => Ok(None),
            Outcome::Committed { results: Some(results), .. } => Ok(Some(results)),
            other => Err(unexpected("txn", &other)),
        }
    }
}

/// An outcome of another operation. [`Operation::parse_outcome`] lets none pass.
fn unexpected(asked: &'static str, answer: &Outcome) -> Failure {
    Failure::Unexpected { asked, answer: shown(&format!("{answer:?}")) }
}
