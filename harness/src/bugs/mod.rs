//! The zoo of planted bugs: patch files beside the implementations, and what became of each under the bench.
//!
//! `patch` reads them, and `mutants` those that nobody chose; `workspace` keeps the scratch copy they are applied to;
//! `table` keeps what became of each.

pub mod mutants;
pub mod patch;
pub mod table;
pub mod workspace;
