//! The one node of the store.

use std::process::{self, ExitCode};

use contract::Launch;
use exactly_once::{Record, Server};
use kv::{ExactlyOnce, Store};

fn main() -> ExitCode {
    node::main_with(make)
}

fn make(launch: &Launch, records: Vec<Record>) -> Server<ExactlyOnce<Store>> {
    let fail = |reason: String| -> ! {
        tracing::error!("{reason}");
        process::exit(1)
    };
    if launch.members.len() > 1 {
        fail(format!(
            "this store is one server and copies nothing to others, but DS_MEMBERS names {}: start one node",
            launch.members.join(", ")
        ));
    }
    let store = ExactlyOnce::new(Store::default());
    Server::new(store, launch.snapshot_bytes, records)
        .unwrap_or_else(|reason| fail(format!("{}: {reason}", launch.data.display())))
}
