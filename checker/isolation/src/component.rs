//! Transactions that all depend on each other, with numbers of their own, in the order of their invocations.
//!
//! Real time has no edges here: whom a transaction precedes in time are those that were invoked after its return, the
//! end of a sorted list.

use crate::Order;
use crate::components::components;
use crate::dependencies::Dependencies;
use crate::graph::{Edges, Graph};
use crate::ids::{NONE, Txn, id};
use crate::links::Mask;
use crate::realtime::{Event, add_timeline};

#[derive(Debug)]
pub(crate) struct Component {
    /// The transactions, in the order of their invocations; the other nodes are hubs.
    pub(crate) txns: Vec<Txn>,
    /// Their invocations, ascending.
    pub(crate) calls: Vec<u32>,
    pub(crate) returns: Vec<u32>,
    /// Of each edge the strongest link through data, and the one along a process.
    pub(crate) graph: Graph,
}

/// Reused from component to component: the number that a node has in it.
#[derive(Debug)]
pub(crate) struct Numbers(Vec<u32>);

impl Numbers {
    pub(crate) fn new(nodes: usize) -> Self {
        Self(vec![NONE; nodes])
    }

    /// Numbers these nodes from 0 while the edges are added that stay among them.
    fn induce(
        &mut self,
        nodes: &[u32],
        mut from: impl FnMut(u32, &mut dyn FnMut(u32, Mask)),
    ) -> Graph {
        for (number, &node) in nodes.iter().enumerate() {
            self.0[node as usize] = id(number);
        }
        let mut edges = Edges::new(nodes.len(), nodes.len());
        for (number, &node) in nodes.iter().enumerate() {
            from(node, &mut |to, mask| edges.add(id(number), self.0[to as usize], mask));
        }
        for &node in nodes {
            self.0[node as usize] = NONE;
        }
        edges.into_graph()
    }
}

impl Component {
    /// The component of these nodes of the whole graph, of which transactions are the first, then hubs, then moments.
    pub(crate) fn new(
        whole: &Dependencies<'_>,
        in_processes: &Graph,
        nodes: &[u32],
        numbers: &mut Numbers,
    ) -> Self {
        let (history, graph) = (whole.history, whole.graph);
        let (mut txns, mut hubs): (Vec<u32>, Vec<u32>) = nodes
            .iter()
            .filter(|&&node| node < whole.first_moment)
            .partition(|&&node| (node as usize) < history.len());
        txns.sort_unstable_by_key(|&txn| history.calls[txn as usize]);
        hubs.sort_unstable();
        let nodes: Vec<u32> = txns.iter().chain(&hubs).copied().collect();
        let mut next = Vec::new();
        let graph = numbers.induce(&nodes, |node, add| {
            next.clear();
            next.extend(graph.from(node));
            next.extend(in_processes.from(node));
            next.sort_unstable();
            for same in next.chunk_by(|a, b| a.0 == b.0) {
                let mask = same.iter().fold(Mask::default(), |all, (_, mask)| all.or(*mask));
                add(same[0].0, mask.strongest());
            }
        });
        let calls = txns.iter().map(|&txn| history.calls[txn as usize]).collect();
        let returns = txns.iter().map(|&txn| history.returns[txn as usize]).collect();
        Self { txns, calls, returns, graph }
    }

    /// What one of so many nodes and edges takes, together with the parts that its search makes: those of an order, in
    /// one of them those of a class, and what finding these takes.
    pub(crate) fn bytes(nodes: usize, edges: usize) -> usize {
        const COPIES: usize = 3;
        const NODE: usize = COPIES * 4 * size_of::<u32>() + 72;
        const EDGE: usize = COPIES * 6 + 2 * Edges::EDGE_BYTES + 6;
        nodes * NODE + edges * EDGE
    }

    pub(crate) fn is_hub(&self, node: u32) -> bool {
        node as usize >= self.txns.len()
    }

    /// Whether anything here is known by this order.
    pub(crate) fn has_order(&self, order: Order) -> bool {
        let shown = Mask::shown_by(Order::Process).or(Mask::PROCESS);
        let edges = || (0..id(self.graph.nodes())).flat_map(|node| self.graph.from(node));
        order != Order::Process || edges().any(|(_, mask)| mask.has(shown))
    }

    /// Nodes and edges.
    pub(crate) fn size(&self) -> usize {
        self.graph.nodes() + self.graph.edges()
    }

    /// The components that remain when only these dependencies count.
    pub(crate) fn parts(&self, allowed: Mask) -> Vec<Self> {
        let all = self.graph.nodes();
        let mut edges = Edges::new(all, self.graph.edges());
        for node in 0..id(all) {
            for (to, mask) in self.graph.from(node).filter(|(_, mask)| mask.has(allowed)) {
                edges.add(node, to, mask);
            }
        }
        if allowed.has(Mask::REALTIME) {
            add_timeline(&mut edges, self.events().into_iter());
        }
        let mut found = components(&edges.into_graph());
        for nodes in &mut found {
            nodes.retain(|&node| (node as usize) < all);
            nodes.sort_unstable();
        }
        // A transaction and a hub that it both leads to and is led to by are no cycle.
        found.retain(|nodes| nodes.get(1).is_some_and(|&second| !self.is_hub(second)));
        found.sort_unstable();
        let mut numbers = Numbers::new(all);
        found.iter().map(|nodes| self.part(nodes, allowed, &mut numbers)).collect()
    }

    /// The component of these of its nodes, which are sorted.
    fn part(&self, nodes: &[u32], allowed: Mask, numbers: &mut Numbers) -> Self {
        let graph = numbers.induce(nodes, |node, add| {
            let edges = self.graph.from(node).map(|(to, mask)| (to, mask.and(allowed)));
            edges.filter(|(_, mask)| mask.has(allowed)).for_each(|(to, mask)| add(to, mask));
        });
        let txns = &nodes[..nodes.partition_point(|&node| !self.is_hub(node))];
        let of = |values: &[u32]| txns.iter().map(|&txn| values[txn as usize]).collect();
        Self { txns: of(&self.txns), calls: of(&self.calls), returns: of(&self.returns), graph }
    }

    /// The invocations and returns in order.
    fn events(&self) -> Vec<Event> {
        let event = |is_return| {
            move |(node, &rank): (usize, &u32)| (rank, Event { node: id(node), is_return })
        };
        let calls = self.calls.iter().enumerate().map(event(false));
        let returned = self.returns.iter().enumerate().filter(|(_, rank)| **rank != NONE);
        let mut events: Vec<_> = calls.chain(returned.map(event(true))).collect();
        events.sort_unstable_by_key(|(rank, _)| *rank);
        events.into_iter().map(|(_, event)| event).collect()
    }
}
