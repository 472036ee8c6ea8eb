//! The shard controller: which replica groups there are, and which of them owns which shard (MIT 6.5840 shardctrler, DSLabs
//! ShardMaster).
//!
//! [`Controller`] is an application: any replication protocol can carry it. [`balance`] says who owns what after a change.

pub mod balance;
pub mod consensus;
pub mod controller;

pub use controller::Controller;
