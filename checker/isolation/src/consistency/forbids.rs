//! Which models an anomaly rules out.

use super::Consistency::{self, *};
use crate::{Anomaly, Cycle, Order};

impl Anomaly {
    /// The weakest models that it rules out; every model that implies one of them is ruled out too.
    #[must_use]
    pub fn rules_out(self) -> &'static [Consistency] {
        match self {
            Anomaly::Cycle(cycle, order) => cycle.rules_out(order),
            // No order of versions, or no version at all: not a history in Adya's sense at any level.
            Anomaly::DuplicateElements | Anomaly::CyclicVersions | Anomaly::GarbageRead => {
                &[ReadUncommitted]
            }
            Anomaly::G1a | Anomaly::G1b => &[ReadCommitted],
            // Of two reads that fit no common order of versions, one saw what was never committed.
            Anomaly::IncompatibleOrder | Anomaly::DirtyUpdate => &[ReadCommitted],
            // A cycle of one transaction.
            Anomaly::FutureRead => &[ReadCommitted],
            Anomaly::Internal => &[ReadAtomic],
            Anomaly::LostUpdate => &[CursorStability, UpdateAtomic],
        }
    }
}

impl Cycle {
    fn rules_out(self, order: Order) -> &'static [Consistency] {
        match (self, order) {
            (Cycle::G0, Order::Data) => &[ReadUncommitted],
            (Cycle::G0, Order::Process) => &[StrongSessionReadUncommitted],
            (Cycle::G0, Order::Realtime) => &[StrongReadUncommitted],
            (Cycle::G1c, Order::Data) => &[ReadCommitted],
            (Cycle::G1c, Order::Process) => &[StrongSessionReadCommitted],
            (Cycle::G1c, Order::Realtime) => &[StrongReadCommitted],
            (Cycle::GSingle, Order::Data) => &[ConsistentView],
            (Cycle::GSingleItem, Order::Data) => &[ConsistentView, RepeatableRead],
            (Cycle::GNonadjacent, Order::Data) => &[SnapshotIsolation],
            (Cycle::GNonadjacentItem, Order::Data) => &[SnapshotIsolation, RepeatableRead],
            (
                Cycle::GSingle | Cycle::GSingleItem | Cycle::GNonadjacent | Cycle::GNonadjacentItem,
                Order::Process,
            ) => &[StrongSessionSnapshotIsolation],
            (
                Cycle::GSingle | Cycle::GSingleItem | Cycle::GNonadjacent | Cycle::GNonadjacentItem,
                Order::Realtime,
            ) => &[StrongSnapshotIsolation],
            (Cycle::G2, Order::Data) => &[Serializable],
            (Cycle::G2Item, Order::Data) => &[RepeatableRead],
            (Cycle::G2 | Cycle::G2Item, Order::Process) => &[StrongSessionSerializable],
            (Cycle::G2 | Cycle::G2Item, Order::Realtime) => &[StrictSerializable],
        }
    }
}

impl Consistency {
    /// Does a history with this anomaly break the model?
    #[must_use]
    pub fn forbids(self, anomaly: Anomaly) -> bool {
        anomaly.rules_out().iter().any(|weakest| self.implies(*weakest))
    }
}
