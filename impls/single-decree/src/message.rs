//! What nodes say to each other about a register, and what they write down.

use std::sync::Arc;

use node::LogRecord;
use serde::{Deserialize, Serialize};

use crate::{Ballot, Vote};

/// The key of a register.
pub type Key = String;

/// The whole value of a register: what the application wrote, answers to its clients included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State(#[serde(with = "node::hex")] pub Arc<Vec<u8>>);

/// The four messages of "Paxos Made Simple" §2.2, of one register each, and a refusal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// Phase 1a.
    Prepare {
        /// The register.
        key: Key,
        /// The proposer's ballot.
        ballot: Ballot,
    },
    /// Phase 1b.
    Promise {
        /// The register.
        key: Key,
        /// The ballot that is promised.
        ballot: Ballot,
        /// The acceptor's latest vote.
        vote: Option<Vote<State>>,
    },
    /// Phase 2a.
    Accept {
        /// The register.
        key: Key,
        /// The vote that is asked for.
        vote: Vote<State>,
    },
    /// Phase 2b.
    Accepted {
        /// The register.
        key: Key,
        /// The ballot voted in.
        ballot: Ballot,
    },
    /// "I have promised a higher ballot": lets a proposer give up early (§2.3, last paragraph).
    Reject {
        /// The register.
        key: Key,
        /// The ballot that is refused.
        ballot: Ballot,
        /// The ballot that stands in its way.
        promised: Ballot,
    },
}

impl Message {
    /// The message's name in traces.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Prepare { .. } => "Prepare",
            Self::Promise { .. } => "Promise",
            Self::Accept { .. } => "Accept",
            Self::Accepted { .. } => "Accepted",
            Self::Reject { .. } => "Reject",
        }
    }

    /// The proposer's ballot.
    #[must_use]
    pub fn ballot(&self) -> &Ballot {
        match self {
            Self::Accept { vote, .. } => &vote.ballot,
            Self::Prepare { ballot, .. }
            | Self::Promise { ballot, .. }
            | Self::Accepted { ballot, .. }
            | Self::Reject { ballot, .. } => ballot,
        }
    }
}

/// One entry of the write-ahead log. Replayed in order they give back every acceptor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// The acceptor promised `ballot`. Forgetting a promise can choose two values.
    Promised {
        /// The register.
        key: Key,
        /// The ballot.
        ballot: Ballot,
    },
    /// The acceptor voted. Forgetting a vote can lose a chosen value.
    Accepted {
        /// The register.
        key: Key,
        /// The vote; implies the promise of its ballot.
        vote: Vote<State>,
    },
}

impl LogRecord for Record {
    /// There is no other form of the state.
    fn is_snapshot(&self) -> bool {
        false
    }
}
