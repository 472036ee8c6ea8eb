//! Who the replicas are, and their timing.

use std::time::Duration;

use contract::{Launch, NodeId};

use crate::message::ViewNumber;

/// How many bytes of a checkpoint one message holds.
const CHUNK_BYTES: usize = 256 << 10;

/// Who this replica is, who the others are, and their timing.
#[derive(Clone, Debug)]
pub struct Config {
    /// This replica.
    pub node: NodeId,
    /// The paper's *configuration*: every replica, this one included, sorted. A replica's place is its number.
    pub members: Vec<NodeId>,
    /// How often a primary shows that it lives, and everything unanswered is sent again.
    pub heartbeat_ms: u64,
    /// How long a silence must last until it is suspicious. Safety does not rest on it.
    pub patience_ms: u64,
    /// Takes a checkpoint and truncates the log past this size; `None`: never.
    pub checkpoint_bytes: Option<u64>,
    /// How many bytes of a checkpoint one message holds.
    pub chunk_bytes: usize,
    /// Whether whoever starts the node says that it lived before.
    pub restarted: bool,
}

impl From<&Launch> for Config {
    fn from(launch: &Launch) -> Self {
        let millis =
            |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut members = launch.members.clone();
        members.sort_unstable();
        Self {
            node: launch.node.clone(),
            members,
            heartbeat_ms: millis(launch.heartbeat),
            patience_ms: millis(launch.election),
            checkpoint_bytes: launch.snapshot_bytes,
            chunk_bytes: CHUNK_BYTES,
            restarted: launch.restart,
        }
    }
}

impl Config {
    /// How many replicas make a quorum: f + 1 of 2f + 1. Any two have one in common.
    #[must_use]
    pub fn quorum(&self) -> usize {
        self.members.len() / 2 + 1
    }

    /// How many *other* replicas a recovering one must hear: so many that one of them is in every quorum, even where the
    /// recovering one itself was in it. With 2f + 1 replicas that is f + 1.
    #[must_use]
    pub fn recovery_quorum(&self) -> usize {
        self.members.len() + 1 - self.quorum()
    }

    /// The primary of a view: the replicas take turns (§4).
    #[must_use]
    pub fn primary(&self, view_number: ViewNumber) -> &NodeId {
        let count = self.members.len() as u64;
        let number = usize::try_from(view_number % count).unwrap_or_default();
        &self.members[number]
    }

    /// All replicas but this one.
    pub fn others(&self) -> impl Iterator<Item = &NodeId> {
        self.members.iter().filter(|member| **member != self.node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(count: usize) -> Config {
        Config {
            node: "n1".to_owned(),
            members: (1..=count).map(|number| format!("n{number}")).collect(),
            heartbeat_ms: 50,
            patience_ms: 300,
            checkpoint_bytes: None,
            chunk_bytes: 100,
            restarted: false,
        }
    }

    #[test]
    fn quorums_meet_and_a_recovering_replica_hears_one_of_each() {
        for count in 1..=9 {
            let config = config(count);
            assert!(2 * config.quorum() > count);
            assert!(config.recovery_quorum() + config.quorum() > count);
            assert!(count == 1 || config.recovery_quorum() < count, "the others are enough");
        }
        assert_eq!((config(5).quorum(), config(5).recovery_quorum()), (3, 3));
    }

    #[test]
    fn replicas_take_turns() {
        let turns: Vec<_> = (0..4).map(|view| config(3).primary(view).clone()).collect();
        assert_eq!(turns, ["n1", "n2", "n3", "n1"]);
    }
}
