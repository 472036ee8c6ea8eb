//! A sharded store with several groups.
//!
//! What one more group brings shows where each node has a processor of its own. Where it has not, this is measured: the processor
//! time that a write costs the leaders of the groups, who do most. The last column is a model, not a measurement: all writes have to wait
//! for the busiest of them, which can have one processor to itself; groups share nothing but the controllers, whom nobody asks
//! meanwhile.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use contract::launch::SHARDS;
use local_cluster::{Cluster, Failure, Store};
use store_client::Client;
use tokio::task::JoinSet;

use crate::{cpu, load::Load};

/// So long the clients write before anything is counted.
const WARM_UP: Duration = Duration::from_secs(1);
/// So long an operation may take: without faults nothing is as slow.
pub const PATIENCE: Duration = Duration::from_secs(10);

const HEAD: &str = "\
| groups | writes | a second, measured here | processor time of a write: its leaders | their followers | \
controllers | model: a second, if each node had a processor |
|---|---|---|---|---|---|---|";

const MODEL: &str = "\
The last column is a model, not a measurement: 1 / processor time of a write at the busiest leader, over all writes. It \
leaves out disks and networks.";

/// What the clients write.
#[derive(Clone, Copy)]
enum Write {
    /// One key.
    One,
    /// Two keys at once, of two groups where there are several.
    Two,
}

/// Prints a row for each number of groups, with writes of one key and of two.
pub async fn measure(
    store: &Store,
    counts: &[u32],
    load: &Load,
    data: &Path,
) -> Result<(), Failure> {
    println!("{}, {} clients:\n\n{HEAD}", store.name(), load.clients);
    for count in counts {
        let groups: Vec<String> = (1..=*count).map(|number| format!("g{number}")).collect();
        let mut cluster = Cluster::start_sharded(store, &groups, data).await?;
        for (write, name) in [(Write::One, "one key"), (Write::Two, "two keys of two groups")] {
            if matches!(write, Write::Two) && *count == 1 {
                continue;
            }
            let row = row(&mut cluster, &groups, load, write).await?;
            println!("| {count} | {name} | {row}");
        }
    }
    println!("\n{MODEL}");
    Ok(())
}

async fn row(
    cluster: &mut Cluster<'_>,
    groups: &[String],
    load: &Load,
    write: Write,
) -> Result<String, Failure> {
    let mut clients = JoinSet::new();
    let begin = Instant::now() + WARM_UP;
    for number in 0..load.clients {
        let client = Client::new(format!("c{number}-{}", write as u8), cluster.servers(), PATIENCE);
        let value = "v".repeat(load.value_bytes);
        clients.spawn(writes(client, number, value, write, begin, begin + load.time));
    }
    tokio::time::sleep_until(begin.into()).await;
    let (leaders, before) = (leaders(cluster, groups).await?, used(cluster));
    tokio::time::sleep(load.time).await;
    let after = used(cluster);
    let mut count = 0;
    for written in clients.join_all().await {
        count += written?;
    }
    if leaders != self::leaders(cluster, groups).await? {
        return Err("another node leads now than at first: measure again".into());
    }
    let per_second = count as f64 / load.time.as_secs_f64();
    let (Some(before), Some(after)) = (before, after) else {
        return Ok(format!("{per_second:.0} | not available here | | | |"));
    };
    let mut costs_ms = Costs::default();
    for (place, (node, _)) in cluster.processes().enumerate() {
        let cost_ms = (after[place] - before[place]).as_secs_f64() * 1e3 / count as f64;
        if leaders.contains(&node.name) {
            costs_ms.leaders += cost_ms;
            costs_ms.busiest = costs_ms.busiest.max(cost_ms);
        } else if groups.contains(&node.group) {
            costs_ms.followers += cost_ms;
        } else {
            costs_ms.controllers += cost_ms;
        }
    }
    Ok(format!("{per_second:.0} | {}", costs_ms.row()))
}

/// The processor time of a write at all nodes of a kind, in milliseconds.
#[derive(Default)]
struct Costs {
    leaders: f64,
    /// Of them, the one that has most to do.
    busiest: f64,
    followers: f64,
    controllers: f64,
}

impl Costs {
    fn row(&self) -> String {
        let Self { leaders, busiest, followers, controllers } = self;
        let possible = 1e3 / busiest;
        format!("{leaders:.2} ms | {followers:.2} ms | {controllers:.2} ms | {possible:.0} |")
    }
}

/// Who leads each group.
async fn leaders(cluster: &mut Cluster<'_>, groups: &[String]) -> Result<Vec<String>, Failure> {
    let mut leaders = Vec::new();
    for group in groups {
        leaders.push(cluster.leader(group).await?.name);
    }
    Ok(leaders)
}

/// What each process has used so far.
fn used(cluster: &Cluster<'_>) -> Option<Vec<Duration>> {
    cluster.processes().map(|(_, process)| cpu::used(process)).collect()
}

/// How many writes began in this time.
async fn writes(
    mut client: Client,
    number: u64,
    value: String,
    write: Write,
    begin: Instant,
    end: Instant,
) -> Result<u64, Failure> {
    let mut count = 0;
    for round in number.. {
        let asked = Instant::now();
        if asked >= end {
            break;
        }
        // Clients keep to keys of their own. The last digit is the shard, and neighbours belong to different groups.
        let key = |shard: u64| format!("c{number}-{shard}");
        let last = SHARDS as u64 - 1;
        match write {
            Write::One => client.put(&key(round % (last + 1)), &value).await?,
            Write::Two => {
                let both =
                    [key(round % last), key(round % last + 1)].map(|key| (key, value.clone()));
                client.multi_put(both.into()).await?;
            }
        }
        count += u64::from(asked >= begin);
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_wait_for_the_busiest_leader() {
        let costs_ms = Costs { leaders: 0.5, busiest: 0.5, followers: 0.25, controllers: 0.0 };
        assert_eq!(costs_ms.row(), "0.50 ms | 0.25 ms | 0.00 ms | 2000 |");
        assert_eq!(
            Costs { busiest: 0.125, ..costs_ms }.row(),
            "0.50 ms | 0.25 ms | 0.00 ms | 8000 |"
        );
    }
}
