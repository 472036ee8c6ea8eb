//! One run: phases, clerks, record, verdict.

pub mod clerk;
pub mod connection;
pub mod folder;
pub mod interrupt;
pub mod nodes;
pub mod phases;
pub mod progress;
pub mod stage;
pub mod starvation;
pub mod stream;
