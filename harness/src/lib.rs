//! The bench: starts a store, breaks it, records it, judges it.
//!
//! ```text
//! cli ─▶ commands ─▶ target (manifest, build)
//!                 ─▶ run: phases drive nodes, network, nemesis and clerks; all write into one stream
//!                 ─▶ judge (a crate): the record of a run, or a history of any tool
//! ```
//!
//! It knows submissions only by their manifest, and the verdict only from the record.

pub mod again;
mod bar;
pub mod bugs;
pub mod cli;
pub mod commands;
pub mod duration;
pub mod exit;
pub mod nemesis;
pub mod run;
pub mod size;
pub mod target;
