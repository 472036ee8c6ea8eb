//! The cycles of a graph: component by component, class by class.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::class::{CYCLES, Class, ORDERS, time};
use crate::component::{Component, Numbers};
use crate::components::components;
use crate::graph::{Dependency, Graph, Mask};
use crate::history::{History, Txn};
use crate::search::{Outcome, Walk, search};
use crate::{Cycle, Order};

/// A cycle: each transaction with the edge that leads from it to the next, the last to the first.
pub(crate) struct FoundCycle {
    pub(crate) class: Class,
    pub(crate) edges: Vec<(Txn, Dependency)>,
}

/// What the search of all components came to.
#[derive(Default)]
pub(crate) struct Cycles {
    /// In an order that only the history decides.
    pub(crate) found: Vec<FoundCycle>,
    /// Classes of which there may be shorter cycles.
    pub(crate) not_shortest: Vec<Class>,
    /// Classes of which there may be cycles that were not found.
    pub(crate) unfinished: Vec<Class>,
    pub(crate) components: usize,
    pub(crate) largest: usize,
    pub(crate) work: u64,
    /// Edges of the whole graph.
    pub(crate) edges: usize,
}

/// The graph of a history, ready to be searched.
pub(crate) struct Dependencies<'a> {
    pub(crate) history: &'a History,
    pub(crate) graph: &'a Graph,
    /// Nodes from here on are moments in time.
    pub(crate) first_moment: u32,
    /// The next committed transaction of the same process, by transaction.
    pub(crate) successors: &'a [Txn],
}

/// No class of one component may use more than one part in this many of all work.
const SHARE: u64 = 8;
/// No cycle has fewer transactions.
const SHORTEST: usize = 2;

impl Dependencies<'_> {
    /// Searches all components, the smallest first: those are the clearest, and what is left of the work goes to the
    /// largest.
    pub(crate) fn cycles(&self, work: u64, cancel: Option<&AtomicBool>) -> Cycles {
        let mut numbers = Numbers::new(self.graph);
        let mut cycles = Cycles::default();
        let is_txn = |node: &&u32| (**node as usize) < self.history.len();
        let mut components: Vec<_> = components(self.graph)
            .into_iter()
            .map(|nodes| (nodes.iter().filter(is_txn).count(), nodes))
            .filter(|(size, _)| *size > 1)
            .collect();
        components.sort_by_key(|(size, nodes)| (*size, nodes.iter().min().copied()));
        let mut left = work;
        for (size, nodes) in components {
            cycles.components += 1;
            cycles.largest = cycles.largest.max(size);
            if cancel.is_some_and(|cancel| cancel.load(Relaxed)) {
                break;
            }
            let component = Component::new(
                self.history,
                self.graph,
                self.first_moment,
                self.successors,
                &nodes,
                &mut numbers,
            );
            InComponent { component: &component, share: work / SHARE, found: Vec::new() }
                .search(&mut left, &mut cycles);
        }
        cycles.work = work - left;
        cycles
    }
}

/// The search of one component.
struct InComponent<'a> {
    component: &'a Component,
    share: u64,
    found: Vec<Known>,
}

/// A cycle that was found: its class, one of its transactions and how many it has.
struct Known {
    class: Class,
    txn: u32,
    len: usize,
}

impl InComponent<'_> {
    /// Data alone first, then with processes, then with real time: each with the parts that it leaves connected.
    fn search(mut self, left: &mut u64, cycles: &mut Cycles) {
        let all: Vec<u32> = (0..crate::history::id(self.component.graph.nodes())).collect();
        for order in ORDERS {
            for part in self.component.within(&all, Mask::DATA.or(time(order))) {
                let first = self.found.len();
                for cycle in CYCLES {
                    self.search_part(&part, Class { cycle, order }, left, cycles);
                }
                let weakest = Class { cycle: Cycle::G2Item, order };
                if self.found[first..].is_empty() && self.is_news(&part, weakest, usize::MAX) {
                    self.any_cycle(&part, order, cycles);
                }
            }
        }
    }

    /// Whether a cycle of this length among these transactions is worth telling. Where something as bad is known it goes
    /// without saying; but real time often shows in two transactions what takes many along their processes.
    fn is_news(&self, part: &[u32], class: Class, len: usize) -> bool {
        let is_here = |txn| part.binary_search(&txn).is_ok();
        let as_bad = |known: &&Known| known.class.is_as_bad_as(class) && is_here(known.txn);
        let is_longer = |known: &Known| known.class.order == Order::Process && known.len > len;
        let mut as_bad = self.found.iter().filter(as_bad).peekable();
        as_bad.peek().is_none() || class.order == Order::Realtime && as_bad.all(is_longer)
    }

    fn search_part(&mut self, part: &[u32], class: Class, left: &mut u64, cycles: &mut Cycles) {
        if !self.is_news(part, class, SHORTEST) {
            return;
        }
        let narrower = class.allowed() != Mask::DATA.or(time(class.order));
        let parts = if narrower {
            self.component.within(part, class.allowed())
        } else {
            vec![part.to_vec()]
        };
        for part in parts {
            let share = self.share.min(*left);
            let mut work = share;
            let outcome = search(self.component, &part, class, &mut work);
            *left -= share - work;
            match outcome.map(merge_time) {
                Outcome::Nothing => {}
                Outcome::Unfinished => cycles.unfinished.push(class),
                Outcome::Shortest(walk) if self.is_news(&part, class, walk.len()) => {
                    self.add(class, &walk, cycles);
                }
                Outcome::Some(walk) if self.is_news(&part, class, walk.len()) => {
                    cycles.not_shortest.push(class);
                    self.add(class, &walk, cycles);
                }
                Outcome::Shortest(_) | Outcome::Some(_) => {}
            }
        }
    }

    /// Where the work did not suffice for anything, still some cycle, whatever its class: there is one.
    fn any_cycle(&mut self, part: &[u32], order: Order, cycles: &mut Cycles) {
        let allowed = Mask::DATA.or(time(order));
        if let Some(walk) = crate::fallback::cycle(self.component, part, allowed) {
            let edges: Vec<Dependency> = walk.iter().map(|&(_, edge)| edge).collect();
            self.add(Class::of(&edges), &walk, cycles);
        }
    }

    fn add(&mut self, class: Class, walk: &Walk, cycles: &mut Cycles) {
        let known = |&(txn, _): &(u32, Dependency)| Known { class, txn, len: walk.len() };
        self.found.extend(walk.first().map(known));
        // T1 is the one that was invoked first.
        let first = walk.iter().enumerate().min_by_key(|(_, (node, _))| *node);
        let mut edges: Vec<_> =
            walk.iter().map(|&(node, edge)| (self.component.txns[node as usize], edge)).collect();
        edges.rotate_left(first.map_or(0, |(position, _)| position));
        cycles.found.push(FoundCycle { class, edges });
    }
}

/// Leaves out who stands between two edges of one process: its order holds from the first to the last, too.
fn merge_time(walk: Walk) -> Walk {
    let is_process = |(_, edge): &(u32, Dependency)| *edge == Dependency::Process;
    let mut before = walk.last().is_some_and(is_process);
    let mut merged = walk;
    merged.retain(|step| {
        let is_between = before && is_process(step);
        before = is_process(step);
        !is_between
    });
    merged
}
