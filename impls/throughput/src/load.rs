//! Clients that write, one write at a time each.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use contract::Operation;
use http_client::{Connection, StatusCode};
use local_cluster::{Ask, Failure, Store, post};
use serde_json::json;
use tokio::task::JoinSet;

/// So long the clients write before anything is counted.
const WARM_UP: Duration = Duration::from_secs(1);

const ANSWER_BYTES_MAX: usize = 64 << 10;

/// So long may a write take: without faults nothing is as slow.
const LIMIT: Duration = Duration::from_secs(5);

/// What clients do.
pub struct Load {
    /// How many there are.
    pub clients: u64,
    /// The length of a value.
    pub value_bytes: usize,
    /// How long they write.
    pub time: Duration,
}

/// How fast a store was.
pub struct Measured {
    /// Writes a second.
    pub per_second: f64,
    /// The median of their latencies.
    pub median_ms: f64,
    /// The 99th percentile.
    pub high_ms: f64,
}

impl Load {
    /// Writes at this node. An answer other than 200 is an error: without faults there is none.
    pub async fn run(&self, store: &Arc<Store>, leader: SocketAddr) -> Result<Measured, Failure> {
        let begin = Instant::now() + WARM_UP;
        let mut clients = JoinSet::new();
        for number in 0..self.clients {
            let value = "v".repeat(self.value_bytes);
            let client = Client { store: store.clone(), leader, number, value };
            clients.spawn(client.write(begin, begin + self.time));
        }
        let mut latencies_ms = Vec::new();
        for counted in clients.join_all().await {
            latencies_ms.extend(counted?);
        }
        if latencies_ms.is_empty() {
            return Err(format!("{}: no write was answered", store.name()).into());
        }
        latencies_ms.sort_unstable_by(f64::total_cmp);
        let at = |percent: usize| latencies_ms[(latencies_ms.len() - 1) * percent / 100];
        Ok(Measured {
            per_second: latencies_ms.len() as f64 / self.time.as_secs_f64(),
            median_ms: at(50),
            high_ms: at(99),
        })
    }
}

struct Client {
    store: Arc<Store>,
    leader: SocketAddr,
    number: u64,
    value: String,
}

impl Client {
    /// Its `number`-th write.
    fn request(&self, number: u64) -> Result<Ask, Failure> {
        let key = format!("c{}-{}", self.number, number % 100);
        match &*self.store {
            Store::Submission { .. } => {
                let op = Operation::Put { key, value: self.value.clone() };
                let client = format!("c{}", self.number);
                post("/v1/op", &json!(contract::Request { client, seq: number, op }))
            }
            Store::Etcd => {
                let [key, value] = [&key, &self.value].map(|text| BASE64_STANDARD.encode(text));
                post("/v3/kv/put", &json!({ "key": key, "value": value }))
            }
        }
    }

    /// The latencies of the writes that began in this time, in milliseconds.
    async fn write(self, begin: Instant, end: Instant) -> Result<Vec<f64>, Failure> {
        let mut connection = Connection::open(self.leader).await?;
        let mut latencies_ms = Vec::new();
        for number in 1.. {
            let request = self.request(number)?;
            let asked = Instant::now();
            if asked >= end {
                break;
            }
            let exchange = connection.exchange(request, ANSWER_BYTES_MAX);
            let answered = tokio::time::timeout(LIMIT, exchange).await;
            let (status, body) = answered.map_err(|_| format!("no answer within {LIMIT:?}"))??;
            if status != StatusCode::OK {
                let answer = String::from_utf8_lossy(&body).into_owned();
                return Err(format!("{}: a write was refused: {answer}", self.store.name()).into());
            }
            if asked >= begin {
                latencies_ms.push(asked.elapsed().as_secs_f64() * 1000.0);
            }
            if !connection.is_ready().await {
                connection = Connection::open(self.leader).await?;
            }
        }
        Ok(latencies_ms)
    }
}
