//! The statements of a transaction.

use std::collections::BTreeMap;

use adapter::sql::Transaction;
use contract::Refusal;
use tokio_postgres::{
    Client,
    types::{ToSql, Type},
};

use crate::errors::before_commit;

/// Makes the table where it is not there yet.
pub(crate) const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS kv (key text PRIMARY KEY, value text NOT NULL)";

/// The statements on a connection on which a transaction has begun.
pub(crate) struct Statements<'a>(pub(crate) &'a Client);

impl Statements<'_> {
    async fn execute(
        &self,
        statement: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<u64, Refusal> {
        let executed = self.0.execute_typed(statement, parameters).await;
        executed.map_err(|error| before_commit(&error))
    }
}

impl Transaction for Statements<'_> {
    async fn read(&mut self, keys: &[&str]) -> Result<BTreeMap<String, String>, Refusal> {
        let statement = "SELECT key, value FROM kv WHERE key = ANY($1)";
        let rows = self.0.query_typed(statement, &[(&keys, Type::TEXT_ARRAY)]).await;
        let rows = rows.map_err(|error| before_commit(&error))?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    async fn write(&mut self, key: &str, value: Option<&str>) -> Result<(), Refusal> {
        let Some(value) = value else {
            self.execute("DELETE FROM kv WHERE key = $1", &[(&key, Type::TEXT)]).await?;
            return Ok(());
        };
        let statement = "INSERT INTO kv (key, value) VALUES ($1, $2) \
                         ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        self.execute(statement, &[(&key, Type::TEXT), (&value, Type::TEXT)]).await?;
        Ok(())
    }

    async fn append(&mut self, key: &str, value: &str) -> Result<String, Refusal> {
        let statement = "INSERT INTO kv (key, value) VALUES ($1, $2) \
                         ON CONFLICT (key) DO UPDATE SET value = kv.value || excluded.value \
                         RETURNING value";
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&key, Type::TEXT), (&value, Type::TEXT)];
        let rows = self.0.query_typed(statement, &parameters).await;
        let rows = rows.map_err(|error| before_commit(&error))?;
        let whole = rows.first().map(|row| row.get(0));
        whole.ok_or_else(|| adapter::refusals::aborted("an append returned no row"))
    }

    async fn compare_and_set(
        &mut self,
        key: &str,
        expect: Option<&str>,
        value: &str,
    ) -> Result<bool, Refusal> {
        let Some(expect) = expect else {
            let statement = "INSERT INTO kv (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            let parameters: [(&(dyn ToSql + Sync), Type); 2] =
                [(&key, Type::TEXT), (&value, Type::TEXT)];
            return Ok(self.execute(statement, &parameters).await? == 1);
        };
        let statement = "UPDATE kv SET value = $3 WHERE key = $1 AND value = $2";
        let parameters: [(&(dyn ToSql + Sync), Type); 3] =
            [(&key, Type::TEXT), (&expect, Type::TEXT), (&value, Type::TEXT)];
        Ok(self.execute(statement, &parameters).await? == 1)
    }
}
