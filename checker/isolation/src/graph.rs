//! Edges between transactions, and a compact graph of them.

use crate::ids::{NONE, Txn, id};
use crate::links::Mask;

/// Edges as they are found. Transactions are the first nodes.
///
/// Where many read a version and many wrote the next one, for all we know, a hub stands between them: readers lead to
/// it, it leads to the writers, and their number stays linear. No transaction depends on itself through a hub.
#[derive(Debug)]
pub(crate) struct Edges {
    pub(crate) nodes: u32,
    from: Vec<u32>,
    to: Vec<u32>,
    masks: Vec<Mask>,
}

impl Edges {
    pub(crate) fn new(transactions: usize, expected: usize) -> Self {
        Self {
            nodes: id(transactions),
            from: Vec::with_capacity(expected),
            to: Vec::with_capacity(expected),
            masks: Vec::with_capacity(expected),
        }
    }

    /// An edge, where both ends are known and not the same.
    pub(crate) fn add(&mut self, from: Txn, to: Txn, mask: Mask) {
        if from != to && from != NONE && to != NONE {
            self.from.push(from);
            self.to.push(to);
            self.masks.push(mask);
        }
    }

    /// What they take.
    pub(crate) fn bytes(&self) -> usize {
        self.from.capacity() * Self::EDGE_BYTES
    }

    /// What each takes.
    pub(crate) const EDGE_BYTES: usize = 2 * size_of::<u32>() + size_of::<Mask>();

    /// What the graph of them will take, and what is needed to sort them.
    pub(crate) fn graph_bytes(&self) -> usize {
        self.to.len() * (size_of::<u32>() + size_of::<Mask>())
            + 2 * (self.nodes as usize + 1) * size_of::<u32>()
    }

    pub(crate) fn node(&mut self) -> u32 {
        self.nodes += 1;
        self.nodes - 1
    }

    /// Every reader missed what every writer wrote.
    pub(crate) fn add_rw(&mut self, readers: &[Txn], writers: &[Txn], mask: Mask) {
        const FEW: usize = 64;
        let direct = readers.len() * writers.len();
        if direct <= FEW.max(4 * (readers.len() + writers.len())) {
            for &reader in readers {
                for &writer in writers {
                    self.add(reader, writer, mask);
                }
            }
            return;
        }
        let hub = self.node();
        for &reader in readers {
            self.add(reader, hub, mask);
        }
        for &writer in writers {
            self.add(hub, writer, mask);
        }
    }

    /// The graph, by counting sort.
    pub(crate) fn into_graph(self) -> Graph {
        let mut starts = vec![0_u32; self.nodes as usize + 1];
        for &from in &self.from {
            starts[from as usize + 1] += 1;
        }
        for node in 1..starts.len() {
            starts[node] += starts[node - 1];
        }
        let mut next = starts.clone();
        let mut to = vec![0; self.to.len()];
        let mut masks = vec![Mask::default(); self.to.len()];
        for (edge, &from) in self.from.iter().enumerate() {
            let slot = next[from as usize] as usize;
            next[from as usize] += 1;
            to[slot] = self.to[edge];
            masks[slot] = self.masks[edge];
        }
        Graph { starts, to, masks }
    }
}

/// Edges by the node that they leave.
#[derive(Debug)]
pub(crate) struct Graph {
    starts: Vec<u32>,
    to: Vec<u32>,
    masks: Vec<Mask>,
}

impl Graph {
    pub(crate) fn nodes(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn edges(&self) -> usize {
        self.to.len()
    }

    fn span(&self, node: u32) -> std::ops::Range<usize> {
        self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize
    }

    /// Where edges from this node lead.
    pub(crate) fn next(&self, node: u32) -> &[u32] {
        &self.to[self.span(node)]
    }

    /// The edges from this node.
    pub(crate) fn from(&self, node: u32) -> impl Iterator<Item = (u32, Mask)> + '_ {
        self.next(node).iter().copied().zip(self.masks[self.span(node)].iter().copied())
    }
}
