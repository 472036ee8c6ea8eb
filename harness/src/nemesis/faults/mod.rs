//! The families of faults, one file each: what is planned, how it starts, how it shows, how it heals.

pub mod client;
pub mod held;
pub mod kill;
pub mod network;
pub mod one_kind;
pub mod partition;
pub mod pause;
mod targets;
