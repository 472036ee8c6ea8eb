//! The runtime end to end: toy nodes on loopback, in this process and as processes of their own.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

mod toy;

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use contract::{Launch, NodeId};
use node::{
    Protocol,
    runtime::{RuntimeError, main_from, serve, serve_on},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use toy::{
    Flaw, Toy,
    alarms::{Alarms, EXPECTED},
};

/// Far more than anything here takes: a test that waits for so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two nodes' addresses and folders; the sockets stay bound, so that nobody takes the ports of a node that is down.
struct Cluster {
    folder: TempDir,
    sockets: BTreeMap<NodeId, TcpListener>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), RuntimeError>>,
}

impl Cluster {
    fn new() -> Self {
        let bind = |name: &str| (name.to_owned(), TcpListener::bind("127.0.0.1:0").unwrap());
        let sockets = [bind("n1"), bind("n2")].into();
        Self { folder: tempfile::tempdir().unwrap(), sockets }
    }

    fn address(&self, node: &str) -> SocketAddr {
        self.sockets[node].local_addr().unwrap()
    }

    fn data(&self, node: &str) -> PathBuf {
        self.folder.path().join(node)
    }

    fn launch(&self, node: &str) -> Launch {
        let others = self.sockets.keys().filter(|other| *other != node);
        Launch {
            peers: others.map(|other| (other.clone(), self.address(other))).collect(),
            members: self.sockets.keys().cloned().collect(),
            data: self.data(node),
            restart: self.data(node).exists(),
            ..Launch::alone(node.to_owned(), self.address(node))
        }
    }

    /// Runs a node in a thread with a tokio runtime of its own, with which all its connections end.
    fn start(&self, node: &str) -> Running {
        self.start_with(node, make)
    }

    fn start_with<P: Protocol>(
        &self,
        node: &str,
        make: impl FnOnce(&Launch, Vec<P::Record>) -> P + Send + 'static,
    ) -> Running {
        let (launch, socket) = (self.launch(node), self.sockets[node].try_clone().unwrap());
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                socket.set_nonblocking(true).unwrap();
                let listener = tokio::net::TcpListener::from_std(socket).unwrap();
                let stopped = async { drop(stopped.await) };
                serve_on(listener, launch, make, stopped).await
            })
        });
        Running { stop, thread }
    }

    fn call(&self, node: &str, path: &str, body: &Value) -> (u16, Value) {
        post(self.address(node), path, body.to_string().as_bytes())
    }

    fn append(&self, seq: u64, text: &str) -> (u16, Value) {
        let op = json!({ "type": "append", "key": "x", "value": text });
        self.call("n1", "/v1/op", &json!({ "client": "c1", "seq": seq, "op": op }))
    }

    fn list(&self) -> (u16, Value) {
        let op = json!({ "type": "get", "key": "x" });
        self.call("n1", "/v1/op", &json!({ "client": "c2", "seq": 1, "op": op }))
    }

    fn status(&self, node: &str) -> Value {
        http(self.address(node), "GET", "/v1/status", b"").1
    }
}

impl Running {
    fn stop(self) -> Result<(), RuntimeError> {
        let _ = self.stop.send(());
        self.thread.join().unwrap()
    }
}

fn make(launch: &Launch, records: Vec<toy::Entry>) -> Toy {
    Toy::new(&launch.node, &launch.members, Flaw::None, records)
}

fn value(text: &str) -> (u16, Value) {
    (200, json!({ "ok": { "value": text } }))
}

fn post(address: SocketAddr, path: &str, body: &[u8]) -> (u16, Value) {
    http(address, "POST", path, body)
}

/// One request on one connection; the body as JSON, or as a string where it is none.
fn http(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
    try_http(address, method, path, body).unwrap()
}

fn try_http(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &[u8],
) -> std::io::Result<(u16, Value)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    )?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = serde_json::from_str(body).unwrap_or_else(|_| Value::from(body));
    Ok((status.ok_or(std::io::ErrorKind::InvalidData)?, body))
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: it did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn nodes_answer_clients_and_hear_of_each_other() {
    let cluster = Cluster::new();
    let nodes = [cluster.start("n1"), cluster.start("n2")];
    assert_eq!(cluster.append(1, "a"), value("a"));
    assert_eq!(cluster.append(2, "b"), value("ab"));
    assert_eq!(cluster.append(2, "b"), value("ab"), "a retry");
    assert_eq!(cluster.list(), value("ab"));
    wait_until("n2 hears of both", || cluster.status("n2")["heard"]["n1"] == 2);
    wait_until("n1 hears back", || cluster.status("n1")["heard"]["n2"] == 2);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(http(cluster.address("n2"), "GET", path, b"").0, 200);
    }
    assert!(cluster.status("n1")["log_bytes"].as_u64().unwrap() > 8);
    for node in nodes {
        node.stop().unwrap();
    }
}

#[test]
fn a_refusal_carries_its_status_and_hint() {
    let cluster = Cluster::new();
    let node = cluster.start("n2");
    let op = json!({ "type": "get", "key": "x" });
    let request = json!({ "client": "c1", "seq": 1, "op": op });
    let (status, body) = cluster.call("n2", "/v1/op", &request);
    assert_eq!(
        (status, &body["error"]["code"], &body["error"]["hint"]),
        (421, &json!("not_leader"), &json!("n1"))
    );
    node.stop().unwrap();
}

#[test]
fn a_protocol_answers_requests_of_its_own_and_what_they_persist_is_durable() {
    let cluster = Cluster::new();
    let node = cluster.start("n1");
    let call = |method: &str, path: &str, body: &[u8]| {
        let (status, body) = http(cluster.address("n1"), method, path, body);
        (status, body["ok"].clone(), body["error"]["code"].clone())
    };
    let length = |length: u64| (200, json!({ "length": length }), Value::Null);
    let bad_request = || (400, Value::Null, json!("bad_request"));
    assert_eq!(call("GET", "/v1/length", b""), length(0));
    assert_eq!(call("POST", "/v1/lengthen", b"\"a\""), length(1));
    assert_eq!(call("POST", "/v1/lengthen", b"7"), bad_request());
    assert_eq!(call("POST", "/v1/lengthen", b"{"), bad_request());
    assert_eq!(call("POST", "/v1/lengthen", b""), bad_request());
    assert_eq!(call("GET", "/v1/lengthen", b"").0, 405);
    assert_eq!(call("GET", "/v1/view", b"").0, 404);
    node.stop().unwrap();
    let node = cluster.start("n1");
    assert_eq!(call("GET", "/v1/length", b""), length(1));
    node.stop().unwrap();
}

#[test]
fn a_protocol_that_shows_no_log_says_so() {
    let cluster = Cluster::new();
    let node = cluster.start("n1");
    let ask = |path: &str| http(cluster.address("n1"), "GET", path, b"").0;
    assert_eq!(ask("/v1/log?from=0&to=9"), 501);
    assert_eq!(ask("/v1/log?from=0&to=x"), 400);
    node.stop().unwrap();
}

#[test]
fn a_restarted_node_knows_what_it_acknowledged_and_is_heard_again() {
    let cluster = Cluster::new();
    let peer = cluster.start("n2");
    let first = cluster.start("n1");
    assert_eq!(cluster.append(1, "a"), value("a"));
    first.stop().unwrap();
    let second = cluster.start("n1");
    assert_eq!(cluster.append(1, "a"), value("a"), "the retry of what the first life did");
    assert_eq!(cluster.append(2, "b"), value("ab"));
    wait_until("n2 hears of the second life", || cluster.status("n2")["heard"]["n1"] == 2);
    // Through a compaction, too.
    let put = json!({ "type": "put", "key": "x", "value": "" });
    let request = json!({ "client": "c3", "seq": 1, "op": put });
    assert_eq!(cluster.call("n1", "/v1/op", &request), (200, json!({ "ok": {} })));
    assert_eq!(cluster.append(3, "c"), value("abc"));
    second.stop().unwrap();
    let third = cluster.start("n1");
    assert_eq!(cluster.list(), value("abc"));
    third.stop().unwrap();
    peer.stop().unwrap();
}

#[test]
fn a_node_serves_while_its_peer_is_down_and_reaches_it_later() {
    let cluster = Cluster::new();
    let node = cluster.start("n1");
    for seq in 1..=50 {
        assert_eq!(cluster.append(seq, "a").0, 200);
    }
    let peer = cluster.start("n2");
    wait_until("n2 hears of all", || cluster.status("n2")["heard"]["n1"] == 50);
    node.stop().unwrap();
    peer.stop().unwrap();
}

#[test]
fn a_timer_that_is_set_again_fires_once_and_a_cancelled_one_never() {
    let cluster = Cluster::new();
    let node = cluster.start_with("n1", |_, _| Alarms::default());
    let address = cluster.address("n1");
    wait_until("the last timer", || http(address, "GET", "/readyz", b"").0 == 200);
    assert_eq!(cluster.status("n1")["fired"], json!(EXPECTED));
    node.stop().unwrap();
}

#[test]
fn hostile_bodies_are_refused_and_change_nothing() {
    let cluster = Cluster::new();
    let node = cluster.start("n1");
    let address = cluster.address("n1");
    let deep = "[".repeat(100_000);
    let stranger = json!({ "from": "n9", "message": { "Length": 7 } }).to_string();
    for (path, body) in [
        ("/v1/op", "".as_bytes()),
        ("/v1/op", b"\xFF\xFE"),
        ("/v1/op", deep.as_bytes()),
        ("/v1/op", br#"{"client":"c","seq":1,"op":{"type":"get"}}"#),
        ("/v1/peer", b""),
        ("/v1/peer", br#"{"from":"n2"}"#),
        ("/v1/peer", br#"{"from":"n2","message":{"Nonsense":1}}"#),
        ("/v1/peer", br#"{"from":"n2","message":{"Length":-1}}"#),
        ("/v1/peer", stranger.as_bytes()),
        ("/v1/peer", deep.as_bytes()),
    ] {
        let (status, answer) = post(address, path, body);
        let start = String::from_utf8_lossy(&body[..body.len().min(60)]);
        assert_eq!((status, &answer["error"]["code"]), (400, &json!("bad_request")), "{start}");
    }
    // Refused before it is read, so that the answer may drown in the reset.
    if let Ok((status, answer)) = try_http(address, "POST", "/v1/op", &vec![b' '; 2 << 20]) {
        assert_eq!((status, &answer["error"]["code"]), (400, &json!("bad_request")));
    }
    let fly = br#"{"client":"c","seq":1,"op":{"type":"fly"}}"#;
    let (status, answer) = post(address, "/v1/op", fly);
    assert_eq!((status, &answer["error"]["code"]), (501, &json!("unsupported")));
    assert_eq!(post(address, "/v1/peer", br#"{"from":"n2","message":{"Length":7}}"#).0, 200);
    wait_until("the good message arrives", || cluster.status("n1")["heard"] == json!({ "n2": 7 }));
    assert_eq!(cluster.list(), value(""));
    node.stop().unwrap();
}

/// The headers of the next message to this node, which does not run.
fn next_headers(socket: &TcpListener) -> BTreeMap<String, String> {
    socket.set_nonblocking(false).unwrap();
    let (mut stream, _) = socket.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let header =
        |line: &str| line.split_once(": ").map(|(name, value)| (name.into(), value.into()));
    head.lines().filter_map(header).collect()
}

#[test]
fn messages_carry_clocks_that_go_on_through_restarts_whatever_peers_send() {
    let cluster = Cluster::new();
    let node = cluster.start("n1");
    let address = cluster.address("n1");
    let huge = format!("x-ds-vector: {{{}\"n2\":9}}", " ".repeat(4096));
    for (at, headers) in [
        "x-ds-lamport: 1000\r\nx-ds-vector: {\"n2\":7,\"n9\":1}",
        "x-ds-lamport: -1\r\nx-ds-vector: {\"n2\":",
        "x-ds-lamport: 18446744073709551615\r\nx-ds-vector: {\"n2\":18446744073709551615}",
        &huge,
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "from": "n2", "message": { "Length": at } }).to_string();
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        let head = format!(
            "POST /v1/peer HTTP/1.1\r\nhost: n1\r\n{headers}\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        wait_until("it is taken", || cluster.status("n1")["heard"]["n2"] == at);
    }
    let clocks = || {
        let headers = next_headers(&cluster.sockets["n2"]);
        let vector: BTreeMap<String, u64> = serde_json::from_str(&headers["x-ds-vector"]).unwrap();
        (headers["x-ds-lamport"].parse::<u64>().unwrap(), vector["n1"], vector)
    };
    // Messages from before are not answered, and each is tried on a connection of its own.
    let mut first = clocks();
    while first.0 < 1000 {
        first = clocks();
    }
    assert_eq!((first.2.len(), first.2["n2"]), (2, 7), "{first:?}");
    assert!(first.0 < 100_000, "no nonsense was taken in: {first:?}");
    node.stop().unwrap();
    let node = cluster.start("n1");
    let mut second = clocks();
    while second.1 < 1 << 32 {
        second = clocks();
    }
    assert!(second.0 > first.0 && second.1 > first.1, "{first:?} {second:?}");
    assert_eq!(second.2["n2"], 7, "{second:?}");
    node.stop().unwrap();
}

#[test]
fn a_failed_write_is_never_acknowledged_and_ends_the_node() {
    let cluster = Cluster::new();
    let node = cluster.start("n1");
    assert_eq!(cluster.append(1, "a"), value("a"));
    std::fs::remove_dir_all(cluster.data("n1")).unwrap();
    let put = json!({ "type": "put", "key": "x", "value": "" });
    let request = json!({ "client": "c3", "seq": 1, "op": put }).to_string();
    // The connection may end before the answer is out; an answer must be an indefinite refusal.
    if let Ok((status, answer)) =
        try_http(cluster.address("n1"), "POST", "/v1/op", request.as_bytes())
    {
        assert_eq!((status, &answer["error"]["code"]), (500, &json!("internal")));
    }
    let error = node.thread.join().unwrap().unwrap_err();
    assert!(matches!(error, RuntimeError::Wal(_)), "{error}");
}

#[test]
fn a_taken_address_is_a_clear_error() {
    let cluster = Cluster::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let result = runtime.block_on(serve(cluster.launch("n1"), make, std::future::pending()));
    let error = result.unwrap_err().to_string();
    assert!(error.starts_with("cannot bind DS_LISTEN=127.0.0.1:"), "{error}");
}

/// Set where this program plays a node instead of running tests.
const NODE_FLAG: &str = "TOY_NODE";

/// Not a test: the `main` of the processes below, whose exit code is the node's.
#[test]
fn node_main() {
    if std::env::var_os(NODE_FLAG).is_some() {
        let code = main_from(&[], make);
        std::process::exit(i32::from(code != std::process::ExitCode::SUCCESS));
    }
}

/// A node in a process of its own, killed when the test ends.
struct Process(Child);

impl Process {
    fn start(address: SocketAddr, data: &Path) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "node_main", "--nocapture"])
            .env(NODE_FLAG, "1")
            .env("DS_NODE", "n1")
            .env("DS_LISTEN", address.to_string())
            .env("DS_DATA", data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let process = Self(child);
        wait_until("the node is ready", || {
            try_http(address, "GET", "/readyz", b"").is_ok_and(|(status, _)| status == 200)
        });
        process
    }

    fn signal(mut self, name: &str) -> ExitStatus {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "SIG{name} does not end the node");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address to bind later. Nobody else uses this part of the loopback network, so its port stays free.
fn free_address() -> SocketAddr {
    let [.., high, low] = std::process::id().to_be_bytes();
    let socket = TcpListener::bind((std::net::Ipv4Addr::new(127, 77, high, low), 0)).unwrap();
    socket.local_addr().unwrap()
}

#[test]
fn a_process_survives_sigkill_with_what_it_acknowledged_and_ends_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let append = |seq: u64| {
        let op = json!({ "type": "append", "key": "x", "value": seq.to_string() });
        let request = json!({ "client": "c1", "seq": seq, "op": op });
        post(address, "/v1/op", request.to_string().as_bytes())
    };
    let first = Process::start(address, folder.path());
    assert_eq!(append(1), value("1"));
    assert_eq!(append(2), value("12"));
    assert!(!first.signal("KILL").success());
    let second = Process::start(address, folder.path());
    assert_eq!(append(3), value("123"));
    // A connection that idles must not hold up the end.
    let idle = TcpStream::connect(address).unwrap();
    assert!(second.signal("TERM").success());
    drop(idle);
}
