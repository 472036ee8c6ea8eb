//! One node of the store of registers.

use std::process::ExitCode;

use contract::Launch;
use kv::{ExactlyOnce, Store};
use single_decree::{Config, Registers, message::Record};

/// Answers are remembered within this much in each register: its whole state travels with each operation.
const ANSWER_BYTES_MAX: usize = 16 << 10;

fn main() -> ExitCode {
    node::main_with(make)
}

fn make(launch: &Launch, records: Vec<Record>) -> Registers<ExactlyOnce<Store>> {
    let initial = || ExactlyOnce::remembering(Store::default(), ANSWER_BYTES_MAX);
    Registers::new(Config::from(launch), Box::new(initial), records)
}
