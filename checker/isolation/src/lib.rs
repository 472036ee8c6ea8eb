//! Isolation anomalies of transactional histories, in the manner of Elle (Kingsbury & Alvaro, VLDB 2020).
//!
//! From what clients saw, and nothing else, dependencies between transactions are inferred; a cycle among them is an
//! anomaly, and each anomaly rules out consistency models. This crate knows no process, network or HTTP.
//!
//! ```
//! use history::{Events, Format, Limits, Verdict, operations};
//! use isolation::{Consistency, Datatype, History, Options, check};
//!
//! // The first transaction appends to two lists; the second sees one of the two.
//! let recorded = r#"
//!     {"process":0,"type":"invoke","f":"txn","value":[["append","x",1],["append","y",1]]}
//!     {"process":1,"type":"invoke","f":"txn","value":[["r","x",null],["r","y",null]]}
//!     {"process":0,"type":"ok","f":"txn","value":[["append","x",1],["append","y",1]]}
//!     {"process":1,"type":"ok","f":"txn","value":[["r","x",[1]],["r","y",[]]]}
//! "#;
//! let events = Events::new(recorded.as_bytes(), Format::JsonLines).map(|read| read.map(|read| read.event));
//! let operations = operations(&events.collect::<Result<Vec<_>, _>>()?)?;
//! let history = History::from_operations(Datatype::ListAppend, &operations)?;
//! let report = |level| check(&history, &Options::new(level, Limits::default())).check_result();
//!
//! assert_eq!(report(Consistency::ReadCommitted).verdict, Verdict::Valid);
//! let serializable = report(Consistency::Serializable);
//! assert_eq!(serializable.verdict, Verdict::Violation);
//! assert_eq!(serializable.violations[0].kind, "G-single-item");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod anomaly;
mod buckets;
mod budget;
mod build;
mod certificate;
mod check;
mod class;
mod component;
mod components;
mod conclusion;
mod consistency;
mod cycles;
mod dependencies;
mod elision;
mod explain;
mod fallback;
mod finding;
mod findings;
pub mod generate;
mod graph;
mod history;
mod ids;
mod links;
mod lists;
mod names;
pub mod notation;
mod numbering;
mod operations;
mod options;
mod picture;
mod realtime;
mod recorded;
mod registers;
mod report;
mod search;
mod touches;
mod transaction;
mod usual;
mod words;
mod writers;

pub use anomaly::{Anomaly, Cycle, Order};
pub use certificate::Certificate;
pub use check::check;
pub use consistency::{Consistency, Ruling, UnknownConsistency};
pub use finding::{Basis, CycleStep, Finding, TxnWords};
pub use history::History;
pub use links::Dependency;
pub use operations::{HistoryBuilder, Unfit};
pub use options::Options;
pub use recorded::{Record, Recorded};
pub use report::{CHECKER, Report, Statistics};
pub use transaction::{Datatype, Key, MicroOp, Outcome, Seen, Transaction, Value};
