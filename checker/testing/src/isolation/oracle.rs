//! Consistency models by their definitions: every possibility, one after another. For a handful of transactions only.
//!
//! Too simple to be wrong, and sharing no code with the checker: the tests compare the two. [`commit_orders`] asks
//! whether a store that keeps the promise could have given these answers; [`version_orders`] asks for Adya's
//! dependency graph without the phenomena that a model forbids. Where both know a model, they agree.
//!
//! A transaction of unknown outcome may have happened or not.

use isolation::{Consistency, Order};

pub mod commit_orders;
pub mod version_orders;

/// Does one transaction come before the other, both by number, in this order of time?
fn precedes(
    order: Order,
    history: &[&isolation::Transaction],
    first: usize,
    second: usize,
) -> bool {
    let (first, second) = (history[first], history[second]);
    let returned_before = first.ret.is_some_and(|ret| ret < second.call);
    match order {
        Order::Data => false,
        Order::Process => returned_before && first.process == second.process,
        Order::Realtime => returned_before,
    }
}

/// The order of time that the model demands, and the model without that demand.
fn without_order(model: Consistency) -> (Order, Consistency) {
    let plain = match model {
        Consistency::StrongSessionReadUncommitted | Consistency::StrongReadUncommitted => {
            Consistency::ReadUncommitted
        }
        Consistency::StrongSessionReadCommitted | Consistency::StrongReadCommitted => {
            Consistency::ReadCommitted
        }
        Consistency::StrongSessionSnapshotIsolation | Consistency::StrongSnapshotIsolation => {
            Consistency::SnapshotIsolation
        }
        Consistency::StrongSessionSerializable | Consistency::StrictSerializable => {
            Consistency::Serializable
        }
        plain => plain,
    };
    (model.order(), plain)
}
