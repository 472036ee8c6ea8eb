//! A few operations that no order explains, and the sentence about them.
//!
//! Usually an operation that the search could not place proves the violation together with one or two others; see
//! [`crate::explain`]. Where it does not, the history is made smaller. First the shortest illegal prefix:
//! linearizability is prefix-closed, so a binary search finds the return that broke it. Then that prefix is made
//! weaker, never stronger, for as long as it stays illegal: a read is forgotten, another operation's result and
//! return are forgotten (it may then take effect or not). What is left in full strength is the witness.

#[cfg(test)]
mod tests;

use std::time::Instant;

use crate::explain::{Effort, WORK_MAX};
use crate::limits::Budget;
use crate::problem::{Effect, Item, Problem, items};
use crate::search::search;
use crate::{CallOf, Limits, Model, Witness, explain, oracle};

/// Configurations that one attempt may visit.
const NODES: u64 = 20_000;

/// Memory that one attempt may take: its states may be large.
const MEMORY_BYTES: u64 = 1 << 26;

/// The most operations whose whole history is tried before any prefix is.
const WINDOW_MAX: usize = 1_000;

/// More operations than this that may have written a value tell nothing.
const WRITERS_MAX: usize = 64;

/// The most operations that the oracle is asked about.
const VERIFIED_MAX: usize = 8;

/// Explains why there is no order; the search could not place `suspects`.
/// An error means that this crate contradicts itself.
pub(crate) fn explain<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    suspects: &[usize],
    key: Option<String>,
    limits: &Limits,
    deadline: Instant,
) -> Result<Witness, String> {
    let budget = Budget {
        deadline,
        memory_bytes: limits.memory_bytes.min(MEMORY_BYTES),
        nodes: NODES,
        cancel: limits.cancel.as_deref(),
        outrun: None,
    };
    explain_within(model, calls, suspects, key, &Effort::new(budget, WORK_MAX))
}

/// The same within so much effort: for want of it, the witness only says where the search ended.
fn explain_within<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    suspects: &[usize],
    key: Option<String>,
    effort: &Effort<'_>,
) -> Result<Witness, String> {
    if let Some(found) = explain::explain(model, calls, suspects.iter().copied(), effort) {
        return Ok(found.into_witness(calls, key));
    }
    let mut attempts = Attempts { effort, found_any: false, gave_up: false };
    let all = items::<M>(calls);
    let mut returns: Vec<u64> = suspects.iter().filter_map(|&suspect| calls[suspect].ret).collect();
    returns.sort_unstable();
    let window = |&end: &u64| Core::window(model, prefix(&all, end), &mut attempts);
    let core = returns.iter().find_map(window);
    // Each phase leaves as much to the next.
    effort.next_phase();
    let mut core = core.unwrap_or_else(|| {
        let first = returns.first().copied().unwrap_or_default();
        let end = shortest_illegal_prefix(model, &all, first, &mut attempts);
        Core::whole(model, prefix(&all, end))
    });
    // Without an attempt that failed, what is left is the whole history, which is known to be illegal.
    if attempts.gave_up && !attempts.found_any {
        let suspects: Vec<_> = suspects.iter().map(|&suspect| &calls[suspect]).collect();
        return Ok(explain::undescribed(model, &suspects, key));
    }
    effort.next_phase();
    core.drop_chunks(&mut attempts);
    core.verify()?;
    let (kept, others) = core.into_parts();
    let places = kept.iter().rev().map(|item| item.source as usize);
    if let Some(found) = explain::explain(model, calls, places, effort) {
        return Ok(found.into_witness(calls, key));
    }
    Ok(explain::describe(model, &kept, &others, key))
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
        let found = search(&Problem::new(model, items), &budget);
        self.effort.spend(found.nodes * per_node);
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

/// An illegal history, most of it relaxed.
struct Core<'m, 'a, M: Model> {
    model: &'m M,
    /// In order of return, those open for ever last.
    items: Vec<Item<'a, M>>,
    /// Which of them count in full.
    kept: Vec<bool>,
}

impl<'m, 'a, M: Model> Core<'m, 'a, M> {
    /// Everything in full strength.
    fn whole(model: &'m M, mut items: Vec<Item<'a, M>>) -> Self {
        items.sort_by_key(|item| item.ret.unwrap_or(u64::MAX));
        let kept = items.iter().map(|item| item.ret.is_some()).collect();
        Self { model, items, kept }
    }

    /// The items with everything relaxed that is not kept.
    fn weakened(&self, kept: &[bool]) -> Vec<Item<'a, M>> {
        let weaken =
            |(item, &kept): (&Item<'a, M>, &bool)| if kept { *item } else { relaxed(item) };
        self.items.iter().zip(kept).map(weaken).collect()
    }

    fn is_illegal_with(&self, kept: &[bool], attempts: &mut Attempts<'_, '_>) -> bool {
        attempts.finds_illegal(self.model, &self.weakened(kept))
    }

    fn keep(&mut self, kept: Vec<bool>) {
        self.kept = kept;
    }

    /// Mistakes are local: often the last few operations, and those that wrote what the last one saw, are enough.
    fn window(
        model: &'m M,
        items: Vec<Item<'a, M>>,
        attempts: &mut Attempts<'_, '_>,
    ) -> Option<Self> {
        if !attempts.may_look_at(items.len()) {
            return None;
        }
        let mut core = Self::whole(model, items);
        let stuck = core.stuck()?;
        let required = core.kept.iter().filter(|&&kept| kept).count();
        let wrote = |item: &Item<'a, M>| may_enable(model, item.call, stuck);
        let writers: Vec<bool> = core.items[..required].iter().map(wrote).collect();
        // Where everything counts as a writer, this is no help.
        let few_writers = writers.iter().filter(|&&writer| writer).count() <= WRITERS_MAX;
        let kept = |size: usize| {
            let in_window = |i: usize| i + size >= required || (few_writers && writers[i]);
            (0..core.items.len()).map(|i| i < required && in_window(i)).collect::<Vec<bool>>()
        };
        let sizes = std::iter::successors(Some(4), |size| Some(4 * size));
        let parts: Vec<_> = sizes.take_while(|&size| size < required).map(kept).collect();
        let whole = (required <= WINDOW_MAX).then(|| core.kept.clone());
        let found =
            parts.into_iter().chain(whole).find(|kept| core.is_illegal_with(kept, attempts))?;
        core.keep(found);
        Some(core)
    }

    /// The one that no order can place: the last that returned.
    fn stuck(&self) -> Option<&'a CallOf<M>> {
        let mut items = self.items.iter().zip(&self.kept);
        items.rfind(|&(_, &kept)| kept).map(|(item, _)| item.call)
    }

    /// Zeller & Hildebrandt's delta debugging ("Simplifying and isolating failure-inducing input", TSE 2002):
    /// relaxes ever smaller chunks. Reads go first, since forgetting one leaves nothing behind.
    fn drop_chunks(&mut self, attempts: &mut Attempts<'_, '_>) {
        let read_only = |item: &Item<'a, M>| self.model.is_read_only(&item.call.input);
        let (reads, others): (Vec<usize>, Vec<usize>) =
            (0..self.items.len()).partition(|&i| read_only(&self.items[i]));
        for group in [reads, others] {
            let kept_of = |core: &Self| -> Vec<usize> {
                group.iter().copied().filter(|&i| core.kept[i]).collect()
            };
            let mut size = kept_of(self).len();
            while size > 0 {
                for chunk in kept_of(self).chunks(size) {
                    if attempts.effort.left() == 0 {
                        return;
                    }
                    let mut kept = self.kept.clone();
                    chunk.iter().for_each(|&i| kept[i] = false);
                    if self.is_illegal_with(&kept, attempts) {
                        self.keep(kept);
                    }
                }
                size /= 2;
            }
        }
    }

    /// Asks the definition itself, where the core is small enough.
    fn verify(&self) -> Result<(), String> {
        let forgotten =
            |item: &Item<'a, M>| item.ret.is_none() && self.model.is_read_only(&item.call.input);
        let core: Vec<CallOf<M>> = self
            .weakened(&self.kept)
            .iter()
            .filter(|item| !forgotten(item))
            .map(|item| CallOf::<M> {
                ret: item.ret,
                output: item.output.cloned(),
                ..item.call.clone()
            })
            .collect();
        if core.len() <= VERIFIED_MAX && oracle::is_linearizable(self.model, &core) {
            return Err("Internal error: the search found no order for a history that has one; the model's \
                        hints may contradict its steps."
                .to_owned());
        }
        Ok(())
    }

    /// What counts in full, in order of return, and of the rest what may have had an effect.
    fn into_parts(self) -> (Vec<Item<'a, M>>, Vec<Item<'a, M>>) {
        let weakened = self.weakened(&self.kept);
        let kept = |&at: &usize| self.kept[at];
        let (kept, others): (Vec<usize>, Vec<usize>) = (0..weakened.len()).partition(kept);
        let items = |places: Vec<usize>| places.into_iter().map(|at| weakened[at]);
        let changes = |item: &Item<'a, M>| !self.model.is_read_only(&item.call.input);
        (items(kept).collect(), items(others).filter(changes).collect())
    }
}

/// Could `blocked` be legal right after `effect`?
fn may_enable<M: Model>(model: &M, effect: &CallOf<M>, blocked: &CallOf<M>) -> bool {
    let of = |call| Effect::<M>::of(model, call);
    !model.is_read_only(&effect.input) && of(effect).may_enable(model, &of(blocked))
}
