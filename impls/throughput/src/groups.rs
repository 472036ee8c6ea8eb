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
/// So often it is tried to measure without a change of a leader.
const ROUNDS_MAX: u32 = 5;
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

/// The rest of a row. On a busy machine leaders change now and then; then the costs are nobody's, and it is measured again.
async fn row(
    cluster: &mut Cluster<'_>,
    groups: &[String],
    load: &Load,
    write: Write,
) -> Result<String, Failure> {
    for round in 0..ROUNDS_MAX {
        let begin = Instant::now() + WARM_UP;
        let clients = start_clients(cluster, load, write, round, begin);
        tokio::time::sleep_until(begin.into()).await;
        let (leaders, before) = (leaders(cluster, groups).await?, used(cluster));
        tokio::time::sleep(load.time).await;
        let after = used(cluster);
        let written: Vec<u64> = clients.join_all().await.into_iter().collect::<Result<_, _>>()?;
        let count: u64 = written.into_iter().sum();
        if leaders != self::leaders(cluster, groups).await? {
            continue;
        }
        let per_second = count as f64 / load.time.as_secs_f64();
        let (Some(before), Some(after)) = (before, after) else {
            return Ok(format!("{per_second:.0} | not available here | | | |"));
        };
        let used = after.iter().zip(&before).map(|(after, before)| *after - *before);
        let costs_ms = Costs::of(cluster, groups, &leaders, used, count);
        return Ok(format!("{per_second:.0} | {}", costs_ms.row()));
    }
    Err(format!("in each of {ROUNDS_MAX} rounds a leader changed: the machine is too busy").into())
}

fn start_clients(
    cluster: &Cluster<'_>,
    load: &Load,
    write: Write,
    round: u32,
    begin: Instant,
) -> JoinSet<Result<u64, Failure>> {
    let clients = (0..load.clients).map(|number| {
        let name = format!("c{number}-{}-{round}", write as u8);
        let client = Client::new(name, cluster.servers(), PATIENCE);
        let value = "v".repeat(load.value_bytes);
        writes(client, number, value, write, begin, begin + load.time)
    });
    clients.collect()
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
    /// What each process used for so many writes, by what it is.
    fn of(
        cluster: &Cluster<'_>,
        groups: &[String],
        leaders: &[String],
        used: impl Iterator<Item = Duration>,
        count: u64,
    ) -> Self {
        let mut costs_ms = Self::default();
        for ((node, _), used) in cluster.processes().zip(used) {
            let cost_ms = used.as_secs_f64() * 1e3 / count as f64;
            if leaders.contains(&node.name) {
                costs_ms.leaders += cost_ms;
                costs_ms.busiest = costs_ms.busiest.max(cost_ms);
            } else if groups.contains(&node.group) {
                costs_ms.followers += cost_ms;
            } else {
                costs_ms.controllers += cost_ms;
            }
        }
        costs_ms
    }

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
