//! Lets the bench test `PostgreSQL`.
//!
//! | variable | values | meaning |
//! |---|---|---|
//! | `POSTGRESQL_ISOLATION` | `serializable` (default), `repeatable-read`, `read-committed` | the isolation level of every operation |
//!
//! The user is `postgres`, who needs no password, and so is the database.

mod errors;
mod transaction;

use std::{net::SocketAddr, process::ExitCode};

use adapter::{Database, Environment, refusals, sql};
use contract::{Operation, Outcome, Refusal};
use tokio_postgres::{Client, Config, NoTls};

use transaction::Statements;

/// The port on which `PostgreSQL` serves clients, unless told otherwise.
const CLIENT_PORT: u16 = 5432;

fn main() -> ExitCode {
    adapter::main_with(Postgresql::from_environment)
}

struct Postgresql {
    address: SocketAddr,
    isolation: &'static str,
}

impl Postgresql {
    fn from_environment(environment: &Environment) -> Result<Self, String> {
        let levels = [
            ("serializable", "serializable"),
            ("repeatable-read", "repeatable read"),
            ("read-committed", "read committed"),
        ];
        Ok(Self {
            address: environment.own(CLIENT_PORT)?,
            isolation: environment.choice("POSTGRESQL_ISOLATION", &levels)?,
        })
    }
}

impl Database for Postgresql {
    type Session = Client;

    async fn open(&self) -> Result<Client, String> {
        let mut config = Config::new();
        config.host(self.address.ip().to_string()).port(self.address.port());
        config.user("postgres").dbname("postgres");
        let (client, connection) =
            config.connect(NoTls).await.map_err(|error| errors::describe(&error))?;
        tokio::spawn(async move {
            // A broken connection shows at the statement that waits for its answer.
            let _ = connection.await;
        });
        let set_up = format!(
            "SET default_transaction_isolation = '{}'; {}",
            self.isolation,
            transaction::TABLE
        );
        client.batch_execute(&set_up).await.map_err(|error| errors::describe(&error))?;
        Ok(client)
    }

    async fn is_open(&self, client: &mut Client) -> bool {
        !client.is_closed()
    }

    async fn perform(
        &self,
        client: &mut Client,
        operation: &Operation,
    ) -> Result<Outcome, Refusal> {
        client.batch_execute("BEGIN").await.map_err(|error| errors::before_commit(&error))?;
        match sql::run(&mut Statements(client), operation).await {
            Ok(outcome) => {
                client.batch_execute("COMMIT").await.map_err(|error| errors::at_commit(&error))?;
                Ok(outcome)
            }
            Err(refusal) => {
                // Where it cannot be rolled back, its session must not be used again.
                let rolled_back = client.batch_execute("ROLLBACK").await;
                rolled_back.map_err(|error| refusals::not_sent(errors::describe(&error)))?;
                Err(refusal)
            }
        }
    }
}
