//! One node of the Multi-Paxos store.

use std::process::{self, ExitCode};

use contract::Launch;
use kv::{ExactlyOnce, Store};
use multi_paxos::{Config, Paxos, message::Record};

fn main() -> ExitCode {
    node::main_with(make)
}

fn make(launch: &Launch, records: Vec<Record>) -> Paxos<ExactlyOnce<Store>> {
    let store = ExactlyOnce::new(Store::default());
    Paxos::new(Config::from(launch), store, records).unwrap_or_else(|reason| {
        // A node that has forgotten its promises must not take part.
        tracing::error!("{}: {reason}; restore or replace the folder", launch.data.display());
        process::exit(1)
    })
}
