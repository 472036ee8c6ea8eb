//! Lets the bench test Redis.
//!
//! It reads no variables but those that every adapter reads: how much Redis keeps on disk is decided where the server is started.

mod errors;
mod operations;

use std::{net::SocketAddr, process::ExitCode};

use adapter::{Database, Environment};
use contract::{Operation, Outcome, Refusal};
use redis::{AsyncConnectionConfig, aio::MultiplexedConnection};

use operations::Operations;

/// The port on which Redis serves clients, unless told otherwise.
const CLIENT_PORT: u16 = 6379;

fn main() -> ExitCode {
    adapter::main_with(Redis::from_environment)
}

struct Redis {
    address: SocketAddr,
    operations: Operations,
}

impl Redis {
    fn from_environment(environment: &Environment) -> Result<Self, String> {
        Ok(Self { address: environment.own(CLIENT_PORT)?, operations: Operations::default() })
    }
}

impl Database for Redis {
    type Session = MultiplexedConnection;

    async fn open(&self) -> Result<MultiplexedConnection, String> {
        // The adapter has limits of its own; a second one would only hide which has passed.
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let client = redis::Client::open(format!("redis://{}", self.address))
            .map_err(|error| error.to_string())?;
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        connecting.await.map_err(|error| error.to_string())
    }

    async fn is_open(&self, _: &mut MultiplexedConnection) -> bool {
        // The client does not tell. Where the server has gone, the next operation finds out.
        true
    }

    async fn perform(
        &self,
        connection: &mut MultiplexedConnection,
        operation: &Operation,
    ) -> Result<Outcome, Refusal> {
        self.operations.perform(connection, operation).await
    }
}
