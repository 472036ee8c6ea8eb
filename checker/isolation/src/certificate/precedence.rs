//! A guess made right where it is wrong: with the versions in the order of the guess, the transactions that depend on
//! each other in a circle are ordered anew, by themselves.

use super::instance::{Instance, Slot};
use super::level::{Level, Shape};
use super::part::Part;
use super::proof::Refutation;
use super::replay::Event;
use super::solve::{Solved, solve};
use crate::Order;
use crate::buckets::Buckets;
use crate::budget::Budget;
use crate::components::for_each_component;
use crate::graph::{Edges, Graph};
use crate::ids::{NONE, Txn, id};
use crate::links::Mask;
use crate::realtime::add_timeline;

pub(crate) enum Mended {
    /// The order of all events, which may have become wrong elsewhere.
    Order(Vec<Event>),
    Refuted(Refutation),
    /// For one of the circles the limits did not suffice.
    Unknown,
}

/// What it takes, but for the circles.
pub(crate) fn bytes(instance: &Instance<'_>) -> usize {
    let (txns, micros) = (instance.history.len(), instance.history.micros.len());
    // Edges, their graph, and the search for components.
    (2 * micros + 5 * txns) * (2 * Edges::EDGE_BYTES) + 4 * txns * 28 + 4 * micros
}

/// Orders anew where the guess, an order of all transactions, does not hold.
pub(crate) fn mend(
    instance: &Instance<'_>,
    level: Level,
    guess: &[Txn],
    budget: &mut Budget<'_>,
) -> Mended {
    let mut places = vec![NONE; instance.history.len()];
    for (place, &txn) in guess.iter().enumerate() {
        places[txn as usize] = id(place);
    }
    let events = Events { instance, level, places: &places };
    let graph = events.graph(guess);
    let mut components: Vec<Vec<u32>> = Vec::new();
    for_each_component(&graph, |nodes| {
        components.push(nodes.iter().copied().filter(|&node| events.event(node).is_some()).collect());
    });
    let mut order = Vec::with_capacity(2 * guess.len());
    // The last component is complete first.
    for nodes in components.iter().rev() {
        match nodes[..] {
            [] => {}
            [node] => order.extend(events.expand(node)),
            _ => match events.solve(nodes, budget) {
                Mended::Order(events) => order.extend(events),
                other => return other,
            },
        }
    }
    Mended::Order(order)
}

/// The numbers of starts and commits, moments in time behind them.
struct Events<'a> {
    instance: &'a Instance<'a>,
    level: Level,
    /// Where each transaction stands in the guess; `NONE` of those that did not happen.
    places: &'a [u32],
}

impl Events<'_> {
    fn count(&self) -> usize {
        let txns = self.instance.history.len();
        if self.level.shape == Shape::Serial { txns } else { 2 * txns }
    }

    fn start(&self, txn: Txn) -> u32 {
        if self.level.shape == Shape::Serial { txn } else { 2 * txn }
    }

    fn commit(&self, txn: Txn) -> u32 {
        if self.level.shape == Shape::Serial { txn } else { 2 * txn + 1 }
    }

    /// Whose start or commit it is.
    fn event(&self, node: u32) -> Option<Txn> {
        let txn = if self.level.shape == Shape::Serial { node } else { node / 2 };
        let place = self.places.get(txn as usize)?;
        (*place != NONE).then_some(txn)
    }

    fn expand(&self, node: u32) -> impl Iterator<Item = Event> + use<> {
        let is_serial = self.level.shape == Shape::Serial;
        let txn = if is_serial { node } else { node / 2 };
        let starts = is_serial || node.is_multiple_of(2);
        let commits = is_serial || !starts;
        let start = starts.then_some(Event { txn, is_commit: false });
        start.into_iter().chain(commits.then_some(Event { txn, is_commit: true }))
    }

    fn graph(&self, guess: &[Txn]) -> Graph {
        const MASK: Mask = Mask::DATA;
        let instance = self.instance;
        let mut edges = Edges::new(self.count(), 2 * instance.history.micros.len());
        let mut written: Vec<(u32, Slot)> = Vec::new();
        for &txn in guess {
            edges.add(self.start(txn), self.commit(txn), MASK);
            for &slot in instance.reads(txn) {
                let writer = instance.writer(slot);
                if writer != NONE {
                    edges.add(self.commit(writer), self.start(txn), MASK);
                }
            }
            written.extend(instance.writes(txn).map(|slot| (instance.key(slot), slot)));
        }
        let versions = Buckets::new(instance.history.keys(), &written);
        for key in 0..id(instance.history.keys()) {
            let mut before = instance.initial(key);
            for &slot in versions.of(key) {
                let writer = instance.writer(slot);
                if instance.writer(before) != NONE {
                    edges.add(self.commit(instance.writer(before)), self.start(writer), MASK);
                }
                for &reader in instance.readers(before).iter().filter(|&&reader| reader != writer) {
                    edges.add(self.start(reader), self.commit(writer), MASK);
                }
                before = slot;
            }
        }
        self.add_time(&mut edges);
        edges.into_graph()
    }

    fn add_time(&self, edges: &mut Edges) {
        let history = self.instance.history;
        match self.level.order {
            Order::Data => {}
            Order::Process => {
                let process = |txn: Txn| history.header(txn).process;
                let mut txns = self.instance.txns.clone();
                txns.sort_by_key(|&txn| process(txn));
                for pair in txns.windows(2) {
                    let &[first, second] = pair else { continue };
                    let returned = history.returns[first as usize] < history.calls[second as usize];
                    if process(first) == process(second) && returned {
                        edges.add(self.commit(first), self.start(second), Mask::PROCESS);
                    }
                }
            }
            Order::Realtime => {
                let events = crate::realtime::events(history);
                let events = events.map(|event| crate::realtime::Event {
                    node: if event.is_return {
                        self.commit(event.node)
                    } else {
                        self.start(event.node)
                    },
                    ..event
                });
                add_timeline(edges, events);
            }
        }
    }

    /// Orders the events of one component by themselves.
    fn solve(&self, nodes: &[u32], budget: &mut Budget<'_>) -> Mended {
        let mut txns: Vec<Txn> = nodes.iter().filter_map(|&node| self.event(node)).collect();
        txns.sort_unstable_by_key(|&txn| self.places[txn as usize]);
        txns.dedup();
        let part = Part::new(self.instance, self.level, &txns);
        match solve(&part, budget) {
            Solved::Refuted(refutation) => Mended::Refuted(refutation),
            Solved::Unknown => Mended::Unknown,
            Solved::Order(events) => {
                let events = events.into_iter().flat_map(|event| part.expand(event));
                let is_here = |event: &Event| {
                    let node = if event.is_commit {
                        self.commit(event.txn)
                    } else {
                        self.start(event.txn)
                    };
                    nodes.contains(&node)
                };
                Mended::Order(events.filter(is_here).collect())
            }
        }
    }
}
