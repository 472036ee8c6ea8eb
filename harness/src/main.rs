//! The `harness` program.

use std::process::ExitCode;

use clap::Parser;
use harness::{cli::Cli, commands};

fn main() -> ExitCode {
    // Before any thread exists: the harness starts itself again as the supervisor of each node.
    cluster::shim::run_if_requested();
    ExitCode::from(commands::dispatch(&Cli::parse()) as u8)
}
