//! The families of faults, one file each: what is planned, how it starts, how it shows, how it heals.

pub mod client;
pub mod held;
pub mod kill;
pub mod kinds;
pub mod network;
pub mod partition;
pub mod pause;
pub mod shards;
pub mod struck;
mod targets;
