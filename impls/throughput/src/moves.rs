//! Moves of a large shard between two groups: how long its keys are not served, and how long others wait meanwhile.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use contract::{Operation, launch::SHARDS};
use local_cluster::{Cluster, Failure, Store};
use store_client::{Client, Failure as ClientFailure};
use tokio::task::JoinSet;

use crate::groups::PATIENCE;

/// The length of a value of the shard that moves.
const VALUE_BYTES: usize = 256 << 10;
/// Between two moves: the last owner deletes what it kept.
const REST: Duration = Duration::from_secs(1);
/// A move takes no longer.
const LIMIT: Duration = Duration::from_secs(30);

/// A write: from when to when.
type Write = (Instant, Instant);

/// Fills a shard with so many MiB, moves it back and forth, and prints what clients saw who wrote all the time.
pub async fn measure(store: &Store, mib: usize, moves: u64, data: &Path) -> Result<(), Failure> {
    let ids = ["g1", "g2"].map(str::to_owned);
    let cluster = Cluster::start_sharded(store, &ids, data).await?;
    let mut admin = Client::new("mover", cluster.servers(), PATIENCE);
    let value = "v".repeat(VALUE_BYTES);
    for number in 0..mib * (1 << 20) / VALUE_BYTES {
        // The last digit is the shard.
        admin.put(&format!("large{number}0"), &value).await?;
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    // Two keys of the shard that moves, and one of each other one.
    for number in [SHARDS as u64].into_iter().chain(0..SHARDS as u64) {
        let client = Client::new(format!("w{number}"), cluster.servers(), PATIENCE);
        writers.spawn(write(client, number, Arc::clone(&is_over)));
    }
    let mut times = Vec::new();
    for number in 0..moves {
        tokio::time::sleep(REST).await;
        let group = ids[((number + 1) % 2) as usize].clone();
        let begun = Instant::now();
        admin.ask(Operation::Move { shard: 0, group: group.clone() }).await?;
        until_served(&mut admin, &group, begun).await?;
        times.push((begun, Instant::now()));
    }
    is_over.store(true, Ordering::SeqCst);
    let (mut moving, mut others) = (Vec::new(), Vec::new());
    for written in writers.join_all().await {
        let (number, writes) = written?;
        let of = if number.is_multiple_of(SHARDS as u64) { &mut moving } else { &mut others };
        of.extend(writes);
    }
    println!("{}, a shard of {mib} MiB, {moves} moves; for each, the longest write:", store.name());
    println!("  on that shard: {}", words(&times, &moving));
    println!("  on the others: {}", words(&times, &others));
    Ok(())
}

/// Waits until this group serves the shard.
async fn until_served(admin: &mut Client, group: &str, begun: Instant) -> Result<(), Failure> {
    while begun.elapsed() < LIMIT {
        admin.put("large0", "moved").await?;
        if admin.owner_of("large0") == Some(group) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Err(format!("the shard was not served by {group} after {LIMIT:?}").into())
}

async fn write(
    mut client: Client,
    number: u64,
    is_over: Arc<AtomicBool>,
) -> Result<(u64, Vec<Write>), ClientFailure> {
    let key = format!("w{number}");
    let mut writes = Vec::new();
    while !is_over.load(Ordering::SeqCst) {
        let begun = Instant::now();
        client.put(&key, "1").await?;
        writes.push((begun, Instant::now()));
    }
    Ok((number, writes))
}

/// Of the longest write of each move.
fn words(moves: &[Write], writes: &[Write]) -> String {
    let longest = moves.iter().map(|(from, to)| {
        let meanwhile = writes.iter().filter(|(begun, ended)| ended > from && begun < to);
        meanwhile.map(|(begun, ended)| *ended - *begun).max().unwrap_or_default()
    });
    let mut longest: Vec<Duration> = longest.collect();
    longest.sort_unstable();
    let ms = |place: usize| longest[place].as_secs_f64() * 1e3;
    format!("median {:.0} ms, at most {:.0} ms", ms(longest.len() / 2), ms(longest.len() - 1))
}
