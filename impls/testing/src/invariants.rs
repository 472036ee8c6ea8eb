//! What must hold after each step of any replicated log: one file an invariant. Each looks at the node that has just
//! made a step and remembers what the nodes have shown so far.

mod one_leader_per_term;
mod one_sequence_applied;
mod one_value_per_slot;

pub use one_leader_per_term::OneLeaderPerTerm;
pub use one_sequence_applied::OneSequenceApplied;
pub use one_value_per_slot::OneValuePerSlot;
