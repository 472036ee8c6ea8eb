//! Logical clocks: which event may have caused which, without looking at any wall clock.
//!
//! ```text
//! lamport  one number: if a happened before b, a's is lower               LamportClock
//! vector   one number a node: if and only if a happened before b, a's is lower   VectorClock, VectorTime
//! stamp    what a message carries of both, as HTTP headers                Stamp
//! durable  both clocks of a node, which go on through its restarts        DurableClocks
//! ```
//! *Happened before* (Lamport 1978) is the order of events within one node, and from a message's sending to its receipt,
//! and what follows from these two.

mod durable;
mod lamport;
mod stamp;
mod vector;

pub use durable::DurableClocks;
pub use lamport::LamportClock;
pub use stamp::Stamp;
pub(crate) use stamp::{LAMPORT, VECTOR};
pub use vector::{VectorClock, VectorTime};
