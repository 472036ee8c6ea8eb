//! One replica of the store.

use std::process::ExitCode;

use contract::Launch;
use kv::{ExactlyOnce, Store};
use viewstamped::{Config, Replica, message::Record};

fn main() -> ExitCode {
    node::main_with(make)
}

fn make(launch: &Launch, records: Vec<Record>) -> Replica<ExactlyOnce<Store>> {
    Replica::new(Config::from(launch), ExactlyOnce::new(Store::default()), records)
}
