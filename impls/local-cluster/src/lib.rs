//! Stores as processes on this machine: for measurements, examples and tests of whatever uses a store. Here nothing breaks unless
//! the caller breaks it; the bench has clusters of its own (`harness/cluster`), which it records and breaks.

mod cluster;
mod lossy;
mod sharded;
mod store;

use std::error::Error;

pub use cluster::Cluster;
pub use lossy::Lossy;
pub use store::{Ask, CONTROLLERS, Node, Store, post};

/// Why a store does not run.
pub type Failure = Box<dyn Error + Send + Sync>;
