//! A few operations that no order explains, and the sentence about them.
//!
//! Usually an operation that the search could not place proves the violation together with one or two others; see
//! [`crate::explain`]. Where it does not, the history is made smaller. First the shortest illegal prefix:
//! linearizability is prefix-closed, so a binary search finds the return that broke it. Then that prefix is made
//! weaker, never stronger, for as long as it stays illegal: a read is forgotten, another operation's result and
//! return are forgotten (it may then take effect or not). What is left in full strength is the witness.

mod core;
#[cfg(test)]
mod tests;

use std::time::Instant;

use self::core::Core;
use crate::explain::{Effort, WORK_MAX};
use crate::limits::Budget;
use crate::parallel::ALONE;
use crate::problem::{Item, Prepared, items};
use crate::refutation::Refutation;
use crate::search::search;
use crate::{CallOf, Limits, Model, explain};

/// Configurations that one attempt may visit.
const NODES: u64 = 20_000;

/// Memory that one attempt may take: its states may be large.
const MEMORY_BYTES: u64 = 1 << 26;

/// Explains why there is no order; the search could not place `suspects`.
/// An error means that this crate contradicts itself.
pub(crate) fn explain<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    suspects: &[usize],
    limits: &Limits,
    deadline: Instant,
) -> Result<Refutation, String> {
    let budget = Budget {
        deadline,
        memory_bytes: limits.memory_bytes.min(MEMORY_BYTES),
        nodes: NODES,
        cancel: limits.cancel.as_deref(),
        race: None,
        threads: &ALONE,
    };
    explain_within(model, calls, suspects, &Effort::new(budget, WORK_MAX))
}

/// The same within so much effort: for want of it, the witness only says where the search ended.
fn explain_within<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    suspects: &[usize],
    effort: &Effort<'_>,
) -> Result<Refutation, String> {
    if let Some(found) = explain::explain(model, calls, suspects.iter().copied(), effort) {
        return Ok(found);
    }
    let mut attempts = Attempts { effort, found_any: false, gave_up: false };
    let all = items::<M>(calls);
    let mut returns: Vec<u64> = suspects.iter().filter_map(|&suspect| calls[suspect].ret).collect();
    returns.sort_unstable();
    let window = |&end: &u64| Core::window(model, &prefix(&all, end), &mut attempts);
    let core = returns.iter().find_map(window);
    // Each phase leaves as much to the next.
    effort.next_phase();
    let mut core = core.unwrap_or_else(|| {
        let first = returns.first().copied().unwrap_or_default();
        let end = shortest_illegal_prefix(model, &all, first, &mut attempts);
        Core::whole(model, &prefix(&all, end))
    });
    // Without an attempt that failed, what is left is the whole history, which is known to be illegal.
    if attempts.gave_up && !attempts.found_any {
        return Ok(explain::no_order(model, calls, suspects));
    }
    effort.next_phase();
    core.drop_chunks(&mut attempts);
    core.verify()?;
    let (kept, others) = core.into_parts();
    let places = kept.iter().rev().map(|item| item.source as usize);
    if let Some(found) = explain::explain(model, calls, places, effort) {
        return Ok(found);
    }
    Ok(explain::impossible_result(model, &kept, &others, calls))
}

/// Searches over parts of the history.
struct Attempts<'e, 'b> {
    effort: &'e Effort<'b>,
    /// Whether any found that no order exists.
    found_any: bool,
    /// Whether any ended without an answer.
    gave_up: bool,
}

impl Attempts<'_, '_> {
    /// Is that many operations still within the effort?
    fn may_look_at(&mut self, operations: usize) -> bool {
        let may = self.effort.spend(operations as u64);
        self.gave_up |= !may;
        may
    }

    /// Does no order explain these? `false` also where the attempt was given up.
    fn finds_illegal<M: Model>(&mut self, model: &M, items: &[Item<'_, M>]) -> bool {
        let count = items.len() as u64;
        let open = items.iter().filter(|item| item.ret.is_none()).count() as u64;
        // The hints are compared pairwise, and every configuration looks at what is open.
        let preparing = count + open * (count - open);
        let per_node = open + 16;
        if !self.effort.spend(preparing) {
            self.gave_up = true;
            return false;
        }
        let nodes = NODES.min(self.effort.left() / per_node);
        let budget = Budget { nodes, ..self.effort.budget() };
        let found = search(Prepared::new(model, items), &budget);
        self.effort.spend(found.spent.nodes * per_node);
        let is_illegal = matches!(found.answer, Ok(None));
        self.found_any |= is_illegal;
        self.gave_up |= found.answer.is_err();
        is_illegal
    }
}

/// The history up to `end`: what had not begun is left out, what had not returned is open.
fn prefix<'a, M: Model>(all: &[Item<'a, M>], end: u64) -> Vec<Item<'a, M>> {
    let cut = |item: &Item<'a, M>| {
        if item.ret.is_some_and(|ret| ret > end) { relaxed(item) } else { *item }
    };
    all.iter().filter(|item| item.call.call <= end).map(cut).collect()
}

/// The same operation, open for ever.
fn relaxed<'a, M: Model>(item: &Item<'a, M>) -> Item<'a, M> {
    Item { ret: None, output: None, ..*item }
}

/// The first return that no order survives.
fn shortest_illegal_prefix<M: Model>(
    model: &M,
    all: &[Item<'_, M>],
    furthest: u64,
    attempts: &mut Attempts<'_, '_>,
) -> u64 {
    // No order gets past `furthest`, but what is open there was searched with its result known, so that the
    // prefix may have to be longer.
    let mut returns: Vec<u64> =
        all.iter().filter_map(|i| i.ret).filter(|&r| r >= furthest).collect();
    returns.sort_unstable();
    returns.dedup();
    let mut illegal = |end: u64| attempts.finds_illegal(model, &prefix(all, end));
    // The whole history is illegal; usually the first of these prefixes is too.
    let (mut legal, mut illegal_at, mut step) = (0, returns.len().saturating_sub(1), 1);
    while legal + step - 1 < illegal_at {
        let middle = legal + step - 1;
        if illegal(returns[middle]) {
            illegal_at = middle;
        } else {
            (legal, step) = (middle + 1, step * 2);
        }
    }
    while legal < illegal_at {
        let middle = legal.midpoint(illegal_at);
        if illegal(returns[middle]) { illegal_at = middle } else { legal = middle + 1 }
    }
    returns.get(illegal_at).copied().unwrap_or(furthest)
}
