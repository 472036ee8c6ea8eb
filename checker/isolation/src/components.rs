//! Strongly connected components: Tarjan (1972), with a stack of its own, for histories are long.

use crate::graph::Graph;
use crate::ids::NONE;

/// The components of more than one node, in an order that only the graph decides.
pub(crate) fn components(graph: &Graph) -> Vec<Vec<u32>> {
    let mut found = Vec::new();
    for_each_component(graph, |nodes| {
        if nodes.len() > 1 {
            found.push(nodes.to_vec());
        }
    });
    found
}

/// Calls with each component, after those that it leads to.
pub(crate) fn for_each_component(graph: &Graph, mut act: impl FnMut(&[u32])) {
    let mut search = Tarjan::new(graph.nodes());
    for root in 0..graph.nodes() {
        if search.order[root] == NONE {
            search.explore(graph, crate::ids::id(root), &mut act);
        }
    }
}

struct Tarjan {
    /// When each node was visited.
    order: Vec<u32>,
    /// The earliest node that can be reached; `NONE` once the node's component is complete.
    low: Vec<u32>,
    visited: u32,
    /// Nodes whose component is not complete.
    open: Vec<u32>,
    /// The way here: nodes, and which of their edges comes next.
    path: Vec<(u32, u32)>,
}

impl Tarjan {
    fn new(nodes: usize) -> Self {
        Self {
            order: vec![NONE; nodes],
            low: vec![0; nodes],
            visited: 0,
            open: Vec::new(),
            path: Vec::new(),
        }
    }

    fn enter(&mut self, node: u32) {
        self.order[node as usize] = self.visited;
        self.low[node as usize] = self.visited;
        self.visited += 1;
        self.open.push(node);
        self.path.push((node, 0));
    }

    fn explore(&mut self, graph: &Graph, root: u32, act: &mut impl FnMut(&[u32])) {
        self.enter(root);
        while let Some((node, edge)) = self.path.last_mut() {
            let node = *node;
            if let Some(&next) = graph.next(node).get(*edge as usize) {
                *edge += 1;
                if self.order[next as usize] == NONE {
                    self.enter(next);
                } else if self.low[next as usize] != NONE {
                    let order = self.order[next as usize];
                    self.low[node as usize] = self.low[node as usize].min(order);
                }
                continue;
            }
            self.path.pop();
            let low = self.low[node as usize];
            if low == self.order[node as usize] {
                self.complete(node, act);
            }
            if let Some(&(parent, _)) = self.path.last() {
                // The root of a complete component was visited after its parent: that changes nothing.
                self.low[parent as usize] = self.low[parent as usize].min(low);
            }
        }
    }

    fn complete(&mut self, root: u32, act: &mut impl FnMut(&[u32])) {
        let is_root = |&node: &u32| node == root;
        let start = self.open.iter().rposition(is_root).unwrap_or_default();
        for &node in &self.open[start..] {
            self.low[node as usize] = NONE;
        }
        act(&self.open[start..]);
        self.open.truncate(start);
    }
}
