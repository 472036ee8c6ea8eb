//! One node of the Raft store.

use std::process::{self, ExitCode};

use contract::Launch;
use kv::{ExactlyOnce, Store};
use raft::{Config, Raft, Record};

fn main() -> ExitCode {
    node::main_with(make)
}

fn make(launch: &Launch, records: Vec<Record>) -> Raft<ExactlyOnce<Store>> {
    let store = ExactlyOnce::new(Store::default());
    Raft::new(Config::from(launch), store, records).unwrap_or_else(|reason| {
        // A server that has forgotten its vote or its log must not take part.
        tracing::error!("{}: {reason}; restore or replace the folder", launch.data.display());
        process::exit(1)
    })
}
