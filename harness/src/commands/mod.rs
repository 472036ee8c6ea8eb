//! The subcommands: one file each.

pub mod bugs;
pub mod check;
pub mod completions;
pub mod doctor;
pub mod export;
pub mod faults;
pub mod generate;
pub mod manual;
mod output;
mod recording;
pub mod run;
pub mod shrink;
pub mod up;
mod verdict;

use record::ResultsFile;

use crate::{
    cli::{Cli, Command},
    exit::{Exit, Failure},
};
use output::{complain, say, say_json};

/// Does what the command line asks for; a failure becomes a sentence and an exit code.
#[must_use]
pub fn dispatch(cli: &Cli) -> Exit {
    let (outcome, json) = match &cli.command {
        Command::Run(arguments) => (run::run(arguments), arguments.json),
        Command::Up(arguments) => (up::up(arguments), false),
        Command::Check(arguments) => (check::check(arguments), arguments.json),
        Command::Shrink(arguments) => (shrink::shrink(arguments), false),
        Command::Bugs(arguments) => (bugs::bugs(arguments), arguments.json),
        Command::Faults => (Ok(faults::faults()), false),
        Command::Doctor(arguments) => (doctor::doctor(arguments), arguments.json),
        Command::Generate(arguments) => (generate::generate(arguments), false),
        Command::Export(arguments) => (export::export(arguments), false),
        Command::Completions(arguments) => (completions::completions(arguments), false),
        Command::Manual(arguments) => (manual::manual(arguments), false),
    };
    let exit = outcome.unwrap_or_else(|failure| {
        if json {
            say_failure(failure.exit(), &failure.to_string());
        }
        complain(&failure.to_string());
        failure.exit()
    });
    told(exit)
}

/// The exit code, once everything has been said that was to be said.
fn told(exit: Exit) -> Exit {
    if output::stdout_refused() { exit.with_failure() } else { exit }
}

/// Says what is wrong with the command line, or prints the help that it asked for.
#[must_use]
pub fn refuse(error: &clap::Error, json: bool) -> Exit {
    if !error.use_stderr() {
        output::print_clap(error);
        return told(Exit::Valid);
    }
    if json {
        // The first paragraph; what follows is advice for people.
        let text = error.render().to_string();
        let message = text.split("\n\n").next().unwrap_or_default();
        let words: Vec<&str> =
            message.split_whitespace().skip_while(|&word| word == "error:").collect();
        say_failure(Exit::Usage, &words.join(" "));
    }
    output::print_clap(error);
    Exit::Usage
}

/// The document where there is no answer.
fn say_failure(exit: Exit, error: &str) {
    say_json(&serde_json::json!({ "verdict": null, "exit": exit as u8, "error": error }));
}

/// The names of the checks that found a violation.
fn names_of_failed_checks(results: &ResultsFile) -> impl Iterator<Item = String> {
    let failed = results.checks.iter().filter(|check| !check.violations.is_empty());
    failed.map(|check| check.checker.clone())
}

/// Runs asynchronous work on a runtime of its own.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
