//! The contract: what an implementation must speak, in any language.
//!
//! One registry holds every operation, error code, environment variable, capability and rung;
//! the reference page and the `OpenAPI` document are generated from it, so they cannot drift.
//!
//! This crate knows neither the harness nor any implementation.

pub mod catalogue;
pub mod errors;
pub mod launch;
pub mod manifest;
pub mod operations;
pub mod reference;
pub mod wire;

pub use errors::ErrorCode;
pub use launch::Launch;
pub use manifest::Manifest;
pub use operations::{MicroOperation, Operation, Outcome};
pub use wire::{Answer, Refusal, Request};

/// A node's id, such as `n1`. Nodes are named by id everywhere; addresses never travel in messages.
pub type NodeId = String;
