//! The results folder of a run: every file in it and every mark in its history, defined once for those who write them
//! and those who read them.
//!
//! ```text
//! run.json        what was asked, versions, machine          RunFile
//! results.json    verdict, checks, counts                    ResultsFile
//! failure.json    why there is no verdict                    FailureFile
//! history.jsonl   one event a line                           history::Event, marks: Mark
//! faults.jsonl    one step of a fault a line                 FaultRecord
//! attempts.jsonl  one request behind an operation a line     AttemptRecord
//! messages.jsonl  one message between nodes a line           MessageRecord
//! introspection.jsonl  one answer of a node about itself a line  IntrospectionRecord
//! nodes/<id>/{stdout,stderr}.log, nodes/<id>/data/
//! report.html
//! ```

pub mod attempt;
pub mod behaviour;
pub mod block_writer;
pub mod clocks;
pub mod evidence;
pub mod fault;
pub mod folder;
pub mod introspection;
pub mod leadership;
pub mod lines;
pub mod mark;
pub mod message;
pub mod place;
pub mod results;
pub mod run;
pub mod stamp;

pub use attempt::{AttemptEnd, AttemptRecord, AttemptWriter};
pub use behaviour::{Behaviour, Extent, Occupied, Orders, Stretch, Times, Traffic};
pub use block_writer::BlockWriter;
pub use clocks::Clocks;
pub use evidence::{Evidence, Required};
pub use fault::{FaultRecord, FaultStep, Mishap, SCENARIOS};
pub use folder::{FaultWriter, Folder, FolderError, write_whole};
pub use introspection::{IntrospectionRecord, Said};
pub use leadership::{LeaderChange, leader_changes};
pub use lines::{Reading, Unreadable};
pub use mark::{Footprint, Mark, OwnExit, Phase, restarts};
pub use message::{Fate, MessageRecord};
pub use place::Place;
pub use results::{Counts, FailureFile, FaultCounts, Measured, Promise, Quantiles, ResultsFile};
pub use run::RunFile;
pub use stamp::stamped;

/// The version of this schema; readers refuse a newer one.
pub const VERSION: u32 = 1;

/// The names of the files in a results folder.
pub mod files {
    /// What was asked.
    pub const RUN: &str = "run.json";
    /// The verdict.
    pub const RESULTS: &str = "results.json";
    /// Why a run has no verdict.
    pub const FAILURE: &str = "failure.json";
    /// The record.
    pub const HISTORY: &str = "history.jsonl";
    /// The faults that were planned, and what became of each.
    pub const FAULTS: &str = "faults.jsonl";
    /// The requests behind the operations.
    pub const ATTEMPTS: &str = "attempts.jsonl";
    /// The messages between nodes.
    pub const MESSAGES: &str = "messages.jsonl";
    /// What nodes said of themselves.
    pub const INTROSPECTION: &str = "introspection.jsonl";
    /// The page for people.
    pub const REPORT: &str = "report.html";
    /// One folder a node.
    pub const NODES: &str = "nodes";
    /// The folder that nodes of MapReduce share.
    pub const SHARED: &str = "shared";
}

/// The largest file of each kind that is read. Each is far above what a run writes: a larger one is damaged or hostile,
/// and must not take all memory or time.
pub mod bytes_max {
    /// Of `run.json`.
    pub const RUN: u64 = 16 << 20;
    /// Of `results.json`.
    pub const RESULTS: u64 = 64 << 20;
    /// Of `failure.json`.
    pub const FAILURE: u64 = 1 << 20;
    /// Of `history.jsonl`, and of another tool's history: days of a busy run.
    pub const HISTORY: u64 = 16 << 30;
    /// Of `faults.jsonl`; no more is written.
    pub const FAULTS: u64 = 256 << 20;
    /// Of `attempts.jsonl`: [`crate::attempt::LINES_MAX`] lines with bounded reasons.
    pub const ATTEMPTS: u64 = 2 << 30;
    /// Of `messages.jsonl`: the proxy writes 200 000 lines, each of them below 5 KB.
    pub const MESSAGES: u64 = 1 << 30;
    /// Of `introspection.jsonl`: [`crate::introspection::SIZE_MAX`] lines and entries.
    pub const INTROSPECTION: u64 = 1 << 30;
}
