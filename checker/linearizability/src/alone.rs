//! Attempts that a check makes only where the first fails, each made alone: a small history shows them only so. For
//! tests that compare each of them with the definition (feature `alone`).

use std::sync::Arc;

use crate::limits::Budget;
use crate::problem::{Prepared, items};
use crate::refute::{Space, starts};
use crate::search::{Running, Strategy, start};
use crate::{CallOf, Model, certificate};

/// Does breadth first find an order, and does that replay?
pub fn is_explained_breadth_first<M: Model>(model: &M, calls: &[CallOf<M>]) -> bool {
    let prepared = Prepared::new(model, &items::<M>(calls));
    let mut search = start(Arc::new(prepared), vec![model.initial()], Strategy::Breadth);
    let found = search.run(&Budget::unlimited());
    matches!(found.answer, Ok(Some(order)) if certificate::is_legal(model, calls, &order))
}

/// Is some operation impossible, or does a window of so many events up to any return prove that no order exists?
pub fn is_refuted_by_a_window<M: Model>(model: &M, calls: &[CallOf<M>], events: usize) -> bool {
    let items = items::<M>(calls);
    let budget = Budget::unlimited();
    let Some(space) = Space::of(model, &items, u64::MAX) else { return false };
    let refuted =
        |from, until| space.search(model, &items, from, until).run(&budget).answer == Ok(None);
    let has_window =
        |until| starts(&items, until, &[events]).iter().any(|&from| refuted(from, until));
    space.impossible(&items).is_some() || items.iter().filter_map(|item| item.ret).any(has_window)
}
