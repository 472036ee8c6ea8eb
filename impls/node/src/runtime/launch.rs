//! A node's `main`: where its launch comes from and how it ends.

use std::{collections::BTreeMap, io, process::ExitCode};

use contract::{
    Launch,
    launch::{VARIABLES, Variable},
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{RuntimeError, serve};
use crate::Protocol;

/// Everything a node's `main` does: reads the launch from the environment and from flags of the same name, which take
/// precedence, logs to stderr, and serves until SIGTERM or SIGINT.
///
/// The exit code is 0 after a signal, 2 where the launch does not parse, 1 after any other failure.
pub fn main_with<P: Protocol>(make: impl FnOnce(&Launch, Vec<P::Record>) -> P) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    main_from(&arguments, make)
}

/// [`main_with`] with other flags than the process's own.
pub fn main_from<P: Protocol>(
    arguments: &[String],
    make: impl FnOnce(&Launch, Vec<P::Record>) -> P,
) -> ExitCode {
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
    let launch = match launch_from(arguments) {
        Ok(launch) => launch,
        Err(reason) => {
            eprintln!("{reason}\nSet it in the environment or as a flag; --help lists them all.");
            return ExitCode::from(2);
        }
    };
    match run(launch, make) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The launch in these flags, and in the environment where a flag is missing.
///
/// # Errors
/// Names the flag or variable that is missing or wrong, and what was expected.
pub fn launch_from(arguments: &[String]) -> Result<Launch, String> {
    let flags = parse_flags(arguments)?;
    Launch::from_lookup(|name| flags.get(name).cloned().or_else(|| std::env::var(name).ok()))
}

fn run<P: Protocol>(
    launch: Launch,
    make: impl FnOnce(&Launch, Vec<P::Record>) -> P,
) -> Result<(), RuntimeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| RuntimeError::Io { doing: "start the runtime", source })?;
    let result = runtime.block_on(async {
        let watch = |kind| {
            signal(kind).map_err(|source| RuntimeError::Io { doing: "watch for signals", source })
        };
        let mut terminate = watch(SignalKind::terminate())?;
        let mut interrupt = watch(SignalKind::interrupt())?;
        let shutdown = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        serve(launch, make, shutdown).await
    });
    // Connections that are still open wait for nothing worth waiting for.
    runtime.shutdown_background();
    result
}

/// Reads `--NAME value` and `--NAME=value`.
fn parse_flags(arguments: &[String]) -> Result<BTreeMap<String, String>, String> {
    let mut flags = BTreeMap::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let flag = argument.strip_prefix("--").ok_or_else(|| format!("{argument}: not a flag"))?;
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        if !VARIABLES.iter().any(|variable| variable.name == name) {
            return Err(format!("--{name}: no such flag"));
        }
        let value = value.or_else(|| rest.next().cloned());
        let value = value.ok_or_else(|| format!("--{name}: its value is missing"))?;
        flags.insert(name.to_owned(), value);
    }
    Ok(flags)
}

/// What launch variables there are, and what they mean.
#[must_use]
pub fn help() -> String {
    let intro = "One node of a store. Each of these is an environment variable and a flag \
                 (--DS_NODE n1), which takes precedence:\n";
    let lines = VARIABLES.iter().map(|Variable { name, example, meaning, availability }| {
        format!("  {name:<18} {meaning} Example: {example}{}\n", availability.mark())
    });
    std::iter::once(intro.to_owned()).chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<BTreeMap<String, String>, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse_flags(&words)
    }

    #[test]
    fn flags_have_the_names_of_the_variables() {
        let flags = parse("--DS_NODE n1 --DS_LISTEN=127.0.0.1:1 --DS_SNAPSHOT_BYTES -1").unwrap();
        assert_eq!(flags["DS_NODE"], "n1");
        assert_eq!(flags["DS_LISTEN"], "127.0.0.1:1");
        assert_eq!(flags["DS_SNAPSHOT_BYTES"], "-1");
    }

    #[test]
    fn a_wrong_flag_is_named() {
        for (line, expected) in [
            ("--DS_NOD n1", "--DS_NOD: no such flag"),
            ("n1", "n1: not a flag"),
            ("--DS_NODE", "--DS_NODE: its value is missing"),
        ] {
            assert_eq!(parse(line).unwrap_err(), expected);
        }
    }

    #[test]
    fn the_help_names_every_variable() {
        assert!(VARIABLES.iter().all(|variable| help().contains(variable.name)));
    }
}
