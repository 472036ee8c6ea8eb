//! The cycles of a graph: component by component, class by class, of each the shortest.
//!
//! Between two transactions the strongest dependency counts: ww before wr before rw. Along processes or in real time a
//! class is told only where that makes its cycles shorter than data alone does, or has the only one.

use rustc_hash::FxHashMap;

use crate::budget::Budget;
use crate::class::{CYCLES, Class, ORDERS, known};
use crate::component::{Component, Numbers};
use crate::components::components;
use crate::dependencies::Dependencies;
use crate::ids::Txn;
use crate::links::{Dependency, Link};
use crate::search::{Found, Walk, Wanted, search};
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
    /// Classes of which cycles were not looked for to the end, for they would rule out nothing more.
    pub(crate) passed_over: Vec<Class>,
    /// A key of which not all versions were put in the order of time: there may be more cycles that respect it.
    pub(crate) crowded: Option<u32>,
    pub(crate) components: usize,
    pub(crate) largest: usize,
    /// Edges of the whole graph.
    pub(crate) edges: usize,
    /// What the search cost.
    pub(crate) work: u64,
}

/// One part in so many of all work is for classes that rule out no more than what was found.
const SPARE: u64 = 64;
/// No cycle has fewer transactions.
const SHORTEST: usize = 2;

impl Dependencies<'_> {
    /// Searches all components, the smallest first: those are the clearest, and what is left of the work goes to the
    /// largest.
    pub(crate) fn cycles(&self, budget: &mut Budget<'_>) -> Cycles {
        let mut numbers = Numbers::new(self.graph.nodes());
        let mut cycles = Cycles::default();
        let is_txn = |node: &&u32| (**node as usize) < self.history.len();
        let mut components: Vec<_> = components(self.graph)
            .into_iter()
            .map(|nodes| (nodes.iter().filter(is_txn).count(), nodes))
            .filter(|(size, _)| *size > 1)
            .collect();
        components.sort_by_key(|(size, nodes)| (*size, nodes.iter().min().copied()));
        cycles.components = components.len();
        cycles.largest = components.last().map_or(0, |(size, _)| *size);
        if components.is_empty() {
            return cycles;
        }
        let mut concerned = vec![false; self.history.len()];
        for node in components.iter().flat_map(|(_, nodes)| nodes).filter(is_txn) {
            concerned[*node as usize] = true;
        }
        let in_processes = (self.in_processes)(&concerned, budget);
        let mut spare = budget.options().work / SPARE;
        for (_, nodes) in components {
            let edges = |&node: &u32| self.graph.next(node).len() + in_processes.next(node).len();
            let bytes = Component::bytes(nodes.len(), nodes.iter().map(edges).sum());
            if !budget.goes_on() || !budget.hold(bytes) {
                cycles.interrupt();
                break;
            }
            budget.charge(nodes.len());
            let component = Component::new(self, &in_processes, &nodes, &mut numbers);
            let found = FxHashMap::default();
            InComponent { component: &component, found, spare: &mut spare }
                .search(budget, &mut cycles);
            budget.give_back(bytes);
        }
        cycles
    }
}

impl Cycles {
    /// There may be any.
    pub(crate) fn not_looked_for() -> Self {
        let mut cycles = Self::default();
        cycles.interrupt();
        cycles
    }

    /// Of every class there may be more.
    fn interrupt(&mut self) {
        let classes =
            CYCLES.into_iter().flat_map(|cycle| ORDERS.map(|order| Class { cycle, order }));
        self.unfinished = classes.collect();
    }
}

/// The search of one component.
struct InComponent<'a> {
    component: &'a Component,
    /// The cycles that were found, by one of their transactions.
    found: FxHashMap<Txn, Vec<Known>>,
    /// What is left for classes that rule out nothing more.
    spare: &'a mut u64,
}

/// A cycle that was found: its class, and how many transactions it has.
#[derive(Clone, Copy)]
struct Known {
    class: Class,
    len: usize,
}

impl InComponent<'_> {
    /// Data alone first, then with processes, then with real time: each with the parts that it leaves connected.
    fn search(mut self, budget: &mut Budget<'_>, cycles: &mut Cycles) {
        for order in ORDERS {
            budget.charge(self.component.size());
            for part in self.component.parts(known(order)) {
                if !budget.goes_on() {
                    return cycles.interrupt();
                }
                let before = cycles.found.len();
                for cycle in CYCLES {
                    self.search_part(&part, Class { cycle, order }, budget, cycles);
                }
                let weakest = Class { cycle: Cycle::G2Item, order };
                let is_empty = cycles.found.len() == before;
                if is_empty && !budget.is_cancelled() && !self.is_ruled_out(&part, weakest) {
                    self.any_cycle(&part, order, cycles);
                }
            }
        }
    }

    /// The cycles that were found among these transactions.
    fn known(&self, part: &Component) -> impl Iterator<Item = Known> {
        let by = |txn| self.found.get(txn);
        let here = if self.found.is_empty() { [].iter() } else { part.txns.iter() };
        here.filter_map(by).flatten().copied()
    }

    /// Whether a cycle that was found rules out all that one of this class would.
    fn is_ruled_out(&self, part: &Component, class: Class) -> bool {
        self.known(part).any(|known| known.class.is_as_bad_as(class))
    }

    /// Time is told only where it makes a cycle of its kind shorter: it has to have fewer transactions than this.
    fn below(&self, part: &Component, class: Class) -> usize {
        let same = self.known(part).filter(|known| known.class.cycle == class.cycle);
        same.map(|known| known.len).min().unwrap_or(usize::MAX)
    }

    /// Looks for the class in each part of this one that its links leave connected.
    fn search_part(
        &mut self,
        part: &Component,
        class: Class,
        budget: &mut Budget<'_>,
        cycles: &mut Cycles,
    ) {
        let is_spare = self.is_ruled_out(part, class);
        if class.allowed() == known(class.order) {
            self.search_for(part, class, is_spare, budget, cycles);
        } else {
            budget.charge(part.size());
            for part in part.parts(class.allowed()) {
                self.search_for(&part, class, is_spare, budget, cycles);
            }
        }
    }

    fn search_for(
        &mut self,
        part: &Component,
        class: Class,
        is_spare: bool,
        budget: &mut Budget<'_>,
        cycles: &mut Cycles,
    ) {
        /// One search may use one part in so many of what is left to spare.
        const SHARE: u64 = 4;
        let below = self.below(part, class);
        if below <= SHORTEST {
            return;
        }
        if is_spare && *self.spare == 0 {
            return cycles.passed_over.push(class);
        }
        let before = budget.used();
        let steps = if is_spare { (*self.spare / SHARE).max(1) } else { u64::MAX };
        let found = search(part, Wanted { class, below, steps, is_spare }, budget);
        if is_spare {
            *self.spare = self.spare.saturating_sub(budget.used() - before);
        }
        let unfinished = if is_spare { &mut cycles.passed_over } else { &mut cycles.unfinished };
        match found {
            Found::Nothing => {}
            Found::Unfinished => unfinished.push(class),
            Found::Shortest(walk) => self.add(part, class, &walk, cycles),
            Found::Some(walk) => {
                cycles.not_shortest.push(class);
                self.add(part, class, &walk, cycles);
            }
        }
    }

    /// Adds some cycle, whatever its class: there is one, but the work did not suffice to find it class by class.
    fn any_cycle(&mut self, part: &Component, order: Order, cycles: &mut Cycles) {
        if let Some(walk) = crate::fallback::cycle(part, known(order)) {
            let links: Vec<Link> = walk.iter().map(|&(_, link)| link).collect();
            self.add(part, Class::of(&links), &walk, cycles);
        }
    }

    fn add(&mut self, part: &Component, class: Class, walk: &Walk, cycles: &mut Cycles) {
        let mut edges: Vec<_> =
            walk.iter().map(|&(node, link)| (part.txns[node as usize], link.dependency)).collect();
        // T1 is the one that was invoked first.
        let first = walk.iter().enumerate().min_by_key(|(_, (node, _))| *node);
        edges.rotate_left(first.map_or(0, |(position, _)| position));
        let known = Known { class, len: walk.len() };
        self.found.entry(edges[0].0).or_default().push(known);
        cycles.found.push(FoundCycle { class, edges });
    }
}
