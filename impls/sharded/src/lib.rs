//! A sharded key-value store with transactions over groups.
//!
//! Shard controllers keep the configurations: which replica group owns which shard. Each group is replicated by a protocol of the
//! ladder, and so are the controllers. Around that protocol, [`Node`] carries what groups say to each other.
//!
//! **Migration** ([`group`], `group/migration.rs`, where its steps are): a group takes the configurations one after the other through
//! its log. What it will lose is copied ahead, in parts, to its next owner, through whose log they go; so only what was written
//! meanwhile is transferred while nobody serves the shard. Shards that stay are served all the time, and each one that came is served
//! before the others have.
//!
//! **Transactions** (`group/transactions.rs`): an operation whose keys are in one group takes one entry of its log. One over several
//! groups is coordinated by the group of its first key, with two-phase commit and two-phase locking.
//!
//! **Rebalancing** ([`rebalance`], `node/rebalance.rs`): if it is switched on, the controllers' leader moves shards away from groups
//! of which much more is asked than of others.
//!
//! **Exactly once**: the table of clients belongs to a shard and travels with it. An operation is remembered at its first key's shard.

pub mod carried;
pub mod command;
mod controller;
pub mod group;
pub mod load;
pub mod message;
pub mod node;
mod pairs;
pub mod rebalance;
pub mod transaction;
pub mod wait;

pub use carried::Carried;
pub use group::Group;
pub use node::{Identity, Node};
