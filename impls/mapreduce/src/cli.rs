//! The command line: a node, or one of two commands.

mod children;
mod progress;
mod run;

use std::{
    ffi::OsString,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{
    app::{App, Apps, Entry},
    coordinator::REDUCERS_MAX,
    failure::Failure,
    files,
    launch::{GUARD, Launch},
    node, sequential,
};

/// MapReduce: one coordinator and workers that may die.
///
/// With a command it runs one job. Without, it is a node, which the environment or flags describe.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a job with a coordinator and workers, each a process of its own on this machine.
    Run {
        #[command(flatten)]
        job: Job,
        /// The number of workers.
        #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
        workers: u16,
    },
    /// Run a job in one process, in the simplest way; its outputs are those of `run`, byte for byte.
    Sequential {
        #[command(flatten)]
        job: Job,
    },
}

/// A job on the command line.
#[derive(Args)]
struct Job {
    /// The application.
    #[arg(long)]
    app: String,
    /// The number of reduce tasks, and of outputs.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=i64::from(REDUCERS_MAX)))]
    reducers: u32,
    /// The folder for the outputs, `mr-out-j1-0` and so on; made if it is missing. Nothing in it is replaced.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Text files.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
}

/// Everything the `main` of a program with applications does: it is a node where the environment or flags say so, or runs
/// the command that it is given. `own` applications come to those of the crate.
pub fn main_with(own: &[Entry]) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let is_node = match arguments.first() {
        Some(first) => first.to_string_lossy().starts_with("--DS_"),
        None => std::env::var_os("DS_ROLE").is_some(),
    };
    if is_node { node_main(&arguments, own) } else { command_main(own) }
}

/// Runs a node with these flags, whatever the process's own are.
pub fn node_main(flags: &[OsString], own: &[Entry]) -> ExitCode {
    let launch = match Launch::read(flags) {
        Ok(launch) => launch,
        Err(reason) => {
            eprintln!("{reason}\nSet it in the environment or as a flag; --help lists them all.");
            return ExitCode::from(2);
        }
    };
    end(node::run(&launch, Apps::with(own)).map(|()| ExitCode::SUCCESS))
}

fn command_main(own: &[Entry]) -> ExitCode {
    let apps = Apps::with(own);
    let command = parse(&apps);
    let (Command::Run { job, .. } | Command::Sequential { job }) = &command;
    let app = match apps.get(&job.app) {
        Ok(app) => app,
        Err(reason) => {
            eprintln!("--app: {reason}");
            return ExitCode::from(2);
        }
    };
    let is_new = !job.out.exists();
    let ended = match &command {
        Command::Run { job, workers } => run::run(job, *workers),
        Command::Sequential { job } => sequential(app, job),
    };
    if is_new {
        // It goes if it is empty: a run without outputs leaves nothing behind.
        let _ = fs::remove_dir(&job.out);
    }
    end(ended)
}

/// Reads the command line; one that is wrong ends the process.
fn parse(apps: &Apps) -> Command {
    let help = format!(
        "Applications: {}\n\nWithout a command: {}  {GUARD}  In the environment only; if set: end when stdin closes, and remove this folder.\n",
        apps.names(),
        ::node::runtime::launch::help()
    );
    let matches = Cli::command().after_help(help).get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()).command
}

fn end(ended: Result<ExitCode, String>) -> ExitCode {
    ended.unwrap_or_else(|reason| {
        eprintln!("error: {reason}");
        ExitCode::FAILURE
    })
}

fn sequential(app: &dyn App, job: &Job) -> Result<ExitCode, String> {
    let told = |failure: Failure| failure.to_string();
    let contents = sequential::run(app, &job.inputs, job.reducers).map_err(told)?;
    let scratch = scratch(&job.out)?;
    let write = |(number, content): (usize, &String)| {
        let path = scratch.path().join(number.to_string());
        files::write_durably(&path, content.as_bytes()).map(|()| path)
    };
    let outputs: Result<Vec<PathBuf>, Failure> = contents.iter().enumerate().map(write).collect();
    print(&publish(&outputs.map_err(told)?, &job.out)?)
}

/// Prints what a command found out, if somebody still reads it.
fn print(text: &str) -> Result<ExitCode, String> {
    let printed = writeln!(std::io::stdout(), "{text}").map(|()| ExitCode::SUCCESS);
    printed.map_err(|error| format!("cannot write to stdout: {error}; it was: {text}"))
}

/// A folder within the one for outputs, so that these only have to be renamed. It is removed when it is dropped.
fn scratch(out: &Path) -> Result<tempfile::TempDir, String> {
    let cannot = |error| format!("cannot create a folder in {}: {error}", out.display());
    fs::create_dir_all(out).map_err(cannot)?;
    let out = std::path::absolute(out).map_err(cannot)?;
    tempfile::Builder::new().prefix(".mr-run-").tempdir_in(out).map_err(cannot)
}

/// Gives outputs their places, under the number of a job that has none there. Returns a sentence on where they are.
fn publish(outputs: &[PathBuf], out: &Path) -> Result<String, String> {
    let place = || {
        let job = files::next_job(out)?;
        let places: Vec<PathBuf> = (0..)
            .zip(outputs)
            .map(|(number, _)| out.join(files::output_name(job, number)))
            .collect();
        for (output, place) in outputs.iter().zip(&places) {
            files::publish(output, place).inspect_err(|_| files::remove_files(&places))?;
        }
        Ok(places)
    };
    let places = place().map_err(|failure: Failure| failure.to_string())?;
    let first = places.first().map(|place| place.display().to_string()).unwrap_or_default();
    Ok(match places.last().filter(|_| places.len() > 1) {
        Some(last) => format!("{} outputs: {first} to {}", places.len(), last.display()),
        None => format!("1 output: {first}"),
    })
}
