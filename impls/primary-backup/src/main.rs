//! One node of the store: a server, or the view service.

use std::process::{self, ExitCode};

use contract::Launch;
use kv::{ExactlyOnce, Store};
use primary_backup::{Config, Node, message::Record};

fn main() -> ExitCode {
    node::main_with(make)
}

fn make(launch: &Launch, records: Vec<Record>) -> Node<ExactlyOnce<Store>> {
    let store = ExactlyOnce::new(Store::default());
    let node = Config::of(launch).and_then(|config| Node::new(config, store, records));
    node.unwrap_or_else(|reason| {
        tracing::error!("{}: {reason}", launch.data.display());
        process::exit(1)
    })
}
