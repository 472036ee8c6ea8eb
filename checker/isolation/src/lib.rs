//! Isolation anomalies of transactional histories, in the manner of Elle (Kingsbury & Alvaro, VLDB 2020).
//!
//! From what clients saw, and nothing else, dependencies between transactions are inferred; a cycle among them is an
//! anomaly, and each anomaly rules out consistency models. This crate knows no process, network or HTTP.

pub mod anomaly;
pub mod consistency;
pub mod generate;
pub mod notation;
pub mod oracle;
pub mod transaction;

pub use anomaly::{Anomaly, Cycle, Order};
pub use consistency::{Consistency, Ruling};
pub use transaction::{Datatype, Key, MicroOp, Outcome, Seen, Transaction, Value};
