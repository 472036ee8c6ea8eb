//! The capabilities: the optional parts of the contract.

use serde::{Deserialize, Serialize};

/// An optional part of the contract. Of a store with keys, `get` and `put` are never optional.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// The operation `append`.
    Append,
    /// The operation `puthash`.
    PutHash,
    /// The operation `cas`.
    Cas,
    /// The operations `multiget`, `multiput` and `swap`.
    Multi,
    /// The operation `txn`.
    Txn,
    /// The operations `join`, `leave`, `move` and `query`.
    Configurations,
    /// A request that is sent again takes effect once.
    #[serde(rename = "exactly-once")]
    ExactlyOnce,
    /// A killed node may be started again on its data folder.
    Restart,
    /// A killed node may be started again while most of the others are up and ready.
    Rejoin,
    /// `GET /v1/status`.
    Introspect,
    /// `GET /v1/log`, and a status that can be checked.
    Log,
    /// Shard controllers that also move shards when no client asked for it.
    Rebalance,
}

/// One row of the registry of capabilities.
#[derive(Clone, Copy, Debug)]
pub struct CapabilityEntry {
    /// The capability.
    pub capability: Capability,
    /// Its name in a manifest.
    pub name: &'static str,
    /// What it promises, in one sentence.
    pub meaning: &'static str,
}

/// Every optional part of the contract.
pub const CAPABILITIES: [CapabilityEntry; 12] = [
    capability(Capability::Append, "append", "Serves the operation `append`."),
    capability(Capability::PutHash, "puthash", "Serves the operation `puthash`."),
    capability(Capability::Cas, "cas", "Serves the operation `cas`."),
    capability(
        Capability::Multi,
        "multi",
        "Serves the operations `multiget`, `multiput` and `swap`.",
    ),
    capability(Capability::Txn, "txn", "Serves the operation `txn`."),
    capability(
        Capability::Configurations,
        "configurations",
        "Serves `join`, `leave`, `move` and `query`: it is a shard controller and holds no keys.",
    ),
    capability(
        Capability::ExactlyOnce,
        "exactly-once",
        "A request that arrives again takes effect [once](#exactly-once). To a store without it no write is sent a \
         second time after an attempt of which nobody knows what came of it.",
    ),
    capability(
        Capability::Restart,
        "restart",
        "A node that was killed may be started again on its data folder, with all it had acknowledged. It breaks this promise if \
         it ends by itself, is started once more on that folder with nothing broken, and ends by itself again.",
    ),
    capability(
        Capability::Rejoin,
        "rejoin",
        "For a store without `restart`: a node that was killed may be started again as long as, at any time, a majority of \
         the nodes is neither killed nor on its way back, which is until `GET /readyz` answers 200 again. It gets from \
         the others what it had acknowledged.",
    ),
    capability(Capability::Introspect, "introspect", "Answers `GET /v1/status`."),
    capability(
        Capability::Log,
        "log",
        "Answers `GET /v1/log`. What it says, and what `GET /v1/status` says of terms, is [checked](#the-log): one value a \
         slot, one leader a term, promises that are kept.",
    ),
    capability(
        Capability::Rebalance,
        "rebalance",
        "The shard controllers of a sharded store also move shards by themselves, when no client asked for it. Nobody records such \
         moves: whether each configuration was made by a change is not checked then.",
    ),
];

const fn capability(
    capability: Capability,
    name: &'static str,
    meaning: &'static str,
) -> CapabilityEntry {
    CapabilityEntry { capability, name, meaning }
}

impl Capability {
    /// The capability's row in the registry.
    #[must_use]
    pub fn entry(self) -> &'static CapabilityEntry {
        &CAPABILITIES[self as usize]
    }

    /// Its name in a manifest.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the variant stands in the enum; fails to compile when the enum grows without its registry.
    fn number(capability: Capability) -> usize {
        match capability {
            Capability::Append
            | Capability::PutHash
            | Capability::Cas
            | Capability::Multi
            | Capability::Txn
            | Capability::Configurations
            | Capability::ExactlyOnce
            | Capability::Restart
            | Capability::Rejoin
            | Capability::Introspect
            | Capability::Log
            | Capability::Rebalance => capability as usize,
        }
    }

    #[test]
    fn the_registry_is_indexed_by_variant_and_named_as_serde_names_it() {
        for (at, entry) in CAPABILITIES.iter().enumerate() {
            assert_eq!(number(entry.capability), at);
            assert_eq!(serde_json::to_value(entry.capability).unwrap(), entry.capability.name());
        }
    }
}
