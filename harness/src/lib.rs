//! The bench: starts a store, breaks it, records it, judges it.
//!
//! ```text
//! cli ─▶ commands ─▶ target (manifest, build)
//!                 ─▶ run: phases drive nodes, network, nemesis and clerks; all tell one stream; judge reads the record
//!                 ─▶ check: a history of any tool, against a model
//! ```
//!
//! It knows submissions only by their manifest, and the verdict only from the record.

pub mod bugs;
pub mod check;
pub mod cli;
pub mod commands;
pub mod duration;
pub mod exit;
pub mod nemesis;
pub mod run;
pub mod size;
pub mod target;
