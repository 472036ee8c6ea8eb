//! Operations, their recording and the three-valued verdict.
//!
//! This crate knows no process, network or HTTP, and no workload: a history is a list of events, whoever wrote it.

pub mod edn;
pub mod event;
pub mod jepsen;
pub mod jsonl;
pub mod operation;
pub mod pair;
pub mod verdict;

pub use event::{Event, EventKind, HARNESS, Process};
pub use jepsen::{EdnReadError, read_edn, write_edn};
pub use jsonl::{ReadError, Recording, Writer, read_jsonl, read_recording};
pub use operation::{Completion, Operation};
pub use pair::{PairError, operations};
pub use verdict::{CheckResult, Verdict, Violation};
