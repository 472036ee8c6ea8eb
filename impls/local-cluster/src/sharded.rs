//! A sharded store: several groups, and the shard controllers.

use std::{path::Path, time::Duration};

use contract::{ErrorCode, Operation, launch::SHARDS};
use store_client::{Client, Failure as ClientFailure};

use crate::{CONTROLLERS, Cluster, Failure, Store};

/// So long may a configuration take.
const PATIENCE: Duration = Duration::from_secs(20);

impl<'s> Cluster<'s> {
    /// Starts three nodes in each of these groups, and three shard controllers. The groups join, get the shards in turn, and serve
    /// them.
    ///
    /// # Errors
    /// A node does not start, or the store does not serve all shards in time.
    pub async fn start_sharded(
        store: &'s Store,
        groups: &[String],
        data: &Path,
    ) -> Result<Self, Failure> {
        let all = [groups, &[CONTROLLERS.to_owned()]].concat();
        let cluster = Self::start_groups(store, &all, data).await?;
        let mut admin = Client::new("local-cluster", cluster.servers(), PATIENCE);
        let with_servers = groups.iter().map(|group| (group.clone(), cluster.servers_of(group)));
        admin.ask(Operation::Join { groups: with_servers.collect() }).await?;
        for shard in 0..SHARDS {
            let group = groups[shard % groups.len()].clone();
            match admin.ask(Operation::Move { shard: shard as u64, group }).await {
                // It owns the shard already.
                Err(ClientFailure::Refused(refusal)) if refusal.code == ErrorCode::NoChange => {}
                moved => drop(moved?),
            }
        }
        for shard in 0..SHARDS {
            // The last digit of a key is its shard.
            admin.put(&format!("served-{shard}"), "").await?;
        }
        Ok(cluster)
    }

    /// The names of a group's nodes.
    #[must_use]
    pub fn servers_of(&self, group: &str) -> Vec<String> {
        let its = self.processes().filter(|(node, _)| node.group == group);
        its.map(|(node, _)| node.name.clone()).collect()
    }
}
