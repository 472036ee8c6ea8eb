//! What the tests, examples and benchmarks of the checkers have in common: checks by definition to compare with, and random
//! histories. No product depends on this crate.

#[cfg(feature = "isolation")]
pub mod isolation;
#[cfg(feature = "linearizability")]
pub mod linearizability;
pub mod simulation;
