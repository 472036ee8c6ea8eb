//! Operations, their recording and the three-valued verdict.
//!
//! This crate knows no process, network or HTTP, and no workload: a history is a list of events, whoever wrote it.

pub mod event;
pub mod operation;
pub mod verdict;

pub use event::{Event, EventKind, Process};
pub use operation::{Completion, Operation};
pub use verdict::{CheckResult, Verdict, Violation};
