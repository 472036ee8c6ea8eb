//! The results folder of a run: every file in it and every mark in its history, defined once for those who write them
//! and those who read them.
//!
//! ```text
//! run.json        what was asked, versions, machine          RunFile
//! results.json    verdict, checks, counts                    ResultsFile
//! history.jsonl   one event a line                           history::Event, marks: Mark
//! faults.jsonl    one step of a fault a line                 FaultRecord
//! messages.jsonl  one message between nodes a line           MessageRecord
//! nodes/<id>/{stdout,stderr}.log, nodes/<id>/data/
//! report.html
//! ```

pub mod evidence;
pub mod fault;
pub mod folder;
pub mod lines;
pub mod mark;
pub mod message;
pub mod results;
pub mod run;

pub use evidence::{Evidence, Required};
pub use fault::{FaultRecord, FaultStep};
pub use folder::{FaultWriter, Folder, FolderError, write_whole};
pub use lines::{Reading, Unreadable};
pub use mark::{Mark, OwnExit, Phase};
pub use message::{Fate, MessageRecord};
pub use results::{Counts, FaultCounts, Quantiles, ResultsFile};
pub use run::RunFile;

/// The version of this schema; readers refuse a newer one.
pub const VERSION: u32 = 1;

/// The names of the files in a results folder.
pub mod files {
    /// What was asked.
    pub const RUN: &str = "run.json";
    /// The verdict.
    pub const RESULTS: &str = "results.json";
    /// The record.
    pub const HISTORY: &str = "history.jsonl";
    /// The faults that were planned, and what became of each.
    pub const FAULTS: &str = "faults.jsonl";
    /// The messages between nodes.
    pub const MESSAGES: &str = "messages.jsonl";
    /// The page for people.
    pub const REPORT: &str = "report.html";
    /// One folder a node.
    pub const NODES: &str = "nodes";
}
