//! Viewstamped Replication Revisited: a replicated key-value store's protocol, after Liskov and Cowling, "Viewstamped
//! Replication Revisited" (MIT-CSAIL-TR-2012-021). Sections (§) are those of that paper, and so are the names.
//!
//! ```text
//! config          who the replicas are              §4
//! message         what they say to each other       §4
//! replica         one replica: its state, and which rule handles which message
//! normal, primary normal operation                  §4.1   pipelined, in batches (§6.2)
//! view_change     the next primary                  §4.2
//! suspicion       when to start a view change       §4.2   "a replica that notices the need"
//! recovery        memory lost in a crash            §4.3   and why the published rules lose operations
//! checkpoint      bounded logs                      §5.1
//! state_transfer  replicas that are behind          §5.2
//! log             operations by op-number           §4, §5.3
//! reads           reads that cannot be stale        §6.3
//! ```
//! Read `normal` and `view_change` first. The client-table (§4) is [`kv::ExactlyOnce`]: part of the application, executed in
//! the order of the log, and carried along in checkpoints, so that a retry at the next primary changes nothing.
//!
//! # What is promised
//!
//! Of 2f + 1 replicas no more than f may be away at once, where *away* lasts from a crash until the replica has recovered:
//! `GET /readyz` says so. Then nothing that was acknowledged is lost, though nothing of it is on any disk. If more lose their
//! memory, so that the answers of f + 1 cannot be had, the recovering ones wait for ever rather than make something up. The
//! only record on the disk is a view-number, written at the first start and in view changes: see [`recovery`].
//!
//! # Where it differs from the paper
//!
//! - Replicas ask each other whether the primary is missed, before anyone starts a view change: [`suspicion`].
//! - A replica ignores what it hears of a later view until it gets that view's `StartView`, which the primary repeats.
//! - A view change may skip views whose primaries are not there.
//! - `Commit` is answered, for reads without clocks ([`reads`]) and so that a primary notices that it is cut off.
//! - A view-number is on the disk before a `StartViewChange` leaves: [`recovery`].
//! - State transfer gives only what is committed; and a replica that enters a later view keeps its log until it has the
//!   new one: [`state_transfer`], and `start_from` in [`view_change`].
//! - Not here: reconfiguration (§7), witnesses (§6.1), recovery of clients (§4.5), whose numbers are the contract's.

pub mod checkpoint;
pub mod config;
pub mod log;
pub mod message;
mod normal;
pub mod primary;
pub mod reads;
pub mod recovery;
pub mod replica;
pub mod state_transfer;
pub mod suspicion;
pub mod view_change;

pub use config::Config;
pub use replica::{Replica, Status};
