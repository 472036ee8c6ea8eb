//! Histories of registers: each value tells its writer, but only some orders of versions are known.
//!
//! Known is that the initial version comes before all others; that a transaction which read a version and then wrote the
//! key wrote a later one (were it not so, the versions between would make a cycle of wr edges, a worse anomaly); and, for
//! levels that respect an order of time, that versions follow each other as the transactions do that touched them.
//!
//! Levels without an order of time let a store answer from the past. Strong snapshot isolation and all above do not: were
//! two versions the other way round, whoever found the older one would have missed a newer one that was seen before,
//! which is a G-single with real time. The same holds of the order of each process and strong-session snapshot isolation.
//! So an edge keeps the order of time that shows it, and counts only in cycles that rule out levels with that order, from
//! G-single on.

mod known;
mod lives;
mod overwriters;
mod reasons;
mod scan;
mod sessions;
mod visits;

pub(crate) use known::Readers;
pub(crate) use lives::{COMPARED, Lives};
pub(crate) use reasons::RegisterReasons;
pub(crate) use scan::scan;
