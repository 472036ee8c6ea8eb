//! What an invariant sees of a simulation.

use contract::NodeId;

use super::node::Node;
use crate::Protocol;

/// What an invariant sees after each step.
pub struct View<'a, P: Protocol> {
    pub(super) names: &'a [NodeId],
    pub(super) nodes: &'a [Node<P>],
    pub(super) stepped: usize,
    pub(super) now_us: u64,
}

impl<P: Protocol> View<'_, P> {
    /// The node that has just made a step.
    #[must_use]
    pub fn stepped(&self) -> (&NodeId, &P) {
        let protocol = self.nodes[self.stepped].protocol.as_ref();
        (&self.names[self.stepped], protocol.expect("a node that made a step is up"))
    }

    /// Every node that is up.
    pub fn live(&self) -> impl Iterator<Item = (&NodeId, &P)> {
        let pairs = self.names.iter().zip(self.nodes);
        pairs.filter_map(|(name, node)| Some((name, node.protocol.as_ref()?)))
    }

    /// What each node would come back with, up or down.
    pub fn durable(&self) -> impl Iterator<Item = (&NodeId, &[P::Record])> {
        self.names.iter().zip(self.nodes.iter().map(|node| node.durable.as_slice()))
    }

    /// Virtual time in microseconds.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.now_us
    }
}
