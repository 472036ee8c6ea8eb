//! One run: phases, clerks, record, verdict.

pub mod clerk;
pub mod connection;
pub mod folder;
pub mod judge;
pub mod nodes;
pub mod phases;
pub mod progress;
pub mod stream;
