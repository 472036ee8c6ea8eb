//! What the pooled client costs: the same requests over as many kept connections, by hand-driven connections and by the
//! client, in turn within one run. `cargo bench -p http-client`.

mod one_answer;

use std::{
    error::Error,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_client::{Client, Connection, Full, Request};
use tokio::task::JoinSet;

const CONNECTIONS: usize = 8;
const SLICE: Duration = Duration::from_secs(1);
const ROUNDS: usize = 9;
const LIMIT: Duration = Duration::from_secs(1);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
/// As long as a message with a few commands in it.
const BODY: Bytes = Bytes::from_static(&[b' '; 300]);

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let server = one_answer::start(ANSWER)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let by_hand = runtime.block_on(rate(|| by_hand(server)))?;
        let client = http_client::client(LIMIT, CONNECTIONS);
        let by_client = runtime.block_on(rate(|| by_client(client.clone(), server)))?;
        let ratio = by_client / by_hand;
        println!(
            "round {round}: by hand {by_hand:.0}/s, client {by_client:.0}/s, ratio {ratio:.2}"
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2} over {CONNECTIONS} connections", ratios[ROUNDS / 2]);
    Ok(())
}

/// Requests a second of [`CONNECTIONS`] tasks that each send one after the other.
async fn rate<F>(mut one: impl FnMut() -> F) -> Result<f64, Failure>
where
    F: Future<Output = Result<u32, Failure>> + Send + 'static,
{
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        tasks.spawn(one());
    }
    let mut requests = 0;
    for count in tasks.join_all().await {
        requests += count?;
    }
    Ok(f64::from(requests) / started.elapsed().as_secs_f64())
}

async fn by_hand(server: SocketAddr) -> Result<u32, Failure> {
    let mut connection = Connection::open(server).await?;
    let (end, mut count) = (Instant::now() + SLICE, 0);
    while Instant::now() < end {
        let exchange = async {
            connection.is_ready().await;
            let request = Request::post("/v1/peer")
                .header("host", "n1")
                .header("content-type", "application/json")
                .header("x-ds-type", "Accept")
                .body(Full::new(BODY))?;
            connection.exchange(request, 1024).await
        };
        tokio::time::timeout(LIMIT, exchange).await??;
        count += 1;
    }
    Ok(count)
}

async fn by_client(client: Client, server: SocketAddr) -> Result<u32, Failure> {
    let url = format!("http://{server}/v1/peer");
    let (end, mut count) = (Instant::now() + SLICE, 0);
    while Instant::now() < end {
        let request = client
            .post(&url)
            .header("host", "n1")
            .header("content-type", "application/json")
            .header("x-ds-type", "Accept")
            .body(BODY);
        http_client::read(http_client::send(request).await?, 1024).await?;
        count += 1;
    }
    Ok(count)
}
