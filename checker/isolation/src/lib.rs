//! Isolation anomalies of transactional histories, in the manner of Elle (Kingsbury & Alvaro, VLDB 2020).
//!
//! From what clients saw, and nothing else, dependencies between transactions are inferred; a cycle among them is an
//! anomaly, and each anomaly rules out consistency models. This crate knows no process, network or HTTP.

pub mod anomaly;
mod buckets;
mod budget;
mod build;
mod certificate;
mod check;
mod class;
mod component;
mod components;
mod conclusion;
pub mod consistency;
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
mod operations;
mod options;
mod picture;
mod realtime;
mod registers;
mod report;
mod search;
mod touches;
pub mod transaction;
mod usual;
mod words;
mod writers;

pub use anomaly::{Anomaly, Cycle, Order};
pub use certificate::Certificate;
pub use check::check;
pub use consistency::{Consistency, Ruling};
pub use finding::{Basis, CycleStep, Finding, TxnWords};
pub use history::History;
pub use links::Dependency;
pub use operations::{Recording, Unfit};
pub use options::Options;
pub use report::{CHECKER, Report, Statistics};
pub use transaction::{Datatype, Key, MicroOp, Outcome, Seen, Transaction, Value};
