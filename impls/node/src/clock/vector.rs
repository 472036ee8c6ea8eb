//! Vector clocks (Fidge, "Timestamps in Message-Passing Systems That Preserve the Partial Ordering", 1988; Mattern,
//! "Virtual Time and Global States of Distributed Systems", 1989).

use std::{cmp::Ordering, collections::BTreeMap};

use contract::NodeId;
use serde::{Deserialize, Serialize};

/// How many events of each node an event knows of, itself included; of a node that it does not name, none.
///
/// `a < b` if and only if the event of `a` happened before that of `b`. Of two concurrent events neither is lower:
/// [`PartialOrd::partial_cmp`] gives `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VectorTime(BTreeMap<NodeId, u64>);

impl VectorTime {
    /// How many events of this node are known.
    #[must_use]
    pub fn of(&self, node: &str) -> u64 {
        self.0.get(node).copied().unwrap_or_default()
    }

    /// Whether every node's count is within `max`.
    #[must_use]
    pub fn is_within(&self, max: u64) -> bool {
        self.0.values().all(|count| *count <= max)
    }

    /// Forgets all nodes but these.
    pub fn retain(&mut self, is_known: impl Fn(&NodeId) -> bool) {
        self.0.retain(|node, _| is_known(node));
    }

    fn set(&mut self, node: &NodeId, count: u64) {
        match self.0.get_mut(node) {
            Some(known) => *known = count,
            None => drop(self.0.insert(node.clone(), count)),
        }
    }

    /// Takes in what another event knew.
    fn merge(&mut self, other: &Self) {
        for (node, count) in &other.0 {
            if *count > self.of(node) {
                self.set(node, *count);
            }
        }
    }

    /// Whether everything that this event knows, the other one knows too.
    fn is_known_to(&self, other: &Self) -> bool {
        self.0.iter().all(|(node, count)| *count <= other.of(node))
    }
}

impl PartialOrd for VectorTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.is_known_to(other), other.is_known_to(self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Less),
            (false, true) => Some(Ordering::Greater),
            (false, false) => None,
        }
    }
}

/// The vector clock of one node.
#[derive(Clone, Debug)]
pub struct VectorClock {
    own: NodeId,
    time: VectorTime,
}

impl VectorClock {
    /// A clock of the node `own` that knows what `time` knows.
    #[must_use]
    pub fn after(own: &NodeId, time: VectorTime) -> Self {
        Self { own: own.clone(), time }
    }

    /// A clock whose first own event comes after `count` others.
    #[must_use]
    pub fn counting_from(mut self, count: u64) -> Self {
        self.time.set(&self.own, count);
        self
    }

    /// The time of the latest event.
    #[must_use]
    pub fn time(&self) -> &VectorTime {
        &self.time
    }

    /// How many events of its own it has counted.
    #[must_use]
    pub fn own(&self) -> u64 {
        self.time.of(&self.own)
    }

    /// An event, such as a sending; its time.
    pub fn tick(&mut self) -> &VectorTime {
        let count = self.own().saturating_add(1);
        self.time.set(&self.own, count);
        &self.time
    }

    /// The receipt of a message that was sent at `sent`; its time.
    pub fn receive(&mut self, sent: &VectorTime) -> &VectorTime {
        self.time.merge(sent);
        self.tick()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(node: &str) -> VectorClock {
        VectorClock::after(&node.to_owned(), VectorTime::default())
    }

    #[test]
    fn a_receipt_knows_what_the_sending_knew() {
        let (mut a, mut b) = (clock("a"), clock("b"));
        let before = b.tick().clone();
        let sent = a.tick().clone();
        assert_eq!(sent.partial_cmp(&before), None, "they know nothing of each other");
        let received = b.receive(&sent).clone();
        assert!(sent < received && before < received);
        assert_eq!((received.of("a"), received.of("b"), received.of("c")), (1, 2, 0));
    }

    #[test]
    fn a_count_of_zero_is_like_none() {
        let zero: VectorTime = serde_json::from_str(r#"{"a":0}"#).unwrap();
        assert_eq!(zero.partial_cmp(&VectorTime::default()), Some(Ordering::Equal));
    }
}
