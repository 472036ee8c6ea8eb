//! Multi-Paxos: a replicated key-value store's protocol, after Lamport's "Paxos Made Simple" (2001), with
//! what Chandra, Griesemer and Redstone's "Paxos Made Live" (2007) and van Renesse and Altinbuken's "Paxos
//! Made Moderately Complex" (2015) add.
//!
//! ```text
//! message    what nodes say          acceptor   promises and votes; what must be durable
//! learner    what is chosen, applied candidate  phase 1: how one node becomes the leader of all slots
//! snapshot   a prefix, compacted     leader     phase 2: batches, pipeline, who waits for an answer
//! storage    recovery, compaction    reads      linearizable reads without a slot
//! slot       a place in the log      detector   when a leader's silence is suspicious
//! pipeline   slots and batches       followers  whom a leader has heard of lately
//!                                    replica    one node: connects the parts to timers and messages
//! ```
//! Read the crate [`single_decree`] first, then `acceptor` and `candidate`: Paxos is there. The rest is engineering.

pub mod acceptor;
pub mod candidate;
pub mod detector;
pub mod followers;
pub mod leader;
pub mod learner;
pub mod message;
pub mod pipeline;
pub mod reads;
pub mod replica;
pub mod slot;
pub mod snapshot;
pub mod storage;

pub use replica::{Config, Paxos};
