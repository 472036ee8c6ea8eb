//! What groups and controllers write into their logs besides clients' requests.

use contract::{Configuration, GroupId, NodeId, Operation, Request};
use serde::{Deserialize, Serialize};

use crate::{
    group::Part,
    message::Origin,
    transaction::{Prepare, TransactionId, Values},
};

/// A command of a leader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// The next configuration.
    Configure {
        /// It.
        configuration: Configuration,
        /// Where each shard comes from.
        origins: Vec<Option<Origin>>,
    },
    /// Copies a shard for who owns it in the next configuration.
    Copy {
        /// The shard.
        shard: usize,
        /// The next configuration.
        lost_in: u64,
    },
    /// A part of a shard that arrives.
    Part {
        /// The shard.
        shard: usize,
        /// The configuration in which its last owner loses it.
        lost_in: u64,
        /// How many came before.
        number: usize,
        /// The part.
        part: Part,
    },
    /// The next owner has the shard for good: what is kept of it here goes.
    Delete {
        /// The shard.
        shard: usize,
        /// The configuration in which it was lost.
        lost_in: u64,
    },
    /// The last owner has deleted what it kept of the shard.
    Settled {
        /// The shard.
        shard: usize,
        /// The configuration in which that owner lost it.
        lost_in: u64,
    },
    /// Locks keys for a transaction of another group.
    Prepare(Prepare),
    /// Decides a transaction of this group: with the other groups' values it commits, without them it aborts.
    Decide {
        /// The attempt.
        id: TransactionId,
        /// What the participants' keys hold.
        values: Option<Values>,
    },
    /// Carries out a decision of another group.
    Finish {
        /// The attempt.
        id: TransactionId,
        /// What is written here; `None`: it was aborted.
        writes: Option<Values>,
    },
    /// A participant has carried out the decision.
    Finished {
        /// The attempt.
        id: TransactionId,
        /// The participant.
        group: GroupId,
    },
    /// Somebody holds locks for an attempt that nobody here remembers. If that is so, it was aborted, or is over.
    Inquire {
        /// The attempt.
        id: TransactionId,
    },
    /// Of the controllers: moves a shard, if the latest configuration is still the one that this was meant for.
    Move {
        /// The shard.
        shard: usize,
        /// Its next owner.
        group: GroupId,
        /// The number of that configuration.
        configuration: u64,
    },
}

impl Command {
    /// The request that carries it through the log of those that this node leads.
    ///
    /// # Panics
    /// Never: commands have a JSON form.
    #[must_use]
    pub fn into_request(self, node: &NodeId) -> Request {
        let command = serde_json::to_string(&self).expect("commands have a JSON form");
        Request { client: node.clone(), seq: 0, op: Operation::Internal { command } }
    }

    /// The command in an operation's text.
    ///
    /// # Errors
    /// The text is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("no command of a leader: {error}"))
    }
}
