//! Histories of registers: each value tells its writer, but only some orders of versions are known.
//!
//! Known is that the initial version comes before all others; that a transaction which read a version and then wrote the
//! key wrote a later one (were it not so, the versions between would make a cycle of wr edges, a worse anomaly); and, for
//! levels that respect an order of time, that versions follow each other as the transactions do that touched them.

mod key_order;
mod known;
mod lives;
mod reasons;
mod scan;

pub(crate) use key_order::KeyOrder;
pub(crate) use known::Known;
pub(crate) use reasons::RegisterReasons;
pub(crate) use scan::scan;
