//! Who a server is, and its timing.

use std::time::Duration;

use contract::{Launch, NodeId};

/// How long the data of an `InstallSnapshot` is at most; as hexadecimal text it is twice as long.
const CHUNK_BYTES: usize = 256 << 10;

/// Who this server is, and its timing.
#[derive(Clone, Debug)]
pub struct Config {
    /// This server.
    pub node: NodeId,
    /// The servers that the cluster begins with. A server that is not among them waits to be added.
    pub members: Vec<NodeId>,
    /// How often a leader shows that it lives, and unanswered requests for votes are repeated.
    pub heartbeat_ms: u64,
    /// The election timeout: an election starts after a silence of one to two times this (§5.2).
    pub election_ms: u64,
    /// How long a leader stays in office without hearing from a majority (dissertation §6.2). Only spares clients a
    /// leader that can do nothing for them: safety does not rest on it.
    pub patience_ms: u64,
    /// Compact the log past this size; `None`: never.
    pub snapshot_bytes: Option<u64>,
    /// How long the data of an `InstallSnapshot` is at most.
    pub chunk_bytes: usize,
}

impl From<&Launch> for Config {
    fn from(launch: &Launch) -> Self {
        let millis =
            |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1);
        Self {
            node: launch.node.clone(),
            members: launch.members.clone(),
            heartbeat_ms: millis(launch.heartbeat),
            election_ms: millis(launch.election),
            patience_ms: millis(launch.election),
            snapshot_bytes: launch.snapshot_bytes,
            chunk_bytes: CHUNK_BYTES,
        }
    }
}
