//! The `harness` program.

use std::process::ExitCode;

use clap::Parser;
use harness::{cli::Cli, commands};

fn main() -> ExitCode {
    // Before any thread exists: the harness starts itself again as the supervisor of each node.
    cluster::shim::run_if_requested();
    // For all threads to come. Where this fails, a file that grows too large still ends the program.
    let _ = cluster::survive_file_size_limit();
    match Cli::try_parse() {
        Ok(cli) => ExitCode::from(commands::dispatch(&cli) as u8),
        Err(error) => {
            let json = std::env::args_os().any(|argument| argument == "--json");
            ExitCode::from(commands::refuse(&error, json) as u8)
        }
    }
}
