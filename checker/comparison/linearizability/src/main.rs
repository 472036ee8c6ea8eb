//! Other linearizability checkers beside ours, on the same histories, as one table:
//!
//! ```text
//! cargo run --release --manifest-path checker/comparison/Cargo.toml
//! ```

mod checkers;
mod object;
mod recorded;
mod rows;

use std::path::Path;
use std::process::ExitCode;

use checker_testing::linearizability::synthetic;
use comparison::{Check, Comparison, Limits, Row};

use checkers::Checker;
use rows::History;

fn main() -> ExitCode {
    comparison::run(&Linearizability)
}

struct Linearizability;

impl Comparison for Linearizability {
    type History = History;

    fn checkers(&self) -> Vec<String> {
        Checker::ALL.iter().map(ToString::to_string).collect()
    }

    /// Recorded histories, where there are any, and generated ones.
    fn rows(&self) -> Result<Vec<Row<History>>, String> {
        let mut rows = match std::env::var_os("BENCH_HISTORIES") {
            Some(folder) => recorded::rows(Path::new(&folder))?,
            None => {
                eprintln!(
                    "skipped: recorded histories, for BENCH_HISTORIES names no folder of them"
                );
                Vec::new()
            }
        };
        rows.extend(rows::generated());
        Ok(rows)
    }

    fn prepare<'a>(
        &self,
        checker: usize,
        history: &'a History,
        limits: &'a Limits,
    ) -> Result<Check<'a>, String> {
        Checker::ALL[checker].prepare(history, limits)
    }
}
