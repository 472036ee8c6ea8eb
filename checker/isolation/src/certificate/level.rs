//! The levels whose definition is an order of events: each transaction starts and commits at some moment.

use crate::{Consistency, Order};

/// What a transaction sees, and what it must not overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// It starts and commits at once.
    Serial,
    /// It reads what was committed when it started; of two that write the same key, one commits before the other starts.
    Snapshot,
}

/// One of these levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) model: Consistency,
    pub(crate) shape: Shape,
    /// Who comes before whom commits before the other starts.
    pub(crate) order: Order,
}

const fn level(model: Consistency, shape: Shape, order: Order) -> Level {
    Level { model, shape, order }
}

/// All of them; none implies one that stands before it.
pub(crate) const LEVELS: [Level; 6] = [
    level(Consistency::StrictSerializable, Shape::Serial, Order::Realtime),
    level(Consistency::StrongSessionSerializable, Shape::Serial, Order::Process),
    level(Consistency::Serializable, Shape::Serial, Order::Data),
    level(Consistency::StrongSnapshotIsolation, Shape::Snapshot, Order::Realtime),
    level(Consistency::StrongSessionSnapshotIsolation, Shape::Snapshot, Order::Process),
    level(Consistency::SnapshotIsolation, Shape::Snapshot, Order::Data),
];
