//! Other checkers of isolation beside ours, on the same histories, as one table:
//!
//! ```text
//! cargo run --release --manifest-path checker/comparison/isolation/Cargo.toml
//! ```
//!
//! Ours finds every anomaly and rules out models, up to strict serializability, in one go; the others answer for one
//! level at a time.

mod checkers;
mod rows;
mod told;

use std::process::ExitCode;

use comparison::{Check, Comparison, Limits, Row};

use checkers::Checker;
use rows::History;

fn main() -> ExitCode {
    comparison::run(&Isolation)
}

struct Isolation;

impl Comparison for Isolation {
    type History = History;

    fn checkers(&self) -> Vec<String> {
        Checker::ALL.iter().map(ToString::to_string).collect()
    }

    fn rows(&self) -> Result<Vec<Row<History>>, String> {
        Ok(rows::all())
    }

    fn prepare<'a>(
        &self,
        checker: usize,
        history: &'a History,
        _: &'a Limits,
    ) -> Result<Check<'a>, String> {
        Ok(Checker::ALL[checker].prepare(history))
    }
}
