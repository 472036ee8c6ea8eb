//! What must hold of a bank, a set, a counter, a queue…: the checkers of Jepsen's tests that need no search.
//!
//! Each module takes the operations of one kind of test and gives one [`history::CheckResult`]: *violation* only for
//! what no outcome of the unknown (`info`) operations explains, *inconclusive* with the reason where too little was
//! seen or the history is none of this kind. All run in a sort and a few passes; what they list is bounded.
//!
//! [`Invariant`] names them all.

pub mod bank;
pub mod causal;
pub mod causal_reverse;
pub mod counter;
mod elements;
mod findings;
pub mod g2;
mod keys;
pub mod long_fork;
pub mod monotonic;
mod named;
pub mod queue;
pub mod sequential;
pub mod set;
pub mod set_full;
mod shape;
pub mod total_queue;
pub mod unique_ids;

pub use named::Invariant;
