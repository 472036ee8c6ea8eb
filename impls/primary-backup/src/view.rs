//! A view: who is primary and who is backup.

use contract::NodeId;
use serde::{Deserialize, Serialize};

/// Who is primary and who is backup. View 0, the default, comes before the first server was heard of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct View {
    /// Counts the views.
    pub num: u64,
    /// Answers clients.
    pub primary: Option<NodeId>,
    /// Has everything that the primary has answered.
    pub backup: Option<NodeId>,
}

impl View {
    /// Whether this server is its primary.
    #[must_use]
    pub fn is_primary(&self, server: &str) -> bool {
        self.primary.as_deref() == Some(server)
    }

    /// Whether this server is its backup.
    #[must_use]
    pub fn is_backup(&self, server: &str) -> bool {
        self.backup.as_deref() == Some(server)
    }

    /// Whether this server is one of the two. The others are idle.
    #[must_use]
    pub fn has(&self, server: &str) -> bool {
        self.is_primary(server) || self.is_backup(server)
    }
}
