//! Checkers side by side on the same histories, as a table.
//!
//! Seconds are processor time of the check alone, the history being there in the checker's own form; the median of
//! a few runs, each checker in a process of its own and within limits. Wrong verdicts are told; one of
//! ours makes the exit code 1.

mod cell;
mod comparison;
mod table;

pub use cell::Limits;
pub use comparison::{Check, Comparison, Row, run};
