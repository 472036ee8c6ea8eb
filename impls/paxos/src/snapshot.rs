//! Snapshots: the state that stands for a prefix of the log ("Paxos Made Live" §5.5).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::slot::Slot;

/// The application's state, its exactly-once table included, after every slot up to `slot`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last slot applied.
    pub slot: Slot,
    /// What the application wrote.
    #[serde(with = "node::hex")]
    pub state: Arc<Vec<u8>>,
}
