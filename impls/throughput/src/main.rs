//! Writes a second of stores without faults, one after the other on one machine, through the same client: three nodes each,
//! fsync on, every client has one write under way at the leader. etcd is asked through its JSON gateway, which costs it
//! something: the stores here speak JSON themselves.
//!
//! ```text
//! cargo run --release -p throughput -- impls/paxos/naive impls/paxos impls/raft etcd
//! cargo run --release -p throughput -- impls/sharded --groups 1,2,4
//! cargo run --release -p throughput -- impls/sharded --move-mib 10
//! ```
//!
//! With `--groups` a sharded store, with so many groups in turn. On a machine with few processors all nodes share them, so that more
//! groups are not faster; then what an operation costs each node says more, and what that would allow is a model (`groups.rs`).

mod cpu;
mod groups;
mod load;
mod moves;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{Parser, builder::RangedU64ValueParser};
use load::{Load, Measured};
use local_cluster::{Cluster, Failure, Store};

/// How often a shard is moved.
const MOVES: u64 = 10;

/// Measures writes a second of stores without faults.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folders with a `submission.toml`, and `etcd` for the one on the PATH. The others are compared with the first.
    #[arg(required = true)]
    stores: Vec<PathBuf>,
    /// How many clients write.
    #[arg(long, default_value_t = 10, value_parser = from_one())]
    clients: u64,
    /// How long they write in each round, in seconds.
    #[arg(long, default_value_t = 8, value_parser = from_one())]
    seconds: u64,
    /// How often each store is measured; the stores take turns.
    #[arg(long, default_value_t = 3, value_parser = from_one())]
    rounds: u64,
    /// The store is sharded: measure it with so many groups in turn.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=9))]
    groups: Vec<u32>,
    /// The store is sharded: move a shard with so many MiB between two groups.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1024))]
    move_mib: Option<u32>,
    /// The length of a value, in bytes.
    #[arg(long, default_value_t = 100)]
    value_bytes: usize,
    /// Where the nodes' data goes: on a disk, or fsync costs nothing and the figures mean little.
    #[arg(long, default_value = "target")]
    data: PathBuf,
}

fn from_one() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..)
}

#[tokio::main]
async fn main() -> ExitCode {
    match measure(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("throughput: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(arguments: &Arguments) -> Result<(), Failure> {
    let stores = arguments.stores.iter().map(|name| Store::of(name).map(Arc::new));
    let stores: Vec<Arc<Store>> = stores.collect::<Result<_, _>>()?;
    let load = Load {
        clients: arguments.clients,
        value_bytes: arguments.value_bytes,
        time: Duration::from_secs(arguments.seconds),
    };
    if let Some(mib) = arguments.move_mib {
        for store in &stores {
            moves::measure(store, mib as usize, MOVES, &arguments.data).await?;
        }
        return Ok(());
    }
    if !arguments.groups.is_empty() {
        for store in &stores {
            groups::measure(store, &arguments.groups, &load, &arguments.data).await?;
        }
        return Ok(());
    }
    let mut rounds: Vec<Vec<Measured>> = stores.iter().map(|_| Vec::new()).collect();
    for _ in 0..arguments.rounds {
        for (store, measured) in stores.iter().zip(&mut rounds) {
            measured.push(round(store, &load, &arguments.data).await?);
        }
    }
    println!("| store | writes a second | beside the first | median latency | 99th percentile |");
    println!("|---|---|---|---|---|");
    let middle: Vec<Measured> = rounds.into_iter().map(of_middle_round).collect();
    for (store, measured) in stores.iter().zip(&middle) {
        println!(
            "| {} | {:.0} | {:.2} | {:.2} ms | {:.2} ms |",
            store.name(),
            measured.per_second,
            measured.per_second / middle[0].per_second,
            measured.median_ms,
            measured.high_ms
        );
    }
    Ok(())
}

async fn round(store: &Arc<Store>, load: &Load, data: &Path) -> Result<Measured, Failure> {
    let mut cluster = Cluster::start(store, data).await?;
    let leader = cluster.leader("").await?;
    let measured = load.run(store, leader.client).await?;
    eprintln!("{}: {:.0} writes a second", store.name(), measured.per_second);
    Ok(measured)
}

/// That of the round whose throughput is the median.
fn of_middle_round(mut rounds: Vec<Measured>) -> Measured {
    rounds.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
    rounds.swap_remove(rounds.len() / 2)
}
