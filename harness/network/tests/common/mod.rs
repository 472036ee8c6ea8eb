//! A tiny upstream that remembers what it executed, and a client that speaks by hand.
#![allow(dead_code)] // Each test file uses its part.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use network::{LinkCounters, LinkSpec, MessageFaults, Network, Trace};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// No step of a test takes this long unless it hangs.
pub const LIMIT: Duration = Duration::from_secs(20);
/// Long enough for what is not stopped to arrive.
pub const MOMENT: Duration = Duration::from_millis(80);

/// What the upstream saw, in order: `connection`, the path of each request as it is executed, `end` of a connection.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|l| *l == line).count()
    }

    fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }
}

/// Answers each POST with its own body; for the path `/slow` it works a while and logs whether it `finished`.
pub struct Upstream {
    pub address: SocketAddr,
    pub log: Log,
    _accepting: JoinSet<()>,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Log::default();
        let mut accepting = JoinSet::new();
        let seen = log.clone();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                seen.add("connection");
                connections.spawn(answer(stream, seen.clone()));
            }
        });
        Self { address, log, _accepting: accepting }
    }
}

async fn answer(mut stream: TcpStream, log: Log) {
    loop {
        match read_message(&mut stream).await {
            Some((head, body)) => {
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                log.add(path.clone());
                match path.as_str() {
                    "/slow" if !works(&stream).await => return log.add("abandoned"),
                    "/slow" => log.add("finished"),
                    _ => {}
                }
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
            }
            None => return log.add("end"),
        }
    }
}

/// Works for a while; `false` if the sender's end came first: as common servers do, this one then gives up.
async fn works(stream: &TcpStream) -> bool {
    let mut next = [0];
    tokio::select! {
        () = tokio::time::sleep(MOMENT) => true,
        // A pipelined request is no end.
        Ok(0) | Err(_) = stream.peek(&mut next) => false,
    }
}

/// Head and body of one message with Content-Length.
pub async fn read_message(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    if length > 1 << 20 {
        return None;
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((head, body))
}

pub fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: n2\r\nX-DS-Type: Test\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// One connection of a client.
pub struct Client(pub TcpStream);

impl Client {
    pub async fn dial(network: &Network, from: &str, to: &str) -> Self {
        let stream = TcpStream::connect(network.address(from, to).unwrap()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The next answer's body; `None` when the connection ended.
    pub async fn answer(&mut self) -> Option<String> {
        let message = tokio::time::timeout(LIMIT, read_message(&mut self.0)).await.expect("hangs");
        message.map(|(_, body)| String::from_utf8(body).unwrap())
    }

    /// Whether neither an answer nor an end has come.
    pub async fn has_heard_nothing(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(5), self.0.peek(&mut [0])).await.is_err()
    }

    /// Whether the connection ends by a reset.
    pub async fn is_reset(&mut self) -> bool {
        let read = tokio::time::timeout(LIMIT, self.0.read(&mut [0])).await.expect("hangs");
        read.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset)
    }
}

/// Two nodes with upstreams, every link between them and from the clients.
pub struct Bench {
    pub network: Network,
    pub n1: Upstream,
    pub n2: Upstream,
}

impl Bench {
    pub async fn open() -> Self {
        Self::traced(None).await
    }

    pub async fn traced(trace: Option<Trace>) -> Self {
        let (n1, n2) = (Upstream::start().await, Upstream::start().await);
        let link =
            |from: &str, to: &str, upstream: &Upstream| LinkSpec::here(from, to, upstream.address);
        let links = vec![
            link("n1", "n2", &n2),
            link("n2", "n1", &n1),
            link("clients", "n1", &n1),
            link("clients", "n2", &n2),
        ];
        let network = Network::open(links, 1, trace).await.unwrap();
        Self { network, n1, n2 }
    }

    /// A connection from n1 to n2, in use already.
    pub async fn connection(&self) -> Client {
        self.connection_of("n1", "n2").await
    }

    pub async fn connection_of(&self, from: &str, to: &str) -> Client {
        let mut client = Client::dial(&self.network, from, to).await;
        client.send(post("/hello", "hello")).await;
        assert_eq!(client.answer().await.as_deref(), Some("hello"));
        client
    }

    /// Whether neither an answer nor an end comes for a while. The positive control: meanwhile requests of others went
    /// through the same proxy and were answered, so there was time enough.
    pub async fn hears_nothing(&self, client: &mut Client) -> bool {
        self.a_while().await;
        client.has_heard_nothing().await
    }

    /// So long that the proxy carried some requests and answers on a link that no test touches.
    pub async fn a_while(&self) {
        let mut control = self.connection_of("clients", "n1").await;
        for _ in 0..5 {
            tokio::time::sleep(MOMENT / 5).await;
            control.send(post("/control", "1")).await;
            assert_eq!(control.answer().await.as_deref(), Some("1"));
        }
    }

    pub fn faults(&self, faults: MessageFaults) {
        self.network.set_faults("n1", "n2", faults);
    }

    /// The counters of n1 → n2.
    pub fn counters(&self) -> LinkCounters {
        self.counters_of("n1", "n2")
    }

    pub fn counters_of(&self, from: &str, to: &str) -> LinkCounters {
        let all = self.network.counters();
        all.into_iter().find(|(f, t, _)| f == from && t == to).unwrap().2
    }

    pub async fn close(self) {
        self.network.close().await;
    }
}

/// Waits until `condition` holds.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}
