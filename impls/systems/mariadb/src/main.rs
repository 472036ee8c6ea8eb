//! Lets the bench test `MariaDB`.
//!
//! | variable | values | meaning |
//! |---|---|---|
//! | `MARIADB_ISOLATION` | `serializable` (default), `repeatable-read`, `read-committed`, `read-uncommitted` | the isolation level of every operation |
//!
//! The user is `root`, who needs no password.

mod errors;
mod transaction;

use std::{net::SocketAddr, process::ExitCode};

use adapter::{Database, Environment, refusals, sql};
use contract::{Operation, Outcome, Refusal};
use mysql_async::{Conn, OptsBuilder, prelude::Queryable};

use transaction::Statements;

/// The port on which `MariaDB` serves clients, unless told otherwise.
const CLIENT_PORT: u16 = 3306;

fn main() -> ExitCode {
    adapter::main_with(Mariadb::from_environment)
}

struct Mariadb {
    address: SocketAddr,
    isolation: &'static str,
}

impl Mariadb {
    fn from_environment(environment: &Environment) -> Result<Self, String> {
        let levels = [
            ("serializable", "SERIALIZABLE"),
            ("repeatable-read", "REPEATABLE READ"),
            ("read-committed", "READ COMMITTED"),
            ("read-uncommitted", "READ UNCOMMITTED"),
        ];
        Ok(Self {
            address: environment.own(CLIENT_PORT)?,
            isolation: environment.choice("MARIADB_ISOLATION", &levels)?,
        })
    }
}

impl Database for Mariadb {
    type Session = Conn;

    async fn open(&self) -> Result<Conn, String> {
        let options = OptsBuilder::default()
            .ip_or_hostname(self.address.ip().to_string())
            .tcp_port(self.address.port())
            .user(Some("root"))
            // It would leave the links of the bench for a file of the system.
            .prefer_socket(false)
            // An update that finds its row counts, also where it leaves it as it was.
            .client_found_rows(true);
        let mut session = Conn::new(options).await.map_err(|error| error.to_string())?;
        let isolation = format!("SET SESSION TRANSACTION ISOLATION LEVEL {}", self.isolation);
        for statement in transaction::TABLE.into_iter().chain([isolation.as_str()]) {
            session.query_drop(statement).await.map_err(|error| error.to_string())?;
        }
        Ok(session)
    }

    async fn is_open(&self, _: &mut Conn) -> bool {
        // Where it is not, the transaction does not begin, which is definite.
        true
    }

    async fn perform(&self, session: &mut Conn, operation: &Operation) -> Result<Outcome, Refusal> {
        let begun = session.query_drop("START TRANSACTION").await;
        begun.map_err(|error| errors::before_commit(&error))?;
        match sql::run(&mut Statements(session), operation).await {
            Ok(outcome) => {
                let committed = session.query_drop("COMMIT").await;
                committed.map_err(|error| errors::at_commit(&error))?;
                Ok(outcome)
            }
            Err(refusal) => {
                // Where it cannot be rolled back, its session must not be used again.
                session.query_drop("ROLLBACK").await.map_err(refusals::not_sent)?;
                Err(refusal)
            }
        }
    }
}
