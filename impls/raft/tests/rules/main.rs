//! Single rules, step by step: what a simulation meets seldom, because good timing hides it.

mod bench;
mod changes;
mod elections;
mod reads;
mod replication;
mod snapshots;
