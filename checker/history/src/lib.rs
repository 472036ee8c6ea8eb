//! Operations, their recording and the three-valued verdict; histories of other tools ([`Format`]).
//!
//! This crate knows no process, network or HTTP, and no workload: a history is a list of events, whoever wrote it.
//!
//! ```
//! use history::{Completion, Events, Format, operations};
//!
//! let edn = "{:process 0 :type :invoke :f :write :value 1}
//!            {:process 0 :type :ok     :f :write :value 1}
//!            {:process 1 :type :invoke :f :read  :value nil}";
//! let located = Events::new(edn.as_bytes(), Format::Edn).collect::<Result<Vec<_>, _>>()?;
//! let events: Vec<_> = located.into_iter().map(|located| located.event).collect();
//! let operations = operations(&events)?;
//! assert_eq!(operations.len(), 2);
//! assert!(matches!(operations[0].completion, Completion::Ok(..)));
//! // Nobody knows what became of the read.
//! assert!(matches!(operations[1].completion, Completion::Info(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod batches;
mod blocks;
mod by_index;
mod datum;
pub mod edn;
mod event;
mod events;
mod fields;
mod findings;
mod format;
mod jepsen;
mod jepsen_json;
mod jepsen_log;
mod json;
mod jsonl;
mod limits;
mod operation;
mod pair;
mod quantiles;
mod readers;
mod source;
mod text;
mod verdict;
mod window;
pub mod words;

pub use batches::{Batch, Batches, Broken, Portion};
pub use by_index::by_index;
pub use datum::{Datum, INTEGERS_MIN};
pub use event::{Event, EventKind, HARNESS, Located, PHASE, Payload, Process};
pub use events::{Events, Reading, read_edn};
pub use findings::{Findings, LISTED, listed};
pub use format::Format;
pub use jepsen::write_edn;
pub use jsonl::{Records, Writer, read_jsonl};
pub use limits::Limits;
pub use operation::{Completion, Operation};
pub use pair::{PairError, Paired, Pairing, operations};
pub use quantiles::Quantiles;
pub use verdict::{Arrow, CheckResult, Picture, PictureBox, Verdict, Violation};
pub use window::{MAX_EVENT_BYTES, ReadError};
