//! Other linearizability checkers beside ours, on the same histories, as one table:
//!
//! ```text
//! cargo run --release --manifest-path checker/comparison/Cargo.toml
//! ```
//!
//! Seconds are processor time of the check alone, the history being there in the checker's own form; the median of
//! a few runs, each checker in a process of its own and within limits. The exit code is 1 where a verdict is wrong.

mod cell;
mod checkers;
mod object;
mod recorded;
mod rows;
#[path = "../../linearizability/tests/common/synthetic.rs"]
mod synthetic;
mod table;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use linearizability::Limits;

use cell::Outcome;
use checkers::Checker;
use rows::Row;

/// Other linearizability checkers beside ours, on the same histories.
#[derive(Parser)]
struct Arguments {
    /// Only rows whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Processor time of one check, in seconds.
    #[arg(long, default_value_t = 10.0)]
    limit: f64,
    /// Memory of one check's process, in bytes.
    #[arg(long, default_value_t = 8_000_000_000)]
    memory_limit: u64,
    /// Fill one cell and say so as JSON: the row's number and the checker.
    #[arg(long, num_args = 2, hide = true)]
    cell: Option<Vec<String>>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    compare(&arguments).unwrap_or_else(|message| {
        eprintln!("{message}");
        ExitCode::from(2)
    })
}

fn compare(arguments: &Arguments) -> Result<ExitCode, String> {
    let time = Duration::try_from_secs_f64(arguments.limit).map_err(|e| format!("--limit: {e}"))?;
    let memory_bytes = arguments.memory_limit;
    // One thread, so that figures compare.
    let limits = Limits { time, memory_bytes, threads: Some(1), cancel: None };
    let rows = rows()?;
    if let Some([row, checker]) = arguments.cell.as_deref() {
        let row = row.parse().ok().and_then(|row: usize| rows.get(row)).ok_or("no such row")?;
        cell::answer(row, Checker::from_str(checker, false)?, &limits);
    }
    let is_wanted = |row: &Row| row.name.contains(&arguments.only);
    if !rows.iter().any(is_wanted) {
        return Err(format!("no row's name contains {:?}", arguments.only));
    }
    println!("{}", table::head(Checker::value_variants().iter().map(ToString::to_string)));
    let (mut complaints, mut is_wrong) = (Vec::new(), false);
    for (i, row) in rows.iter().enumerate().filter(|(_, row)| is_wanted(row)) {
        let ask = |&checker| cell::ask(i, checker, &limits);
        let outcomes: Vec<Outcome> = Checker::value_variants().iter().map(ask).collect();
        println!("{}", table::row(&row.name, &row.expected, &outcomes, &limits));
        for (checker, outcome) in Checker::value_variants().iter().zip(&outcomes) {
            match outcome {
                Outcome::Decided { verdicts, .. } if table::is_wrong(verdicts, &row.expected) => {
                    is_wrong = true;
                    complaints.push(format!("WRONG: {checker} on {}", row.name));
                }
                Outcome::Broke(how) => {
                    complaints.push(format!("{checker} broke on {}: {how}", row.name));
                }
                _ => {}
            }
        }
    }
    for complaint in &complaints {
        println!("{complaint}");
    }
    Ok(ExitCode::from(u8::from(is_wrong)))
}

/// Recorded histories, where there are any, and generated ones.
fn rows() -> Result<Vec<Row>, String> {
    let mut rows = match std::env::var_os("BENCH_HISTORIES") {
        Some(folder) => recorded::rows(Path::new(&folder))?,
        None => {
            eprintln!("skipped: recorded histories, for BENCH_HISTORIES names no folder of them");
            Vec::new()
        }
    };
    rows.extend(rows::generated());
    Ok(rows)
}
