//! The zoo of planted bugs: patch files beside the implementations, and what became of each under the bench.
//!
//! `patch` reads them; `workspace` keeps the scratch copy they are applied to; `table` keeps what became of each.

pub mod patch;
pub mod table;
pub mod workspace;
