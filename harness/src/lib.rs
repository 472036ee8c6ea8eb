//! The bench: starts a store, breaks it, records it, judges it.
//!
//! ```text
//! cli ─▶ commands ─▶ target       a submission: its manifest, its build
//!                 ─▶ run          the phases of a run
//!                      ├─▶ session      a person at a prompt, instead of clients and plan
//!                      ├─▶ nemesis      which fault when, and what each does
//!                      ├─▶ environment  the nodes' processes, the links, the clients
//!                      │     └─▶ clients    operations as HTTP requests
//!                      └─▶ stream       one stream of events: everything that is recorded
//!                 ─▶ judge        a crate: the record of a run, or a history of any tool
//!                 ─▶ shiviz       the messages of a run for another tool
//! ```
//!
//! It knows submissions only by their manifest, and the verdict only from the record.

pub mod again;
mod bar;
pub mod bugs;
pub mod cli;
pub mod clients;
pub mod commands;
pub mod confine;
pub mod disk;
pub mod duration;
pub mod environment;
pub mod exit;
pub mod nemesis;
pub mod run;
pub mod session;
pub mod shiviz;
pub mod size;
pub mod stream;
pub mod target;
