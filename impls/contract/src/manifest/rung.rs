//! The rungs of the course ladder: what a store can be tested as.

use serde::{Deserialize, Serialize};

use super::Capability;

/// A rung of the course ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// MIT lab 1.
    Mapreduce,
    /// At most once under lost replies and duplicates.
    ExactlyOnceKv,
    /// Views with acknowledgement.
    ViewService,
    /// Fail-over with state transfer.
    PrimaryBackup,
    /// Viewstamped Replication, Paxos, Multi-Paxos, Raft.
    ReplicatedKv,
    /// The configuration rules of a shard controller.
    ShardController,
    /// Linearizable through join, leave and move.
    ShardedKv,
    /// Strict serializable transactions over groups.
    ShardedTxn,
}

/// One row of the registry of rungs.
#[derive(Clone, Copy, Debug)]
pub struct RungEntry {
    /// The rung.
    pub rung: Rung,
    /// Its name in a manifest.
    pub name: &'static str,
    /// Where it comes from.
    pub course: &'static str,
    /// What must hold, in one sentence.
    pub meaning: &'static str,
    /// The capability that its promise includes.
    pub needs: Option<Capability>,
}

/// Every rung of the ladder, from the bottom.
pub const RUNGS: [RungEntry; 8] = [
    rung(
        Rung::Mapreduce,
        "mapreduce",
        "MIT 6.5840 lab 1",
        "The [outputs of jobs](#mapreduce) are those of a sequential run, though workers may die.",
    ),
    RungEntry {
        needs: Some(Capability::ExactlyOnce),
        ..rung(
            Rung::ExactlyOnceKv,
            "exactly-once-kv",
            "DSLabs lab 1, MIT kvsrv",
            "Each operation happens at most once under lost replies and duplicates, in bounded memory.",
        )
    },
    rung(
        Rung::ViewService,
        "view-service",
        "MIT 6.824 lab 2, part A; DSLabs lab 2, part 1; Columbia's view service",
        "The [rules of the view service](#the-view-service), which the bench asks in the place of the servers.",
    ),
    rung(
        Rung::PrimaryBackup,
        "primary-backup",
        "DSLabs lab 2, Columbia's primary/backup lab",
        "Linearizable through fail-over, with a complete transfer of state; goes on without each single node.",
    ),
    rung(
        Rung::ReplicatedKv,
        "replicated-kv",
        "Viewstamped Replication, Paxos, Multi-Paxos, Raft",
        "Linearizable; progress in the majority and none in the minority; durable through restarts; the log compacts.",
    ),
    RungEntry {
        needs: Some(Capability::Configurations),
        ..rung(
            Rung::ShardController,
            "shard-controller",
            "DSLabs ShardMaster, MIT shardctrler",
            "The [rules of the shard controller](#the-shard-controller): configurations follow one another linearizably, \
             balanced, moving the fewest shards.",
        )
    },
    rung(
        Rung::ShardedKv,
        "sharded-kv",
        "MIT shardkv, DSLabs ShardStore",
        "Linearizable through join, leave and move; shards that do not move keep being served; moved data is deleted.",
    ),
    rung(
        Rung::ShardedTxn,
        "sharded-txn",
        "DSLabs lab 4, part 3",
        "Strictly serializable multiget, multiput, swap and txn over groups, through crashes and migration.",
    ),
];

const fn rung(
    rung: Rung,
    name: &'static str,
    course: &'static str,
    meaning: &'static str,
) -> RungEntry {
    RungEntry { rung, name, course, meaning, needs: None }
}

impl Rung {
    /// The rung's row in the registry.
    #[must_use]
    pub fn entry(self) -> &'static RungEntry {
        &RUNGS[self as usize]
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
    fn number(rung: Rung) -> usize {
        match rung {
            Rung::Mapreduce
            | Rung::ExactlyOnceKv
            | Rung::ViewService
            | Rung::PrimaryBackup
            | Rung::ReplicatedKv
            | Rung::ShardController
            | Rung::ShardedKv
            | Rung::ShardedTxn => rung as usize,
        }
    }

    #[test]
    fn the_registry_is_indexed_by_variant_and_named_as_serde_names_it() {
        for (at, entry) in RUNGS.iter().enumerate() {
            assert_eq!(number(entry.rung), at);
            assert_eq!(serde_json::to_value(entry.rung).unwrap(), entry.rung.name());
        }
    }
}
