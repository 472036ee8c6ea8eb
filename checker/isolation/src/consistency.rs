//! Elle's lattice of consistency models: their names, which implies which, which anomalies each forbids.
//!
//! The implications are those that Elle collected from Adya (PhD thesis, 1999), Bailis et al. (VLDB 2014), Cerone et
//! al. (CONCUR 2015), Daudjee & Salem (ICDE 2004, VLDB 2006) and others. `strong` models respect real time,
//! `strong-session` ones the order of each process.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::Order;

mod forbids;
mod models;
mod ruling;

pub use ruling::Ruling;

/// What a store may promise about transactions, or about single objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is known by its name, and by the papers above")]
pub enum Consistency {
    ReadUncommitted,
    ReadCommitted,
    MonotonicView,
    MonotonicSnapshotRead,
    MonotonicAtomicView,
    CursorStability,
    ConsistentView,
    ForwardConsistentView,
    ReadAtomic,
    UpdateAtomic,
    CausalCerone,
    ParallelSnapshotIsolation,
    Prefix,
    RepeatableRead,
    SnapshotIsolation,
    UpdateSerializable,
    ViewSerializable,
    OneCopySerializable,
    SessionSerializable,
    Serializable,
    StrongSessionReadUncommitted,
    StrongSessionReadCommitted,
    StrongSessionSnapshotIsolation,
    StrongSessionSerializable,
    StrongReadUncommitted,
    StrongReadCommitted,
    StrongSnapshotIsolation,
    StrictSerializable,
    MonotonicReads,
    MonotonicWrites,
    ReadYourWrites,
    WritesFollowReads,
    Pram,
    Causal,
    Sequential,
    Linearizable,
}

impl Consistency {
    /// Every model.
    pub fn all() -> impl Iterator<Item = Self> {
        models::MODELS.iter().map(|row| row.model)
    }

    /// The name that people use: `snapshot-isolation`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The other names that are understood, Adya's among them: `PL-SI`.
    #[must_use]
    pub fn aliases(self) -> &'static [&'static str] {
        self.row().aliases
    }

    /// Does every history that satisfies this model satisfy the other one? Each model implies itself.
    #[must_use]
    pub fn implies(self, other: Self) -> bool {
        self == other || self.row().implies.iter().any(|weaker| weaker.implies(other))
    }

    /// The strongest order of time that the model respects: what a check of it must infer beside the data.
    #[must_use]
    pub fn order(self) -> Order {
        if self.implies(Self::StrongReadUncommitted) {
            Order::Realtime
        } else if self.implies(Self::StrongSessionReadUncommitted) {
            Order::Process
        } else {
            Order::Data
        }
    }

    fn row(self) -> &'static models::Row {
        &models::MODELS[self as usize]
    }
}

impl fmt::Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Consistency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// No model has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownConsistency(String);

impl fmt::Display for UnknownConsistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Consistency::all().map(Consistency::name).collect();
        write!(f, "no consistency model is named `{}`; there are {}", self.0, names.join(", "))
    }
}

impl std::error::Error for UnknownConsistency {}

impl FromStr for Consistency {
    type Err = UnknownConsistency;

    /// By name or alias, in upper or lower case.
    fn from_str(text: &str) -> Result<Self, UnknownConsistency> {
        Self::all()
            .find(|model| {
                let mut names = model.aliases().iter().chain([&model.row().name]);
                names.any(|name| name.eq_ignore_ascii_case(text))
            })
            .ok_or_else(|| UnknownConsistency(text.to_owned()))
    }
}
