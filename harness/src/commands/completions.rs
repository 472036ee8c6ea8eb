//! `harness completions`: what completes command lines in a shell.

use clap::CommandFactory;

use super::say;
use crate::{
    cli::{Cli, CompletionsArguments},
    exit::{Exit, Failure},
};

/// Prints the script for the shell.
///
/// # Errors
/// The script is no text, which cannot be.
pub fn completions(arguments: &CompletionsArguments) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "harness", &mut script);
    let script = String::from_utf8(script).map_err(|error| Failure::Failed(error.to_string()))?;
    say(script.trim_end());
    Ok(Exit::Valid)
}
