//! What nodes say to each other, and what they write down.

use contract::Request;
use node::LogRecord;
use serde::{Deserialize, Serialize};

use crate::view::View;

/// What nodes say to each other. Each may be lost, doubled, late or overtaken; what still matters is said again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// A server to the view service: it lives.
    Ping {
        /// The view it is in; as a primary that has not acknowledged it, the one before.
        num: u64,
        /// As a primary: for as long as it takes to be dead, its backup has answered nothing.
        backup_is_silent: bool,
    },
    /// The view service to a server: the current view.
    CurrentView {
        /// The view.
        view: View,
        /// Whether its primary has acknowledged it.
        acknowledged: bool,
    },
    /// Primary to backup: a part of the state in which the primary was after `position` operations.
    Transfer {
        /// The primary's view. The backup may hear of it here first.
        view: View,
        /// How many operations led to the state.
        position: u64,
        /// Where in the state's bytes this part begins.
        offset: usize,
        /// The part.
        #[serde(with = "node::hex")]
        bytes: Vec<u8>,
        /// Whether it is the last one.
        is_last: bool,
    },
    /// Backup to primary: it has so much of that state.
    Received {
        /// The view's number.
        num: u64,
        /// The state's position.
        position: u64,
        /// How many bytes from the beginning.
        bytes: usize,
    },
    /// Primary to backup: operations in the primary's order.
    Forward {
        /// The view's number.
        num: u64,
        /// The position of the first one: the first of all has 1.
        first: u64,
        /// Without a gap.
        requests: Vec<Request>,
    },
    /// Backup to primary: it has carried out, and written down, every operation up to a position.
    Forwarded {
        /// The view's number.
        num: u64,
        /// The position.
        position: u64,
    },
    /// Whoever was taken for the backup to whoever takes itself for the primary: that view is over.
    Refused {
        /// The number of a later view.
        num: u64,
    },
}

impl Message {
    /// The message's name in traces.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ping { .. } => "Ping",
            Self::CurrentView { .. } => "CurrentView",
            Self::Transfer { .. } => "Transfer",
            Self::Received { .. } => "Received",
            Self::Forward { .. } => "Forward",
            Self::Forwarded { .. } => "Forwarded",
            Self::Refused { .. } => "Refused",
        }
    }
}

/// Where a server stands. Forgetting any of it could lose what was acknowledged, or serve what is stale.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The latest view that it takes part in, or is left out of.
    pub view: View,
    /// Whether it has the state of that view: the primary always, the backup after the transfer.
    pub has_state: bool,
    /// As the primary: whether it has acknowledged the view.
    pub acknowledged: bool,
}

/// One entry of the write-ahead log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Record {
    /// The view service chose this view, or its primary acknowledged it.
    Chosen {
        /// The view.
        view: View,
        /// Whether it is acknowledged.
        acknowledged: bool,
    },
    /// A server stands elsewhere now.
    Stands(Standing),
    /// A server carried out an operation.
    Applied(Request),
    /// A server's state, in the place of the operations that led to it.
    Snapshot {
        /// How many these were.
        position: u64,
        /// What the application wrote.
        #[serde(with = "node::hex")]
        state: Vec<u8>,
    },
}

impl LogRecord for Record {
    fn is_snapshot(&self) -> bool {
        matches!(self, Self::Snapshot { .. })
    }
}
