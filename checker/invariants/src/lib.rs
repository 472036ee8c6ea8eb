//! What must hold of a bank, a set, a counter, a queue…: the checkers of Jepsen's tests that need no search.
//!
//! [`Invariant`] names them all. Each takes the operations of one kind of test and gives one [`history::CheckResult`]:
//! *violation* only for what no outcome of the unknown (`info`) operations explains, *inconclusive* with the reason
//! where too little was seen or the history is none of this kind. All run in a sort and a few passes; what they list
//! is bounded.
//!
//! ```
//! use history::{Verdict, operations, read_jsonl};
//! use invariants::Invariant;
//!
//! let recorded = r#"
//!     {"index":0,"time":0,"process":0,"type":"invoke","f":"add","value":3}
//!     {"index":1,"time":1,"process":0,"type":"ok","f":"add","value":3}
//!     {"index":2,"time":2,"process":1,"type":"invoke","f":"read","value":null}
//!     {"index":3,"time":3,"process":1,"type":"ok","f":"read","value":2}
//! "#;
//! let operations = operations(&read_jsonl(recorded.as_bytes())?)?;
//! let result = Invariant::CounterBounds.check(&operations);
//! assert_eq!(result.verdict, Verdict::Violation);
//! assert!(result.violations[0].sentence.contains("too low"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod bank;
mod causal;
mod causal_reverse;
mod configurations;
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
