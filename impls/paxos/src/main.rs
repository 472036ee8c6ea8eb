//! One node of the Multi-Paxos store. `--naive`: both phases for every command, for comparison.

use std::process::{self, ExitCode};

use contract::Launch;
use kv::{ExactlyOnce, Store};
use multi_paxos::{Config, Paxos, message::Record};

fn main() -> ExitCode {
    let (flags, rest): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument == "--naive");
    let naive = !flags.is_empty();
    node::main_from(&rest, |launch, records| {
        make(Config { naive, ..launch.into() }, launch, records)
    })
}

fn make(config: Config, launch: &Launch, records: Vec<Record>) -> Paxos<ExactlyOnce<Store>> {
    let store = ExactlyOnce::new(Store::default());
    Paxos::new(config, store, records).unwrap_or_else(|reason| {
        // A node that has forgotten its promises must not take part.
        tracing::error!("{}: {reason}; restore or replace the folder", launch.data.display());
        process::exit(1)
    })
}
