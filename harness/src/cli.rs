//! The command line: parsed first, acted on later.

mod help;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use isolation::Consistency;
use record::Required;

use crate::{confine::Confine, duration::parse_duration, nemesis::Families, size::parse_bytes};

/// Starts a key-value store as real processes, breaks it, records what its clients see and decides from the record
/// alone whether it kept its promises.
#[derive(Debug, Parser)]
#[command(name = "harness", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 valid, 1 violation, 2 usage, 3 inconclusive, 4 the submission is broken, \
                        5 the harness or the machine failed, 130 interrupted."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands; one file each under `commands/`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a store, run a workload against it under faults, and judge the record
    #[command(after_help = help::workloads_in_sentences())]
    Run(RunArguments),
    /// Start a store and keep it running: ask it and break it by hand, at a prompt or from a script on stdin
    Up(UpArguments),
    /// Judge a results folder again, from its record alone, or any tool's history against a model
    Check(CheckArguments),
    /// Find the fewest faults, clients and nodes under which the failure of a run still comes back
    Shrink(ShrinkArguments),
    /// Build and run the planted bugs: which are caught, how fast, how often
    Bugs(BugsArguments),
    /// What the bench breaks: the kinds of faults, and the scenarios made of them
    Faults,
    /// What this machine can and cannot do, and what each lack means
    Doctor(DoctorArguments),
    /// Write a synthetic history of transactions, right or with one anomaly, to try checkers on
    Generate(GenerateArguments),
    /// Write the messages of a run as a log that another tool draws
    Export(ExportArguments),
    /// Print what completes this program's command lines in a shell
    Completions(CompletionsArguments),
    /// Write the manual pages into a folder: one of the program, one of each command
    Manual(ManualArguments),
}

/// The path that stands for what comes on stdin.
pub const STDIN: &str = "-";

/// Where results folders go if nothing else is said.
pub const DEFAULT_OUT: &str = "results";

/// `harness run`.
#[derive(Clone, Debug, Args)]
pub struct RunArguments {
    /// A folder with a submission.toml [default: the reference store]
    pub target: Option<PathBuf>,
    /// What the clients do and what must hold
    #[arg(long, help = help::workloads())]
    pub workload: Option<String>,
    /// Fault families
    #[arg(long, help = help::faults())]
    pub faults: Option<Families>,
    /// From the start of one fault to the start of the next [default: as soon as the store serves again]
    #[arg(long, value_parser = parse_duration)]
    pub fault_interval: Option<Duration>,
    /// Break what this plan says instead of what the seed decides: a file of `harness shrink`, or the results folder of a run
    #[arg(long, value_name = "PLAN", conflicts_with_all = ["faults", "fault_interval"])]
    pub plan: Option<PathBuf>,
    /// Go on after a violation is proven, to recovery and final reads
    #[arg(long)]
    pub to_the_end: bool,
    /// How long the clients run under faults
    #[arg(long, value_parser = parse_duration, default_value = "30s")]
    pub time_limit: Duration,
    /// The consistency level that the store is held to, such as serializable or snapshot-isolation [default: what its
    /// manifest promises, else the strongest]
    #[arg(long, value_name = "LEVEL")]
    pub consistency: Option<Consistency>,
    /// How many nodes [default: 3; 1 if the store serves only `exactly-once-kv`]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=15))]
    pub nodes: Option<u32>,
    /// How many clients, each with one operation at a time
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub clients: u32,
    /// Operations a second over all clients [default: as fast as they are answered]
    #[arg(long, value_parser = parse_rate)]
    pub rate: Option<f64>,
    /// Decides workload and fault plan [default: random, and printed]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Run this many times with the same seed and say how often a failure came back
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub repeat: u32,
    /// What the run must have seen to be called valid
    #[arg(long, default_value_t, hide_default_value = true, value_name = "NAME=N,…", help = help::require())]
    pub require: Required,
    /// How long the checkers may take [default: what is left of 20s after the main phase]
    #[arg(long, value_parser = parse_duration)]
    pub check_time_limit: Option<Duration>,
    /// What the nodes are kept to
    #[arg(long, value_enum, default_value_t)]
    pub confine: Confine,
    /// Where results folders go
    #[arg(long, default_value = DEFAULT_OUT)]
    pub out: PathBuf,
    /// Print one JSON document on stdout and everything else on stderr
    #[arg(long)]
    pub json: bool,
}

/// `harness up`.
#[derive(Clone, Debug, Args)]
pub struct UpArguments {
    /// A folder with a submission.toml [default: the reference store]
    pub target: Option<PathBuf>,
    /// How many nodes [default: 3; 1 if the store serves only `exactly-once-kv`]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=15))]
    pub nodes: Option<u32>,
    /// What the session must have seen to be called valid
    #[arg(long, default_value_t, hide_default_value = true, value_name = "NAME=N,…", help = help::require())]
    pub require: Required,
    /// What the nodes are kept to
    #[arg(long, value_enum, default_value_t)]
    pub confine: Confine,
    /// Where results folders go
    #[arg(long, default_value = DEFAULT_OUT)]
    pub out: PathBuf,
}

/// `harness check`.
#[derive(Clone, Debug, Args)]
pub struct CheckArguments {
    /// Results folders, such as results/latest, or files with any tool's histories (then with --model); `-` is what comes
    /// on stdin
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What the history must be
    #[arg(long, help = help::models())]
    pub model: Option<String>,
    /// What must be kept, such as serializable or snapshot-isolation [default for a results folder: what the run was held
    /// to; for a history of transactions: strict-serializable]
    /// (several levels with commas: one verdict each)
    #[arg(long, value_name = "LEVEL,…", value_delimiter = ',')]
    pub consistency: Vec<Consistency>,
    /// How the file is written
    #[arg(long, requires = "model", help = help::formats())]
    pub format: Option<String>,
    /// The value before the first operation, as JSON [default: nil, for a counter 0]
    #[arg(long, requires = "model", value_parser = parse_json)]
    pub initial: Option<String>,
    /// How long the checkers may take
    #[arg(long, value_parser = parse_duration, default_value = "60s")]
    pub time_limit: Duration,
    /// How much memory the history may take, and the search beside it
    #[arg(long, value_parser = parse_bytes, default_value = "4GB")]
    pub memory_limit: u64,
    /// Write a page about the answer into this file; a results folder always gets one
    #[arg(long, requires = "model", value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Print one JSON document on stdout and everything else on stderr
    #[arg(long)]
    pub json: bool,
}

/// `harness shrink`.
#[derive(Clone, Debug, Args)]
pub struct ShrinkArguments {
    /// The results folder of a run that failed, such as results/latest
    pub run: PathBuf,
    /// Where to write the plan
    #[arg(long, value_name = "FILE", default_value = "plan.json")]
    pub plan: PathBuf,
    /// How many runs decide that the failure does not come back
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub tries: u32,
    /// How many runs count how often it comes back in the end
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub times: u32,
}

/// `harness bugs`.
#[derive(Clone, Debug, Args)]
pub struct BugsArguments {
    /// Only bugs whose name contains this
    pub filter: Option<String>,
    /// Runs per bug, with seeds 1, 2, 3…
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub seeds: u32,
    /// Run mutants instead, with one seed: those that `cargo mutants --list --json --diff` wrote into this file
    #[arg(long, value_name = "LIST", conflicts_with = "seeds")]
    pub mutants: Option<PathBuf>,
    /// So many mutants that pass a run without faults; which, is random but always the same
    #[arg(long, value_name = "MUTANTS", default_value_t = 120, requires = "mutants")]
    pub sample: usize,
    /// Keep a row for each run in this file, and do not repeat the runs that it has
    #[arg(long, value_name = "FILE")]
    pub table: Option<PathBuf>,
    /// Options of `harness run` for every run [default: none]
    #[arg(last = true, value_name = "OPTIONS")]
    pub run_options: Vec<String>,
    /// Only list the bugs and their stories
    #[arg(long)]
    pub list: bool,
    /// Print one JSON document on stdout and everything else on stderr
    #[arg(long)]
    pub json: bool,
}

/// `harness doctor`.
#[derive(Clone, Debug, Args)]
pub struct DoctorArguments {
    /// Print one JSON document on stdout
    #[arg(long)]
    pub json: bool,
}

/// `harness generate`.
#[derive(Clone, Debug, Args)]
pub struct GenerateArguments {
    /// Where to: `.edn` as Jepsen writes it, else JSON Lines as this bench does
    pub file: PathBuf,
    /// What the keys hold
    #[arg(long, default_value = "list-append", help = help::datatypes())]
    pub model: String,
    /// How many transactions
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub transactions: u32,
    /// How many clients run them
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub clients: u32,
    /// Decides everything; the same seed gives the same file
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// What goes wrong in the middle: an anomaly such as G-single-item, or stale-read [default: nothing]
    #[arg(long, value_name = "ANOMALY")]
    pub inject: Option<String>,
    /// Replace the file if it is there already
    #[arg(long)]
    pub force: bool,
}

/// `harness export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArguments {
    /// A results folder, such as results/latest
    pub run: PathBuf,
    /// For ShiViz, which draws what happened before what: a store must send X-DS-Vector for that
    #[arg(long, required = true)]
    pub shiviz: bool,
    /// Only messages that passed from this moment of the run on, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub from_ms: u64,
    /// Only messages that passed until then [default: to the end]
    #[arg(long, value_name = "MS")]
    pub to_ms: Option<u64>,
    /// At most so many messages, the earliest
    #[arg(long, value_name = "MESSAGES", default_value_t = 1000)]
    pub limit: usize,
    /// Into this file, which must not be there yet [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `harness completions`.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArguments {
    /// The shell
    pub shell: Shell,
}

/// `harness manual`.
#[derive(Clone, Debug, Args)]
pub struct ManualArguments {
    /// Where to; it is made if it is not there
    pub folder: PathBuf,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.01..=1e6).contains(&rate) => Ok(rate),
        _ => Err("expected operations a second, between 0.01 and 1000000".to_owned()),
    }
}

/// The text, if it is JSON.
fn parse_json(text: &str) -> Result<String, String> {
    let value = history::Datum::from_json(text);
    value.map(|_| text.to_owned()).map_err(|error| format!("{error}; strings need quotes: '\"x\"'"))
}
