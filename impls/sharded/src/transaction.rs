//! What coordinator and participants of a transaction say of it.

use std::collections::BTreeMap;

use contract::{GroupId, NodeId};
use serde::{Deserialize, Serialize};

/// Values of keys; `None`: the key is missing.
pub type Values = BTreeMap<String, Option<String>>;

/// Names one attempt of one transaction. An attempt that failed never comes back: the next one has another number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TransactionId {
    /// The coordinator's group.
    pub group: GroupId,
    /// Counts that group's attempts.
    pub number: u64,
}

/// What a participant is asked to prepare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepare {
    /// The attempt.
    pub id: TransactionId,
    /// The servers of the coordinator's group.
    pub coordinators: Vec<NodeId>,
    /// The number of the configuration in which the transaction began. All of it happens in this one.
    pub configuration: u64,
    /// The participant's keys among those of the transaction.
    pub keys: Vec<String>,
    /// All attempts of the coordinator with smaller numbers are over.
    pub oldest: u64,
}
