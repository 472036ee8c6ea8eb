//! What must hold of a bank, a set, a counter, a queue…: the checkers of Jepsen's tests that need no search.
//!
//! [`Invariant`] names them all. Each takes the operations of one kind of test and gives one [`history::CheckResult`]:
//! *violation* only for what no outcome of the unknown (`info`) operations explains, *inconclusive* with the reason
//! where too little was seen or the history is none of this kind. All run in a sort and a few passes; what they list
//! is bounded.

mod bank;
mod causal;
mod causal_reverse;
mod counter;
mod elements;
mod g2;
mod judgement;
mod keys;
mod long_fork;
mod monotonic;
mod named;
mod queue;
mod sequential;
mod set;
mod set_full;
mod shape;
mod total_queue;
mod unique_ids;

pub use named::Invariant;
