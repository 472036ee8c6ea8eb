//! Raft: a replicated key-value store's protocol, after Ongaro and Ousterhout's "In Search of an Understandable Consensus
//! Algorithm" (2014; Figure 2 and the sections without the word dissertation) and Ongaro's dissertation "Consensus: Bridging Theory and
//! Practice" (2014).
//!
//! | rule | where |
//! |---|---|
//! | state of a server (Figure 2) | [`raft`]; of a leader: [`leader`]; the log itself: [`log`] |
//! | election, up-to-date logs (§5.2, §5.4.1), pre-vote (dissertation §9.6), loyalty to a living leader (dissertation §4.2.3) | [`election`] |
//! | replication, commitment (§5.3, §5.4.2), batches, pipeline (dissertation §10.2.2), a leader without a majority (dissertation §6.2) | [`replication`] |
//! | the receiver's rules of `AppendEntries` (Figure 2) | [`append_entries`] |
//! | persistence | [`storage`] |
//! | linearizable reads (dissertation §6.4) | [`reads`] |
//! | snapshots (§7, dissertation §5) | [`snapshot`]; taken, sent, installed: [`install_snapshot`] |
//! | changes of the cluster (dissertation §4) | [`membership`]; what a majority is: [`configuration`] |
//! | leadership transfer (dissertation §3.10) | [`transfer`] |
//! | the RPCs, as messages | [`message`] |
//!
//! Read [`election`], [`replication`] and [`append_entries`] beside Figure 2 first: Raft is there.
//!
//! Clients' sessions (dissertation §6.3) are the application's: `kv::ExactlyOnce` travels in the snapshots.
//!
//! # What is not reachable from outside
//!
//! The contract has no request for leadership transfer and changes of the cluster. They are methods of a leader's
//! [`Raft`]: [`Raft::transfer_leadership`], [`Raft::add_server`] and [`Raft::remove_server`], for whoever drives it. The
//! simulation calls them all the time; the store that the bench launches keeps the servers of `DS_MEMBERS`.

pub mod append_entries;
pub mod config;
pub mod configuration;
pub mod election;
pub mod install_snapshot;
pub mod leader;
pub mod log;
pub mod membership;
pub mod message;
pub mod raft;
pub mod reads;
pub mod replication;
pub mod snapshot;
pub mod storage;
pub mod transfer;

pub use config::Config;
pub use membership::NoChange;
pub use raft::{Raft, Timer};
pub use storage::Record;
