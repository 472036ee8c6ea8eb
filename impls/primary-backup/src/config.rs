//! Who a node is, and its timing.

use contract::{Launch, NodeId};

/// How much of the state travels in one message: more would block the way for pings.
const CHUNK_BYTES: usize = 256 << 10;

/// Who a node is, and its timing.
#[derive(Clone, Debug)]
pub struct Config {
    /// This node.
    pub node: NodeId,
    /// Every server.
    pub servers: Vec<NodeId>,
    /// The view service.
    pub view_service: NodeId,
    /// Whether servers are nodes of this store, and not only ask for the view.
    pub reaches_servers: bool,
    /// How often servers ping, and everything unanswered is sent again.
    pub ping_ms: u64,
    /// After so many intervals without a ping a server counts as dead.
    pub dead_pings: u32,
    /// Compact the log past this size; `None`: never.
    pub snapshot_bytes: Option<u64>,
    /// How much of the state travels in one message.
    pub chunk_bytes: usize,
}

impl Config {
    /// The part of a launch that concerns the protocol.
    ///
    /// # Errors
    /// No view service is named.
    pub fn of(launch: &Launch) -> Result<Self, String> {
        let view_service =
            launch.view.clone().ok_or("DS_VIEW is not set: this store needs a view service")?;
        let ping_ms = launch.heartbeat.as_millis().max(1);
        let dead_pings = launch.election.as_millis().div_ceil(ping_ms).max(2);
        Ok(Self {
            node: launch.node.clone(),
            servers: launch.members.clone(),
            view_service,
            reaches_servers: !launch.peers.is_empty(),
            ping_ms: u64::try_from(ping_ms).unwrap_or(u64::MAX),
            dead_pings: u32::try_from(dead_pings).unwrap_or(u32::MAX),
            snapshot_bytes: launch.snapshot_bytes,
            chunk_bytes: CHUNK_BYTES,
        })
    }
}
