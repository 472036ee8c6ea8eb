//! A few operations that no order explains, and the sentence about them.
//!
//! First the shortest illegal prefix: linearizability is prefix-closed, so a binary search finds the return
//! that broke it. Then that prefix is made weaker, never stronger, for as long as it stays illegal: a read is
//! forgotten, another operation's result and return are forgotten (it may then take effect or not). What is
//! left in full strength is the witness.

use std::time::{Duration, Instant};

use crate::limits::Budget;
use crate::problem::{Effect, Item, Problem, items};
use crate::search::search;
use crate::{CallOf, Limits, Model, Witness, oracle, sentence};

/// Time for the witness: the verdict stands already.
const TIME: Duration = Duration::from_secs(2);

/// Time for one attempt.
const ATTEMPT: Duration = Duration::from_millis(100);

/// Configurations that one attempt may visit.
const NODES: u64 = 20_000;

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
    let now = Instant::now();
    // Even a check that used all its time gets a moment for the explanation.
    let soonest = now + TIME / 10;
    let end = deadline.min(now + TIME).max(soonest);
    let budget = Budget {
        deadline: end,
        memory_bytes: limits.memory_bytes,
        nodes: NODES,
        cancel: limits.cancel.as_deref(),
    };
    let all = items::<M>(calls);
    let mut returns: Vec<u64> = suspects.iter().filter_map(|&suspect| calls[suspect].ret).collect();
    returns.sort_unstable();
    // Each phase leaves at least as much time to the next.
    let quarter = (end - now) / 4;
    let until = |quarters: u32| Budget { deadline: now + quarter * quarters, ..budget };
    let window = |&end: &u64| Core::window(model, prefix(&all, end), &until(1));
    let mut core = returns.iter().find_map(window).unwrap_or_else(|| {
        let first = returns.first().copied().unwrap_or_default();
        Core::whole(model, prefix(&all, shortest_illegal_prefix(model, &all, first, &until(2))))
    });
    core.drop_chunks(&budget);
    core.verify()?;
    let core: Vec<&CallOf<M>> = core.calls().collect();
    Ok(sentence::describe(model, calls, &core, key))
}

/// Does no order explain these? `false` also where the attempt was given up.
fn is_illegal<M: Model>(model: &M, items: &[Item<'_, M>], budget: &Budget<'_>) -> bool {
    // None may use up what the others need.
    let deadline = budget.deadline.min(Instant::now() + ATTEMPT);
    let attempt = Budget { deadline, ..*budget };
    budget.spent().is_none()
        && matches!(search(&Problem::new(model, items), &attempt).answer, Ok(None))
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
    budget: &Budget<'_>,
) -> u64 {
    // No order gets past `furthest`, but what is open there was searched with its result known, so that the
    // prefix may have to be longer.
    let mut returns: Vec<u64> =
        all.iter().filter_map(|i| i.ret).filter(|&r| r >= furthest).collect();
    returns.sort_unstable();
    returns.dedup();
    let illegal = |end: u64| is_illegal(model, &prefix(all, end), budget);
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

    fn is_illegal_with(&self, kept: &[bool], budget: &Budget<'_>) -> bool {
        is_illegal(self.model, &self.weakened(kept), budget)
    }

    fn keep(&mut self, kept: Vec<bool>) {
        self.kept = kept;
    }

    /// Mistakes are local: often the last few operations, and those that wrote what the last one saw, are enough.
    fn window(model: &'m M, items: Vec<Item<'a, M>>, budget: &Budget<'_>) -> Option<Self> {
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
        let attempts: Vec<_> = sizes.take_while(|&size| size < required).map(kept).collect();
        let whole = (required <= WINDOW_MAX).then(|| core.kept.clone());
        let found =
            attempts.into_iter().chain(whole).find(|kept| core.is_illegal_with(kept, budget))?;
        core.keep(found);
        Some(core)
    }

    /// The one that no order can place: the last that returned.
    fn stuck(&self) -> Option<&'a CallOf<M>> {
        self.calls().next()
    }

    /// Zeller & Hildebrandt's delta debugging ("Simplifying and isolating failure-inducing input", TSE 2002):
    /// relaxes ever smaller chunks. Reads go first, since forgetting one leaves nothing behind.
    fn drop_chunks(&mut self, budget: &Budget<'_>) {
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
                    if budget.spent().is_some() {
                        return;
                    }
                    let mut kept = self.kept.clone();
                    chunk.iter().for_each(|&i| kept[i] = false);
                    if self.is_illegal_with(&kept, budget) {
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

    /// What counts in full, the last to return first where that is the whole history.
    fn calls(&self) -> impl Iterator<Item = &'a CallOf<M>> {
        let kept = self.items.iter().zip(&self.kept).rev().filter(|&(_, &kept)| kept);
        kept.map(|(item, _)| item.call)
    }
}

/// Could `blocked` be legal right after `effect`?
pub(crate) fn may_enable<M: Model>(model: &M, effect: &CallOf<M>, blocked: &CallOf<M>) -> bool {
    let of = |call| Effect::<M>::of(model, call);
    !model.is_read_only(&effect.input) && of(effect).may_enable(model, &of(blocked))
}
