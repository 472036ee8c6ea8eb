//! What a sharded store owes beyond right answers: who is not touched by a fault goes on, shards leave nothing behind, old
//! configurations are fenced, load is balanced.

mod cluster;
mod fences;
mod migration;
mod outages;
mod rebalancing;
#[path = "../world/mod.rs"]
mod world;
