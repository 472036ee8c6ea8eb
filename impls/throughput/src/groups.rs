//! A sharded store with several groups.
//!
//! What one more group brings shows where each node has a processor of its own. Where it has not, this is measured: the processor
//! time that a write costs the leader of its group, which does most. A leader that has one processor cannot do more writes a second
//! than that allows, and groups share nothing but the controllers, whom nobody asks meanwhile. So the last column is the number of
//! groups, divided by that time: a model, not a measurement.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use contract::{Operation, launch::SHARDS};
use store_client::{Client, Servers};
use tokio::task::JoinSet;

use crate::{
    Failure,
    cluster::Cluster,
    cpu,
    load::Load,
    store::{CONTROLLERS, Store},
};

/// So long the clients write before anything is counted.
const WARM_UP: Duration = Duration::from_secs(1);
/// So long an operation may take: without faults nothing is as slow.
pub const PATIENCE: Duration = Duration::from_secs(10);

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
    groups: &[u32],
    load: &Load,
    data: &Path,
) -> Result<(), Failure> {
    println!(
        "| {} | writes | a second | processor time of a write, all nodes | the leader of a group | a second, if each node has a processor |",
        store.name()
    );
    println!("|---|---|---|---|---|---|");
    for count in groups {
        let ids: Vec<String> = (1..=*count).map(|number| format!("g{number}")).collect();
        let mut cluster = start(store, &ids, data).await?;
        for (write, name) in [(Write::One, "one key"), (Write::Two, "two keys, two groups")] {
            if matches!(write, Write::Two) && *count == 1 {
                continue;
            }
            let row = row(&mut cluster, &ids, load, write).await?;
            println!("| {count} groups | {name} | {row}");
        }
    }
    Ok(())
}

/// Starts these groups and three controllers. The groups join, and get the shards in turn.
pub async fn start<'s>(
    store: &'s Store,
    ids: &[String],
    data: &Path,
) -> Result<Cluster<'s>, Failure> {
    let all = [ids, &[CONTROLLERS.to_owned()]].concat();
    let cluster = Cluster::start(store, &all, data).await?;
    share_out(&cluster, ids).await?;
    Ok(cluster)
}

async fn share_out(cluster: &Cluster<'_>, ids: &[String]) -> Result<(), Failure> {
    let mut admin = Client::new("admin", servers(cluster), PATIENCE);
    let groups = ids.iter().map(|group| {
        let its = cluster.processes().filter(|(node, _)| node.group == *group);
        (group.clone(), its.map(|(node, _)| node.name.clone()).collect())
    });
    admin.ask(Operation::Join { groups: groups.collect() }).await?;
    for shard in 0..SHARDS {
        let group = ids[shard % ids.len()].clone();
        // It may own the shard already.
        let _ = admin.ask(Operation::Move { shard: shard as u64, group }).await;
    }
    let written = (0..SHARDS).map(|shard| (format!("k{shard}"), "0".to_owned())).collect();
    admin.multi_put(written).await?;
    Ok(())
}

/// Whom clients ask.
pub fn servers(cluster: &Cluster<'_>) -> Servers {
    let (controllers, nodes): (Vec<_>, Vec<_>) =
        cluster.processes().map(|(node, _)| node).partition(|node| node.group == CONTROLLERS);
    let addresses = |nodes: Vec<&crate::store::Node>| {
        nodes.into_iter().map(|node| (node.name.clone(), node.client)).collect::<Vec<_>>()
    };
    Servers::sharded(addresses(nodes), addresses(controllers))
}

async fn row(
    cluster: &mut Cluster<'_>,
    ids: &[String],
    load: &Load,
    write: Write,
) -> Result<String, Failure> {
    let mut clients = JoinSet::new();
    let begin = Instant::now() + WARM_UP;
    for number in 0..load.clients {
        let client = Client::new(format!("c{number}-{}", write as u8), servers(cluster), PATIENCE);
        let value = "v".repeat(load.value_bytes);
        clients.spawn(writes(client, number, value, write, begin, begin + load.time));
    }
    tokio::time::sleep_until(begin.into()).await;
    let before = used(cluster);
    tokio::time::sleep(load.time).await;
    let after = used(cluster);
    let mut count = 0;
    for written in clients.join_all().await {
        count += written?;
    }
    let per_second = count as f64 / load.time.as_secs_f64();
    let (Some(before), Some(after)) = (before, after) else {
        return Ok(format!("{per_second:.0} | not available here | | |"));
    };
    let ms = |one: usize| (after[one] - before[one]).as_secs_f64() * 1e3 / count as f64;
    let mut leaders_ms = 0.0;
    for group in ids {
        let leader = cluster.leader(group).await?.name;
        let place = cluster.processes().position(|(node, _)| node.name == leader);
        leaders_ms += place.map_or(0.0, ms);
    }
    let all_ms: f64 = (0..after.len()).map(ms).sum();
    // Each leader has its share of the writes.
    let possible = ids.len() as f64 * 1e3 / leaders_ms;
    Ok(format!("{per_second:.0} | {all_ms:.2} ms | {leaders_ms:.2} ms | {possible:.0} |"))
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
        // Clients keep to keys of their own. The last digit is the shard.
        let key = |shard: u64| format!("c{number}-{}", shard % SHARDS as u64);
        match write {
            Write::One => client.put(&key(round), &value).await?,
            Write::Two => {
                let both = [key(round), key(round + 1)].map(|key| (key, value.clone()));
                client.multi_put(both.into()).await?;
            }
        }
        count += u64::from(asked >= begin);
    }
    Ok(count)
}
