//! The contract: what an implementation must speak, in any language.
//!
//! Registries hold every operation, error code, endpoint, launch variable, capability and rung. The reference page and
//! the `OpenAPI` document are generated from them.
//!
//! This crate knows neither the harness nor any implementation.

pub mod availability;
pub mod configuration;
pub mod endpoints;
pub mod errors;
pub mod hash;
pub mod launch;
pub mod log;
pub mod manifest;
pub mod mapreduce;
pub mod micro_operation;
pub mod operations;
pub mod outcome;
pub mod peer;
pub mod reference;
pub mod shape;
pub mod view;
pub mod wire;

pub use availability::Availability;
pub use configuration::{Configuration, GroupId, shard_of};
pub use errors::ErrorCode;
pub use hash::{digest, puthash};
pub use launch::Launch;
pub use log::{LogAnswer, LogEntry};
pub use manifest::Manifest;
pub use micro_operation::MicroOperation;
pub use operations::Operation;
pub use outcome::Outcome;
pub use view::View;
pub use wire::{Answer, Refusal, Request};

/// A node's id, such as `n1`. Nodes are named by id everywhere; addresses never travel in messages.
pub type NodeId = String;
