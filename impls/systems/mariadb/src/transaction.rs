//! The statements of a transaction.

use std::collections::BTreeMap;

use adapter::{refusals, sql::Transaction};
use contract::Refusal;
use mysql_async::{Conn, Params, Value, prelude::Queryable};

use crate::errors::{before_commit, is_duplicate};

/// Makes the table where it is not there yet. Keys and values are compared byte by byte, as in no collation.
pub(crate) const TABLE: [&str; 3] = [
    "CREATE DATABASE IF NOT EXISTS bench",
    "USE bench",
    "CREATE TABLE IF NOT EXISTS kv \
     (name VARBINARY(1024) PRIMARY KEY, value LONGBLOB NOT NULL) ENGINE = InnoDB",
];

/// The statements on a connection on which a transaction has begun.
pub(crate) struct Statements<'a>(pub(crate) &'a mut Conn);

impl Statements<'_> {
    /// Says how many rows it changed, or found to be so already.
    async fn execute(
        &mut self,
        statement: &str,
        parameters: &[&str],
    ) -> Result<u64, mysql_async::Error> {
        self.0.exec_drop(statement, positional(parameters)).await?;
        Ok(self.0.affected_rows())
    }
}

fn positional(parameters: &[&str]) -> Params {
    Params::Positional(parameters.iter().map(Value::from).collect())
}

/// Bytes that are no text are none of ours: they are shown as they can be.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

impl Transaction for Statements<'_> {
    async fn read(&mut self, keys: &[&str]) -> Result<BTreeMap<String, String>, Refusal> {
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let places = vec!["?"; keys.len()].join(", ");
        let statement = format!("SELECT name, value FROM kv WHERE name IN ({places})");
        let rows = self.0.exec(statement, positional(keys)).await;
        let rows: Vec<(Vec<u8>, Vec<u8>)> = rows.map_err(|error| before_commit(&error))?;
        Ok(rows.into_iter().map(|(key, value)| (text(key), text(value))).collect())
    }

    async fn write(&mut self, key: &str, value: Option<&str>) -> Result<(), Refusal> {
        let written = match value {
            Some(value) => {
                let statement = "INSERT INTO kv (name, value) VALUES (?, ?) \
                                 ON DUPLICATE KEY UPDATE value = VALUES(value)";
                self.execute(statement, &[key, value]).await
            }
            None => self.execute("DELETE FROM kv WHERE name = ?", &[key]).await,
        };
        written.map(|_| ()).map_err(|error| before_commit(&error))
    }

    async fn append(&mut self, key: &str, value: &str) -> Result<String, Refusal> {
        let statement = "INSERT INTO kv (name, value) VALUES (?, ?) \
                         ON DUPLICATE KEY UPDATE value = CONCAT(value, VALUES(value)) \
                         RETURNING value";
        let row = self.0.exec_first(statement, positional(&[key, value])).await;
        let row: Option<Vec<u8>> = row.map_err(|error| before_commit(&error))?;
        row.map(text).ok_or_else(|| refusals::aborted("an append returned no row"))
    }

    async fn compare_and_set(
        &mut self,
        key: &str,
        expect: Option<&str>,
        value: &str,
    ) -> Result<bool, Refusal> {
        let changed = match expect {
            Some(expect) => {
                let statement = "UPDATE kv SET value = ? WHERE name = ? AND value = ?";
                self.execute(statement, &[value, key, expect]).await
            }
            None => {
                let statement = "INSERT INTO kv (name, value) VALUES (?, ?)";
                self.execute(statement, &[key, value]).await
            }
        };
        match changed {
            Ok(rows) => Ok(rows == 1),
            Err(error) if expect.is_none() && is_duplicate(&error) => Ok(false),
            Err(error) => Err(before_commit(&error)),
        }
    }
}
