//! Violations proved from a part of a history: a window of events that no state explains.
//!
//! Cut a legal order at time `from`. What took effect before the cut leaves some state behind; what took effect
//! up to `until` follows it in a legal order. Of this rest:
//!
//! - what began at or after `from` and returned up to `until` is there, at a moment within its interval;
//! - what began before and returned later than the cut may have come before it, and is there or not;
//! - what returned after `until`, or never, may come later, and is there or not;
//! - nothing else can be there.
//!
//! So where no state has such an order, the history has none. A window forgets what happened before it, and with
//! it nearly all of what makes a search explode; what it keeps has its result and, at the cut, its return.
//! (Horn & Kroening, "Faster linearizability checking via P-compositionality", FORTE 2015, section 4, take a history
//! apart by object; this takes it apart by time.)

use std::sync::{Mutex, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::limits::Budget;
use crate::parallel::in_parallel;
use crate::problem::{self, Item, Nature, Problem};
use crate::search::{Found, search_from};
use crate::{CallOf, Model};

/// Past this many states an object is no candidate.
const STATES_MAX: usize = 64;

/// Past this many steps between them neither.
const STEPS_MAX: usize = 100_000;

/// Every state that the history's operations can lead to, and what that tells about them.
struct Space<M: Model> {
    /// Cloned by each search; a state need not be fit for several threads at once.
    states: Mutex<Vec<M::State>>,
    /// By the class of an item.
    natures: FxHashMap<u32, Nature>,
    /// Classes that are legal in none of the states.
    impossible: FxHashSet<u32>,
}

impl<M: Model> Space<M> {
    /// `None` where there are too many states.
    fn of(model: &M, items: &[Item<'_, M>]) -> Option<Self> {
        let mut classes: FxHashMap<u32, &Item<'_, M>> = FxHashMap::default();
        for item in items {
            classes.entry(item.class()).or_insert(item);
        }
        let mut states = vec![model.initial()];
        let mut known: FxHashSet<M::State> = states.iter().cloned().collect();
        let mut after: FxHashMap<u32, Vec<Option<M::State>>> = FxHashMap::default();
        let mut next = 0;
        while let Some(state) = states.get(next).cloned() {
            if classes.len() * states.len() > STEPS_MAX {
                return None;
            }
            for (&class, item) in &classes {
                let step = model.step(&state, &item.call.input, item.output);
                if let Some(new) = &step
                    && known.insert(new.clone())
                {
                    states.push(new.clone());
                }
                if states.len() > STATES_MAX {
                    return None;
                }
                after.entry(class).or_default().push(step);
            }
            next += 1;
        }
        let nowhere = |after: &Vec<Option<M::State>>| after.iter().all(Option::is_none);
        let impossible = after.iter().filter(|(_, after)| nowhere(after)).map(|(&class, _)| class);
        let impossible = impossible.collect();
        let natures = after.into_iter().map(|(class, after)| (class, nature(&states, &after)));
        let natures = natures.collect();
        Some(Self { states: Mutex::new(states), natures, impossible })
    }

    /// The problem, with what is known about the operations.
    fn problem<'a>(&self, model: &'a M, items: &[Item<'a, M>]) -> Problem<'a, M> {
        Problem::with_natures(model, items, |item| self.natures.get(&item.class()).copied())
    }

    /// Looks for an order of the events from `from` to `until`, from any of the states.
    fn search(
        &self,
        model: &M,
        all: &[Item<'_, M>],
        from: u64,
        until: u64,
        budget: &Budget<'_>,
    ) -> Found {
        let starts = self.states.lock().unwrap_or_else(PoisonError::into_inner).clone();
        search_from(&self.problem(model, &window(all, from, until)), starts, budget)
    }
}

/// The nature of an operation that leads from these states to those.
fn nature<S: PartialEq>(states: &[S], after: &[Option<S>]) -> Nature {
    let stays = |(state, after): (&S, &Option<S>)| after.as_ref().is_none_or(|a| a == state);
    if states.iter().zip(after).all(stays) {
        Nature::Read
    } else if after.iter().all(|a| a.is_some() && *a == after[0]) {
        Nature::Write
    } else {
        Nature::Other
    }
}

/// What may have taken effect from `from` to `until`.
fn window<'a, M: Model>(all: &[Item<'a, M>], from: u64, until: u64) -> Vec<Item<'a, M>> {
    let within =
        |item: &&Item<'a, M>| item.call.call <= until && item.ret.is_none_or(|ret| ret >= from);
    let cut = |item: &Item<'a, M>| Item {
        ret: item.ret.filter(|&ret| ret <= until),
        must: item.call.call >= from,
        ..*item
    };
    all.iter().filter(within).map(cut).collect()
}

/// How many events the windows have, the smallest first.
pub(crate) const SIZES: [usize; 4] = [32, 256, 1024, 4096];

/// An operation that no order explains, and how many configurations were visited to find out.
///
/// First any that no state allows, then the one at which a search got stuck: is there a window of these sizes up to
/// its return that no state explains? The smallest is the one that counts.
pub(crate) fn refute<M: Model>(
    model: &M,
    items: &[Item<'_, M>],
    stuck: Option<&Item<'_, M>>,
    sizes: &[usize],
    budget: &Budget<'_>,
    threads: usize,
) -> (Option<u32>, u64) {
    let Some(space) = Space::of(model, items) else { return (None, 0) };
    let impossible =
        |item: &&Item<'_, M>| item.ret.is_some() && space.impossible.contains(&item.class());
    if let Some(item) = items.iter().filter(impossible).min_by_key(|item| item.ret) {
        return (Some(item.source), 0);
    }
    let Some((stuck, until)) = stuck.and_then(|stuck| Some((stuck, stuck.ret?))) else {
        return (None, 0);
    };
    let from = starts(items, until, sizes);
    let budget = Budget { memory_bytes: budget.memory_bytes / sizes.len() as u64, ..*budget };
    let found = in_parallel(&from, threads, |from| {
        let Found { answer, nodes, .. } = space.search(model, items, from, until, &budget);
        (matches!(answer, Ok(None)), nodes)
    });
    // What a larger window took besides does not count: it is not needed.
    let refuted = found.iter().position(|&(refuted, _)| refuted);
    let counted = &found[..refuted.map_or(found.len(), |smallest| smallest + 1)];
    (refuted.map(|_| stuck.source), counted.iter().map(|&(_, nodes)| nodes).sum())
}

/// The first event of each window, the smallest window first; none is the whole history.
fn starts<M: Model>(items: &[Item<'_, M>], until: u64, sizes: &[usize]) -> Vec<u64> {
    let mut times: Vec<u64> =
        items.iter().flat_map(|item| [Some(item.call.call), item.ret]).flatten().collect();
    times.retain(|&time| time <= until);
    times.sort_unstable();
    let starts = sizes.iter().filter_map(|&size| times.len().checked_sub(size));
    starts.filter(|&start| start > 0).map(|start| times[start]).collect()
}

/// For tests with histories too small for a check to look at parts of them: does a window of so many events up to
/// any return prove that no order exists?
#[doc(hidden)]
pub fn is_refuted_by_a_window<M: Model>(model: &M, calls: &[CallOf<M>], events: usize) -> bool {
    let items = problem::items::<M>(calls);
    let budget = Budget::unlimited();
    items.iter().any(|stuck| refute(model, &items, Some(stuck), &[events], &budget, 1).0.is_some())
}
