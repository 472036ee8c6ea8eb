//! What the proxy costs: the same echo, direct and through it, in turns within one run.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use network::{LinkSpec, Network};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const BODY_BYTES: usize = 200;
const ROUNDS: usize = 7;
const REQUESTS_A_ROUND: usize = 10_000;
const CONNECTIONS: usize = 16;
const THROUGHPUT_ROUND: Duration = Duration::from_millis(700);
/// The proxy's median latency over the direct one's.
const TARGET_RATIO: f64 = 2.5;

fn request() -> Vec<u8> {
    let body = "x".repeat(BODY_BYTES);
    format!("POST /echo HTTP/1.1\r\nHost: n2\r\nContent-Length: {BODY_BYTES}\r\n\r\n{body}").into()
}

/// Every request and answer of this benchmark has the same length, so that neither end spends time on parsing.
async fn echo(listener: TcpListener, length: usize) {
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY_BYTES}\r\n\r\n");
    let answer = [answer.as_bytes(), &[b'x'; BODY_BYTES]].concat();
    while let Ok((mut stream, _)) = listener.accept().await {
        let answer = answer.clone();
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let mut request = vec![0; length];
            while stream.read_exact(&mut request).await.is_ok() {
                if stream.write_all(&answer).await.is_err() {
                    return;
                }
            }
        });
    }
}

struct Caller {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Caller {
    async fn dial(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY_BYTES}\r\n\r\n");
        Ok(Self { stream, request: request(), answer: vec![0; head.len() + BODY_BYTES] })
    }

    async fn call(&mut self) -> std::io::Result<()> {
        self.stream.write_all(&self.request).await?;
        self.stream.read_exact(&mut self.answer).await?;
        Ok(())
    }
}

async fn latencies_us(address: SocketAddr, into: &mut Vec<f64>) -> std::io::Result<()> {
    let mut caller = Caller::dial(address).await?;
    for _ in 0..REQUESTS_A_ROUND {
        let start = Instant::now();
        caller.call().await?;
        into.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok(())
}

async fn requests_per_s(address: SocketAddr) -> std::io::Result<f64> {
    let start = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        callers.spawn(async move {
            let mut caller = Caller::dial(address).await?;
            let mut count = 0_u32;
            while start.elapsed() < THROUGHPUT_ROUND {
                caller.call().await?;
                count += 1;
            }
            std::io::Result::Ok(count)
        });
    }
    let counts = callers.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(f64::from(counts.iter().sum::<u32>()) / start.elapsed().as_secs_f64())
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[allow(clippy::cast_sign_loss)] // A share of a length is not negative.
    values[((values.len() - 1) as f64 * share) as usize]
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let direct = listener.local_addr()?;
    tokio::spawn(echo(listener, request().len()));
    let links = vec![LinkSpec::here("n1", "n2", direct)];
    let network = Network::open(links, 1, None).await?;
    let proxy = network.address("n1", "n2").unwrap_or(direct);

    let (mut latency, mut throughput) = ([vec![], vec![]], [vec![], vec![]]);
    for round in 0..=ROUNDS {
        for (at, address) in [direct, proxy].into_iter().enumerate() {
            let mut round_us = Vec::with_capacity(REQUESTS_A_ROUND);
            latencies_us(address, &mut round_us).await?;
            let rate = requests_per_s(address).await?;
            // The first round warms up.
            if round > 0 {
                latency[at].append(&mut round_us);
                throughput[at].push(rate);
            }
        }
    }
    let medians = latency.each_mut().map(|all| quantile(all, 0.5));
    let tails = latency.each_mut().map(|all| quantile(all, 0.99));
    let rates = throughput.each_mut().map(|all| quantile(all, 0.5));
    println!("{BODY_BYTES} B POST echo, keep-alive     direct    proxy   ratio");
    let line = |what: &str, [direct, proxy]: [f64; 2]| {
        println!("{what:<30} {direct:>9.1} {proxy:>9.1} {:>6.2}x", proxy / direct);
    };
    line("median latency, us", medians);
    line("99th percentile, us", tails);
    line("requests/s, 16 connections", rates);
    let met = if medians[1] <= TARGET_RATIO * medians[0] { "met" } else { "MISSED" };
    println!("target: median at most {TARGET_RATIO}x direct: {met}");
    network.close().await;
    Ok(())
}
