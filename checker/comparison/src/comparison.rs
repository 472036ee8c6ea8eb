//! What a comparison is of, and its main function.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use history::Verdict;

use crate::cell::{self, Limits, Outcome};
use crate::table;

/// A check, ready to be timed: one verdict for each history.
pub type Check<'a> = Box<dyn FnOnce() -> Vec<Verdict> + 'a>;

/// Checkers, and histories for them.
pub trait Comparison: Sync {
    /// What is checked.
    type History;

    /// What the checkers are called; the first is ours, which the others are measured by.
    fn checkers(&self) -> Vec<String>;

    /// The histories, one row of the table each.
    ///
    /// # Errors
    /// Why there are none.
    fn rows(&self) -> Result<Vec<Row<Self::History>>, String>;

    /// Everything up to the check itself: a history in the form of the checker with this number.
    ///
    /// # Errors
    /// A history that this checker cannot be told.
    fn prepare<'a>(
        &self,
        checker: usize,
        history: &'a Self::History,
        limits: &'a Limits,
    ) -> Result<Check<'a>, String>;
}

/// A row of the table.
pub struct Row<H> {
    /// What it is called.
    pub name: String,
    /// The right answer of each checker: a verdict on each of the row's histories.
    pub expected: Vec<Vec<Verdict>>,
    /// Makes or reads the history.
    pub history: Box<dyn Fn() -> Result<H, String> + Sync>,
}

/// Checkers side by side on the same histories.
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
    /// Fill one cell and say so as JSON: the numbers of the row and the checker.
    #[arg(long, num_args = 2, hide = true)]
    cell: Option<Vec<usize>>,
}

/// The main function of a comparison.
#[must_use]
pub fn run(comparison: &impl Comparison) -> ExitCode {
    compare(comparison, &Arguments::parse()).unwrap_or_else(|message| {
        eprintln!("{message}");
        ExitCode::from(2)
    })
}

fn compare<C: Comparison>(comparison: &C, arguments: &Arguments) -> Result<ExitCode, String> {
    let time = Duration::try_from_secs_f64(arguments.limit).map_err(|e| format!("--limit: {e}"))?;
    let limits = Limits { time, memory_bytes: arguments.memory_limit };
    let rows = comparison.rows()?;
    let checkers = comparison.checkers();
    if let Some(&[row, checker]) = arguments.cell.as_deref() {
        let row = rows.get(row).filter(|_| checker < checkers.len()).ok_or("no such cell")?;
        cell::answer(comparison, row, checker, &limits);
    }
    let is_wanted = |row: &Row<C::History>| row.name.contains(&arguments.only);
    if !rows.iter().any(is_wanted) {
        return Err(format!("no row's name contains {:?}", arguments.only));
    }
    println!("{}", table::head(&checkers));
    let (mut complaints, mut is_wrong) = (Vec::new(), false);
    for (i, row) in rows.iter().enumerate().filter(|(_, row)| is_wanted(row)) {
        let outcomes: Vec<_> =
            (0..checkers.len()).map(|checker| cell::ask(i, checker, &limits)).collect();
        println!("{}", table::row(&row.name, &row.expected, &outcomes, &limits));
        for ((checker, outcome), expected) in checkers.iter().zip(&outcomes).zip(&row.expected) {
            match outcome {
                Outcome::Decided { verdicts, .. } if table::is_wrong(verdicts, expected) => {
                    is_wrong |= *checker == checkers[0];
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
