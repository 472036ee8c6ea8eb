//! Lets the bench test `ZooKeeper`.
//!
//! | variable | values | meaning |
//! |---|---|---|
//! | `ZOOKEEPER_READS` | `sync` (default), `plain` | what a read does before it: `sync`, so that the node catches up with its leader, or nothing |

mod errors;
mod operations;
mod znode;

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use adapter::{Database, Environment};
use contract::{Operation, Outcome, Refusal};
use zookeeper_client::{Client, SessionState};

/// The port on which `ZooKeeper` serves clients, unless told otherwise.
const CLIENT_PORT: u16 = 2181;
/// The server closes a session of which it has heard nothing for so long. It holds nothing that would have to be kept.
const SESSION_TIMEOUT: Duration = Duration::from_secs(6);

fn main() -> ExitCode {
    adapter::main_with(Zookeeper::from_environment)
}

struct Zookeeper {
    address: SocketAddr,
    /// Whether a read first lets the node catch up.
    sync_reads: bool,
}

impl Zookeeper {
    fn from_environment(environment: &Environment) -> Result<Self, String> {
        let reads = [("sync", true), ("plain", false)];
        Ok(Self {
            address: environment.own(CLIENT_PORT)?,
            sync_reads: environment.choice("ZOOKEEPER_READS", &reads)?,
        })
    }
}

impl Database for Zookeeper {
    type Session = Client;

    async fn open(&self) -> Result<Client, String> {
        let connector = Client::connector().with_session_timeout(SESSION_TIMEOUT);
        let connecting = connector.with_fail_eagerly().connect(&self.address.to_string()).await;
        connecting.map_err(|error| error.to_string())
    }

    /// The client would connect again by itself, and send then what it is asked meanwhile; a new one fails at once.
    async fn is_open(&self, client: &mut Client) -> bool {
        client.state() == SessionState::SyncConnected
    }

    async fn perform(
        &self,
        client: &mut Client,
        operation: &Operation,
    ) -> Result<Outcome, Refusal> {
        operations::perform(client, operation, self.sync_reads).await
    }
}
