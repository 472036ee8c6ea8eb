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

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::Model;
use crate::limits::{Budget, Stop};
use crate::problem::{Item, Prepared};
use crate::search::{Found, Running, Spent, Strategy, start};
use crate::table::Table;

/// Past this many states an object is no candidate.
const STATES_MAX: usize = 64;

/// Past this many steps between them neither.
const STEPS_MAX: usize = 100_000;

/// Every state that the history's operations can lead to.
pub(crate) struct Space<M: Model> {
    states: Vec<M::State>,
    /// Classes that are legal in none of the states.
    impossible: FxHashSet<u32>,
}

impl<M: Model> Space<M> {
    /// `None` where there are too many states, or where they take too much memory.
    pub(crate) fn of(model: &M, items: &[Item<'_, M>], memory_bytes: u64) -> Option<Self> {
        let mut classes: FxHashMap<u32, &Item<'_, M>> = FxHashMap::default();
        for item in items {
            classes.entry(item.class()).or_insert(item);
        }
        let bytes = |state: &M::State| model.state_bytes(state);
        let states = Table::new();
        states.number(model.initial(), bytes);
        let mut after: FxHashMap<u32, Vec<Option<u32>>> = FxHashMap::default();
        let mut next = 0;
        while next < states.len() {
            let steps = classes.len() * states.len();
            let needed = states.bytes() + (steps * size_of::<Option<u32>>()) as u64;
            if steps > STEPS_MAX || needed > memory_bytes {
                return None;
            }
            for (&class, item) in &classes {
                let step = model.step(states.get(next as u32), &item.call.input, item.output);
                let step = step.map(|state| states.number(state, bytes));
                if states.len() > STATES_MAX {
                    return None;
                }
                after.entry(class).or_default().push(step);
            }
            next += 1;
        }
        let nowhere = |after: &Vec<Option<u32>>| after.iter().all(Option::is_none);
        let impossible = after.iter().filter(|(_, after)| nowhere(after)).map(|(&class, _)| class);
        let impossible = impossible.collect();
        Some(Self { states: states.into_values(), impossible })
    }

    /// The first operation to return that no state allows.
    pub(crate) fn impossible(&self, items: &[Item<'_, M>]) -> Option<u32> {
        let impossible =
            |item: &&Item<'_, M>| item.ret.is_some() && self.impossible.contains(&item.class());
        items.iter().filter(impossible).min_by_key(|item| item.ret).map(|item| item.source)
    }

    /// A search for an order of the events from `from` to `until`, from any of the states.
    pub(crate) fn search<'a>(
        &self,
        model: &'a M,
        all: &[Item<'a, M>],
        from: u64,
        until: u64,
    ) -> Window<'a, M> {
        let prepared = Arc::new(Prepared::new(model, &window(all, from, until)));
        let states = self.states.clone();
        let depth = start(Arc::clone(&prepared), states.clone(), Strategy::Depth);
        Window { prepared, states, search: depth, quick: None }
    }
}

/// A search over some events. Most windows have an order, so it begins depth first; those that have none take long then.
/// (`register 10000/25 40 swapped reads` of `hard` visits 1.4 times as many configurations without.)
pub(crate) struct Window<'a, M: Model> {
    prepared: Arc<Prepared<'a, M>>,
    states: Vec<M::State>,
    search: Box<dyn Running + 'a>,
    /// What the first search took, once it is over.
    quick: Option<Spent>,
}

impl<M: Model> Running for Window<'_, M> {
    fn run(&mut self, budget: &Budget<'_>) -> Found {
        let quick = match self.quick {
            Some(spent) => spent,
            None => {
                let little = Budget { nodes: budget.nodes.min(QUICK_NODES), ..*budget };
                let found = self.search.run(&little);
                if found.answer != Err(Stop::Nodes) {
                    return found;
                }
                let states = std::mem::take(&mut self.states);
                self.search = start(Arc::clone(&self.prepared), states, Strategy::Breadth);
                *self.quick.insert(found.spent)
            }
        };
        let nodes = budget.nodes.saturating_sub(quick.nodes);
        let mut found = self.search.run(&Budget { nodes, ..*budget });
        found.spent.nodes += quick.nodes;
        found.spent.memory_bytes = found.spent.memory_bytes.max(quick.memory_bytes);
        found
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

/// Configurations that a window's first search may visit.
const QUICK_NODES: u64 = 4_000;

/// How many events the windows have, the smallest first. (Of `hard`, 32 wins `cas 1000/25 5 swapped reads`, 256 wins
/// `cas 1000/25 40 swapped cas`. Windows of 1024 and 4096 won nothing.)
pub(crate) const SIZES: [usize; 2] = [32, 256];

/// The first event of each window up to `until`, the smallest window first; none is the whole history.
pub(crate) fn starts<M: Model>(items: &[Item<'_, M>], until: u64, sizes: &[usize]) -> Vec<u64> {
    let mut times: Vec<u64> =
        items.iter().flat_map(|item| [Some(item.call.call), item.ret]).flatten().collect();
    times.retain(|&time| time <= until);
    times.sort_unstable();
    let starts = sizes.iter().filter_map(|&size| times.len().checked_sub(size));
    starts.filter(|&start| start > 0).map(|start| times[start]).collect()
}
