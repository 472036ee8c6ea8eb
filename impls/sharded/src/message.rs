//! What nodes say to each other besides the messages of the protocol that replicates each group.

use std::collections::BTreeMap;

use contract::{Configuration, GroupId, NodeId};
use serde::{Deserialize, Serialize};

use crate::{
    group::Part,
    transaction::{Prepare, TransactionId, Values},
};

/// The last owner of a shard that goes to another group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The group.
    pub group: GroupId,
    /// Its servers.
    pub servers: Vec<NodeId>,
    /// The configuration in which it lost the shard.
    pub lost_in: u64,
}

/// A message between nodes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Message<M> {
    /// Of the protocol inside a group.
    Inner(M),
    /// To a controller: which configuration has this number?
    Query {
        /// The number.
        num: u64,
    },
    /// From a controller.
    Configuration {
        /// The configuration.
        configuration: Configuration,
        /// Where each shard comes from that has another owner than before; `None` of one that nobody ever owned, or stays.
        origins: Vec<Option<Origin>>,
    },
    /// To the last owner of a shard: the next part of it.
    Pull {
        /// The shard.
        shard: usize,
        /// The configuration in which it is lost.
        lost_in: u64,
        /// How many parts the next owner has.
        number: usize,
    },
    /// A part of a shard.
    Part {
        /// The shard.
        shard: usize,
        /// The configuration in which it is lost.
        lost_in: u64,
        /// How many came before.
        number: usize,
        /// The part.
        part: Part,
    },
    /// The owner has no more parts, until it loses the shard.
    Copied {
        /// The shard.
        shard: usize,
        /// The configuration in which it is lost.
        lost_in: u64,
    },
    /// To the owners of shards that come to this group: it has all that there is so far.
    Ready {
        /// The group.
        group: GroupId,
        /// The configuration in which it gets them.
        num: u64,
    },
    /// To the last owner: the next owner has the whole shard, durably.
    Installed {
        /// The shard.
        shard: usize,
        /// The configuration in which it was lost.
        lost_in: u64,
    },
    /// The last owner keeps nothing of it any more.
    Deleted {
        /// The shard.
        shard: usize,
        /// The configuration in which it was lost.
        lost_in: u64,
    },
    /// To a participant.
    Prepare(Prepare),
    /// From a participant.
    Vote {
        /// The attempt.
        id: TransactionId,
        /// Who votes.
        group: GroupId,
        /// What its keys hold, which are locked now; `None`: it must be aborted.
        values: Option<Values>,
    },
    /// To a participant.
    Decision {
        /// The attempt.
        id: TransactionId,
        /// What it has to write; `None`: the transaction was aborted.
        writes: Option<Values>,
    },
    /// From a participant: it has carried out the decision.
    Finished {
        /// The attempt.
        id: TransactionId,
        /// Who.
        group: GroupId,
    },
    /// To a controller: how much is asked of a group, all of whose shards are there.
    Load {
        /// The group.
        group: GroupId,
        /// The number of its configuration.
        configuration: u64,
        /// Requests a second of each shard.
        rates: BTreeMap<usize, f64>,
    },
}

impl<M> Message<M> {
    /// Its kind, for traces; `inner` names those of the protocol inside.
    pub fn kind(&self, inner: impl Fn(&M) -> &'static str) -> &'static str {
        match self {
            Self::Inner(message) => inner(message),
            Self::Query { .. } => "Query",
            Self::Configuration { .. } => "Configuration",
            Self::Pull { .. } => "Pull",
            Self::Part { .. } => "Part",
            Self::Copied { .. } => "Copied",
            Self::Ready { .. } => "Ready",
            Self::Installed { .. } => "Installed",
            Self::Deleted { .. } => "Deleted",
            Self::Prepare(_) => "PrepareTransaction",
            Self::Vote { .. } => "Vote",
            Self::Decision { .. } => "Decision",
            Self::Finished { .. } => "Finished",
            Self::Load { .. } => "Load",
        }
    }
}
