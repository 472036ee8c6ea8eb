//! The same question about many variants of one history, each asked with little effort.

use std::time::Instant;

use crate::limits::Budget;
use crate::parallel::ALONE;
use crate::problem::{Prepared, items};
use crate::search::search;
use crate::{CallOf, Limits, Model};

/// Whether the calls have an order that the model accepts and that respects real time; `None` where so many
/// configurations, or the limits, do not suffice to tell. Those that were visited are taken from `nodes`.
///
/// A yes has been found step by step; a no rests on the search, as a violation of [`crate::check()`] does.
pub fn has_order<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    nodes: &mut u64,
    limits: &Limits,
) -> Option<bool> {
    let budget = Budget {
        deadline: crate::check::deadline(Instant::now(), limits),
        memory_bytes: limits.memory_bytes,
        nodes: *nodes,
        cancel: limits.cancel.as_deref(),
        race: None,
        threads: &ALONE,
    };
    let items = items::<M>(calls);
    let found = search(Prepared::new(model, &items), &budget);
    *nodes = nodes.saturating_sub(found.spent.nodes);
    found.answer.ok().map(|order| order.is_some())
}
