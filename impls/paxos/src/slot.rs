//! A place in the log, and what may stand there.

use std::sync::Arc;

use contract::Request;
/// A place in the replicated log, counted 1, 2, 3…; each slot is one instance of Paxos.
pub type Slot = u64;

/// The value of a slot: several requests, to share one round of messages and one fsync. Empty is the no-op.
pub type Batch = Arc<Vec<Request>>;

/// A slot whose value is known to be chosen.
pub type ChosenSlot = (Slot, Batch);

/// The latest vote of an acceptor in one slot.
pub type Vote = single_decree::Vote<Batch>;
