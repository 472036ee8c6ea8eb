//! Lets the bench test etcd, through its JSON gateway.
//!
//! | variable | values | meaning |
//! |---|---|---|
//! | `ETCD_READS` | `linearizable` (default), `serializable` | how keys are read: after agreement with a majority, or from the node's own copy, which may be stale |

mod errors;
mod gateway;
mod messages;
mod operations;

use std::{net::SocketAddr, process::ExitCode};

use adapter::{Database, Environment};
use contract::{Operation, Outcome, Refusal};

use gateway::Gateway;

/// The port on which etcd serves clients, unless told otherwise.
const CLIENT_PORT: u16 = 2379;

fn main() -> ExitCode {
    adapter::main_with(Etcd::from_environment)
}

struct Etcd {
    address: SocketAddr,
    /// Whether reads ask nobody but the node itself.
    serializable_reads: bool,
}

impl Etcd {
    fn from_environment(environment: &Environment) -> Result<Self, String> {
        let reads = [("linearizable", false), ("serializable", true)];
        Ok(Self {
            address: environment.own(CLIENT_PORT)?,
            serializable_reads: environment.choice("ETCD_READS", &reads)?,
        })
    }
}

impl Database for Etcd {
    type Session = Gateway;

    async fn open(&self) -> Result<Gateway, String> {
        Gateway::open(self.address).await
    }

    async fn is_open(&self, gateway: &mut Gateway) -> bool {
        gateway.is_open().await
    }

    async fn perform(
        &self,
        gateway: &mut Gateway,
        operation: &Operation,
    ) -> Result<Outcome, Refusal> {
        operations::perform(gateway, operation, self.serializable_reads).await
    }
}
