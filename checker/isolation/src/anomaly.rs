//! The anomalies, by the names that Adya (PhD thesis, 1999) and Elle (VLDB 2020, §4 and its checker's catalogue) gave
//! them.

use std::fmt;

use serde::{Serialize, Serializer};

/// What a history may not hold, by model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anomaly {
    /// A cycle of dependencies.
    Cycle(Cycle, Order),
    /// Aborted read: a value of a transaction that failed.
    G1a,
    /// Intermediate read: a value that its transaction overwrote itself.
    G1b,
    /// A transaction that contradicts its own earlier micro-operations.
    Internal,
    /// Two committed transactions read the same version of a key and both wrote the key.
    LostUpdate,
    /// A committed write on top of one that failed.
    DirtyUpdate,
    /// A list that holds an element twice.
    DuplicateElements,
    /// Two reads of a list of which neither is a prefix of the other.
    IncompatibleOrder,
    /// A transaction that read its own later write.
    FutureRead,
    /// A value that nobody wrote.
    GarbageRead,
    /// An inferred order of the versions of a key that contradicts itself.
    CyclicVersions,
}

/// What kind of edges a cycle has: ww, wr and rw are a write, a read or a write again that follow a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cycle {
    /// Only ww.
    G0,
    /// ww and wr, at least one wr.
    G1c,
    /// Exactly one rw, a predicate's.
    GSingle,
    /// Exactly one rw.
    GSingleItem,
    /// At least two rw, no two of them adjacent, some of them predicates'.
    GNonadjacent,
    /// At least two rw, no two of them adjacent. Also what stands for a history that no order of starts and commits explains.
    GNonadjacentItem,
    /// At least two rw, some of them predicates'.
    G2,
    /// At least two rw. Also what stands for a history that no serial order explains.
    G2Item,
}

/// Which orders of time a cycle needs beside the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    /// None: the data alone.
    Data,
    /// The order of each process's transactions.
    Process,
    /// Real time: one transaction returned before the other was invoked.
    Realtime,
}

impl Cycle {
    /// Every kind, the worst first.
    pub const ALL: [Self; 8] = [
        Self::G0,
        Self::G1c,
        Self::GSingle,
        Self::GSingleItem,
        Self::GNonadjacent,
        Self::GNonadjacentItem,
        Self::G2,
        Self::G2Item,
    ];
}

impl Order {
    /// Every order, the strongest last.
    pub const ALL: [Self; 3] = [Self::Data, Self::Process, Self::Realtime];
}

impl Anomaly {
    /// Every anomaly that is no cycle.
    pub const LOCAL: [Self; 10] = [
        Self::G1a,
        Self::G1b,
        Self::Internal,
        Self::LostUpdate,
        Self::DirtyUpdate,
        Self::DuplicateElements,
        Self::IncompatibleOrder,
        Self::FutureRead,
        Self::GarbageRead,
        Self::CyclicVersions,
    ];

    /// Every anomaly.
    pub fn all() -> impl Iterator<Item = Self> {
        let cycles = Cycle::ALL
            .into_iter()
            .flat_map(|cycle| Order::ALL.map(|order| Self::Cycle(cycle, order)));
        cycles.chain(Self::LOCAL)
    }

    /// The name, as Elle prints it: `G-single-item-realtime`, `lost-update`.
    #[must_use]
    pub fn name(self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Anomaly::Cycle(cycle, order) => return write!(f, "{cycle}{order}"),
            Anomaly::G1a => "G1a",
            Anomaly::G1b => "G1b",
            Anomaly::Internal => "internal",
            Anomaly::LostUpdate => "lost-update",
            Anomaly::DirtyUpdate => "dirty-update",
            Anomaly::DuplicateElements => "duplicate-elements",
            Anomaly::IncompatibleOrder => "incompatible-order",
            Anomaly::FutureRead => "future-read",
            Anomaly::GarbageRead => "garbage-read",
            Anomaly::CyclicVersions => "cyclic-versions",
        })
    }
}

impl Serialize for Anomaly {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cycle::G0 => "G0",
            Cycle::G1c => "G1c",
            Cycle::GSingle => "G-single",
            Cycle::GSingleItem => "G-single-item",
            Cycle::GNonadjacent => "G-nonadjacent",
            Cycle::GNonadjacentItem => "G-nonadjacent-item",
            Cycle::G2 => "G2",
            Cycle::G2Item => "G2-item",
        })
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Order::Data => "",
            Order::Process => "-process",
            Order::Realtime => "-realtime",
        })
    }
}
