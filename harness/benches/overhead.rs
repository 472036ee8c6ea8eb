//! What the bench itself costs: clerks that keep the record, against a raw loop of the same requests over as many
//! connections, in turn within one run. `cargo bench -p harness`.

#[path = "../../impls/http-client/benches/one_answer/mod.rs"]
mod one_answer;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use contract::{Operation, Request, manifest::Timeouts};
use harness::{
    clients::{Patience, Shared, clerk::Clerk},
    run::folder,
    stream::Stream,
};
use record::Folder;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

const CONNECTIONS: u64 = 10;
const SLICE: Duration = Duration::from_secs(2);
const ROUNDS: usize = 5;
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{\"ok\":{}}";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = one_answer::start(ANSWER)?;
    let place = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    println!("{CONNECTIONS} connections, one put at a time on each, {} s a slice", SLICE.as_secs());
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let raw = runtime.block_on(raw_loop(server));
        let clerks = runtime.block_on(clerks(server, place.path()))?;
        let ratio = clerks / raw;
        println!(
            "round {round}: raw loop {raw:.0} ops/s, clerks {clerks:.0} ops/s, ratio {ratio:.2}"
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2} (at least 0.50 wanted)", ratios[ROUNDS / 2]);
    Ok(())
}

fn put() -> Operation {
    Operation::Put { key: "key".to_owned(), value: "c3.17".to_owned() }
}

/// The same bytes again and again, and nothing but counting.
async fn raw_loop(server: SocketAddr) -> f64 {
    let request = Request { client: "c1".to_owned(), seq: 1, op: put() };
    let body = serde_json::to_string(&request).unwrap_or_default();
    let head = format!(
        "POST /v1/op HTTP/1.1\r\nhost: node\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let message: Arc<[u8]> = (head + &body).into_bytes().into();
    let begun = Instant::now();
    let mut loops = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let message = Arc::clone(&message);
        loops.spawn(async move {
            let mut socket = TcpStream::connect(server).await?;
            socket.set_nodelay(true)?;
            let mut answer = vec![0; ANSWER.len()];
            let mut done = 0_u32;
            while begun.elapsed() < SLICE {
                socket.write_all(&message).await?;
                socket.read_exact(&mut answer).await?;
                done += 1;
            }
            Ok::<u32, std::io::Error>(done)
        });
    }
    let done: u32 = loops.join_all().await.into_iter().map(|done| done.unwrap_or(0)).sum();
    f64::from(done) / begun.elapsed().as_secs_f64()
}

/// Clerks as in a run: every operation recorded to disk.
async fn clerks(server: SocketAddr, place: &std::path::Path) -> std::io::Result<f64> {
    let results = Folder::create(place, "overhead", 1)?;
    let (stream, thread) = Stream::start(folder::readers(&results, false)?)?;
    let (nodes, addresses) = (vec!["n1".to_owned()], HashMap::from([("n1".to_owned(), server)]));
    let patience = Patience::from(&Timeouts::default());
    let shared = Shared::new(stream, nodes, addresses, CONNECTIONS, patience, true);
    let shared = Arc::new(shared);
    let begun = Instant::now();
    let mut loops = JoinSet::new();
    for number in 0..CONNECTIONS {
        let mut clerk = Clerk::new(Arc::clone(&shared), number, 1);
        loops.spawn(async move {
            let operation = put();
            let mut done = 0_u32;
            while begun.elapsed() < SLICE {
                done += u32::from(clerk.perform(&operation).await.outcome().is_some());
            }
            done
        });
    }
    let done: u32 = loops.join_all().await.into_iter().sum();
    let rate = f64::from(done) / begun.elapsed().as_secs_f64();
    drop(shared);
    thread.join().map_err(|_| std::io::Error::other("the stream panicked"))??;
    Ok(rate)
}
