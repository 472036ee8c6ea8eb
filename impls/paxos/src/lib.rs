//! Multi-Paxos: a replicated key-value store's protocol, after Lamport's "Paxos Made Simple" (2001), with
//! what Chandra, Griesemer and Redstone's "Paxos Made Live" (2007) and van Renesse and Altinbuken's "Paxos
//! Made Moderately Complex" (2015) add.
//!
//! ```text
//! ballot     unique numbers          acceptor   promises and votes; what must be durable
//! message    what nodes say          candidate  phase 1: how one node becomes the leader of all slots
//! learner    what is chosen, applied leader     phase 2: batches, pipeline, who waits for an answer
//! snapshot   a prefix, compacted     reads      linearizable reads without a slot
//! storage    recovery, compaction    replica    one node: connects the parts to timers and messages
//! ```
//! Read `acceptor` and `candidate` first: Paxos is there. The rest is engineering.

pub mod acceptor;
pub mod ballot;
pub mod candidate;
pub mod leader;
pub mod learner;
pub mod message;
pub mod reads;
pub mod replica;
pub mod slot;
pub mod snapshot;
pub mod storage;

pub use replica::{Config, Paxos};
