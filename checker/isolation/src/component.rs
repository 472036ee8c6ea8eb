//! Transactions that all depend on each other, with numbers of their own, in the order of their invocations.
//!
//! Real time has no edges here: whom a transaction precedes in time are those that were invoked after its return, the
//! end of a sorted list.

use crate::components::components;
use crate::graph::{Edges, Graph, Mask};
use crate::history::{History, NONE, Txn, id};
use crate::realtime::{Event, add_timeline};

#[derive(Debug)]
pub(crate) struct Component {
    /// The transactions, in the order of their invocations; the other nodes are hubs.
    pub(crate) txns: Vec<Txn>,
    pub(crate) calls: Vec<u32>,
    pub(crate) returns: Vec<u32>,
    /// Each edge with one dependency of data, the worst, and its process's.
    pub(crate) graph: Graph,
    /// The invocations and returns in order.
    events: Vec<Event>,
}

/// Reused from component to component: the number that a node has in it.
#[derive(Debug)]
pub(crate) struct Numbers(Vec<u32>);

impl Numbers {
    pub(crate) fn new(graph: &Graph) -> Self {
        Self(vec![NONE; graph.nodes()])
    }
}

impl Component {
    /// The component of these nodes of a graph. Transactions are its first nodes, then come hubs, then moments from
    /// `first_moment` on.
    pub(crate) fn new(
        history: &History,
        graph: &Graph,
        first_moment: u32,
        successors: &[Txn],
        nodes: &[u32],
        numbers: &mut Numbers,
    ) -> Self {
        let (mut txns, mut hubs): (Vec<u32>, Vec<u32>) = nodes
            .iter()
            .filter(|&&node| node < first_moment)
            .partition(|&&node| (node as usize) < history.len());
        txns.sort_unstable_by_key(|&txn| history.calls[txn as usize]);
        hubs.sort_unstable();
        let local: Vec<u32> = txns.iter().chain(&hubs).copied().collect();
        for (number, &node) in local.iter().enumerate() {
            numbers.0[node as usize] = id(number);
        }
        let mut edges = Edges::new(local.len(), local.len());
        let mut next = Vec::new();
        for (number, &node) in local.iter().enumerate() {
            next.clear();
            next.extend(graph.from(node));
            let successor = successors.get(node as usize).filter(|&&successor| successor != NONE);
            next.extend(successor.map(|&successor| (successor, Mask::PROCESS)));
            next.sort_unstable();
            for same in next.chunk_by(|a, b| a.0 == b.0) {
                let mask = same.iter().fold(Mask::default(), |all, (_, mask)| all.or(*mask));
                edges.add(id(number), numbers.0[same[0].0 as usize], mask.strongest_data());
            }
        }
        for &node in &local {
            numbers.0[node as usize] = NONE;
        }
        let calls: Vec<u32> = txns.iter().map(|&txn| history.calls[txn as usize]).collect();
        let returns: Vec<u32> = txns.iter().map(|&txn| history.returns[txn as usize]).collect();
        let events = events(&calls, &returns);
        Self { txns, calls, returns, graph: edges.into_graph(), events }
    }

    pub(crate) fn is_hub(&self, node: u32) -> bool {
        node as usize >= self.txns.len()
    }

    /// The components that remain among some nodes when only these dependencies count.
    pub(crate) fn within(&self, nodes: &[u32], allowed: Mask) -> Vec<Vec<u32>> {
        let all = self.graph.nodes();
        let mut is_in = vec![false; all];
        for &node in nodes {
            is_in[node as usize] = true;
        }
        let mut edges = Edges::new(all, nodes.len());
        for &node in nodes {
            for (to, mask) in self.graph.from(node) {
                if is_in[to as usize] && mask.has(allowed) {
                    edges.add(node, to, mask);
                }
            }
        }
        if allowed.has(Mask::REALTIME) {
            let inside = |event: &&Event| is_in[event.node as usize];
            add_timeline(&mut edges, self.events.iter().filter(inside).copied());
        }
        let mut found = components(&edges.into_graph());
        for nodes in &mut found {
            nodes.retain(|&node| (node as usize) < all);
            nodes.sort_unstable();
        }
        // A transaction and a hub that it both leads to and is led to by are no cycle.
        found.retain(|nodes| nodes.get(1).is_some_and(|&second| !self.is_hub(second)));
        found.sort_unstable();
        found
    }
}

fn events(calls: &[u32], returns: &[u32]) -> Vec<Event> {
    let event =
        |is_return| move |(node, &rank): (usize, &u32)| (rank, Event { node: id(node), is_return });
    let calls = calls.iter().enumerate().map(event(false));
    let returns = returns.iter().enumerate().filter(|(_, rank)| **rank != NONE).map(event(true));
    let mut events: Vec<_> = calls.chain(returns).collect();
    events.sort_unstable_by_key(|(rank, _)| *rank);
    events.into_iter().map(|(_, event)| event).collect()
}
