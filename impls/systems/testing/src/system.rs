//! A database of some nodes, with an adapter beside each.

use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use contract::{Answer, ErrorCode, Operation, Outcome, Refusal};
use http_client::{Client, HttpError};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::Process;

/// How long a node may take until it serves: a JVM on a busy machine takes its time.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the tests wait for an answer: longer than adapters for a database.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// So many lines of a log are shown where a node does not start.
const LOG_LINES: usize = 20;

/// What is started.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The script that starts a node of the database.
    pub start: &'a str,
    /// The adapter's program.
    pub adapter: &'a str,
    /// The usual numbers of the node's ports, that of the clients first.
    pub ports: &'a [u16],
    /// How many nodes.
    pub nodes: usize,
    /// Variables of both, beside those that say where everything is.
    pub variables: &'a [(&'a str, &'a str)],
}

/// A database that runs.
#[derive(Debug)]
pub struct System {
    nodes: Vec<Node>,
    client: Client,
    // The last field: processes end before their folder is removed.
    folder: TempDir,
}

#[derive(Debug)]
struct Node {
    start: PathBuf,
    variables: Vec<(String, String)>,
    database: Mutex<Option<Process>>,
    adapter_address: SocketAddr,
    _adapter: Process,
}

impl System {
    /// Starts it and waits until each node serves.
    ///
    /// # Panics
    /// Something does not start; the end of its log is in the message.
    pub async fn start(plan: Plan<'_>) -> Self {
        let folder = TempDir::with_prefix("adapter-test-").expect("a temporary folder");
        // Some servers refuse to run as root and become another user, who must reach the folder.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("the folder is ours");
        let names: Vec<String> = (1..=plan.nodes).map(|number| format!("n{number}")).collect();
        let addresses = free_addresses(plan.nodes * (plan.ports.len() + 1));
        let (adapters, of_nodes) = addresses.split_at(plan.nodes);
        let targets: BTreeMap<&String, BTreeMap<u16, SocketAddr>> = names
            .iter()
            .zip(of_nodes.chunks(plan.ports.len()))
            .map(|(name, own)| {
                (name, plan.ports.iter().copied().zip(own.iter().copied()).collect())
            })
            .collect();
        let nodes = names.iter().zip(adapters).map(|(name, &adapter_address)| {
            let data = folder.path().join(name);
            fs::create_dir(&data).expect("the folder is ours");
            let own = &targets[name];
            let mut peers = targets.clone();
            peers.remove(name);
            let mut variables: Vec<(String, String)> =
                plan.variables.iter().map(|&(name, value)| (name.into(), value.into())).collect();
            variables.extend([
                ("DS_NODE".into(), name.clone()),
                ("DS_MEMBERS".into(), names.join(",")),
                ("DS_LISTEN".into(), own[&plan.ports[0]].to_string()),
                ("DS_PORTS".into(), json!(own).to_string()),
                ("DS_PEERS".into(), json!(peers).to_string()),
                ("DS_DATA".into(), data.display().to_string()),
            ]);
            let mut adapter = Command::new(plan.adapter);
            adapter.envs(plan.variables.iter().copied());
            adapter.env("DS_NODE", name).env("DS_LISTEN", adapter_address.to_string());
            adapter.env("DS_TARGETS", json!(targets).to_string());
            let log = folder.path().join(format!("{name}.adapter.log"));
            let adapter = Process::start(&mut adapter, &log).expect("the adapter starts");
            Node {
                start: plan.start.into(),
                variables,
                database: Mutex::default(),
                adapter_address,
                _adapter: adapter,
            }
        });
        let client = http_client::client(ANSWER_TIMEOUT, 0);
        let system = Self { nodes: nodes.collect(), client, folder };
        for node in 0..plan.nodes {
            system.launch(node);
        }
        for node in 0..plan.nodes {
            system.until_ready(node).await;
        }
        system
    }

    fn launch(&self, node: usize) {
        let Node { start, variables, .. } = &self.nodes[node];
        let mut command = Command::new(start);
        command.envs(variables.iter().cloned());
        let process = Process::start(&mut command, &self.log(node)).expect("the script starts");
        self.set(node, Some(process));
    }

    fn set(&self, node: usize, database: Option<Process>) {
        let mut current = self.nodes[node].database.lock().unwrap_or_else(PoisonError::into_inner);
        *current = database;
    }

    /// How many nodes it has.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    fn log(&self, node: usize) -> PathBuf {
        self.folder.path().join(format!("n{}.log", node + 1))
    }

    /// Kills a node of the database; its adapter goes on.
    pub fn kill(&self, node: usize) {
        self.set(node, None);
    }

    /// Stops a node where it is: connections to it stay, and nothing is answered.
    pub fn stop(&self, node: usize) {
        let database = self.nodes[node].database.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(process) = &*database {
            process.stop();
        }
    }

    /// Starts a killed node again on its data, and waits until it serves.
    pub async fn restart(&self, node: usize) {
        self.launch(node);
        self.until_ready(node).await;
    }

    async fn until_ready(&self, node: usize) {
        let url = format!("http://{}/readyz", self.nodes[node].adapter_address);
        let deadline = Instant::now() + READY_TIMEOUT;
        loop {
            let reason = match http_client::send(self.client.get(&url)).await {
                Ok(answer) if answer.status() == 200 => return,
                Ok(answer) => {
                    let body =
                        http_client::read(answer, ANSWER_BYTES_MAX).await.unwrap_or_default();
                    String::from_utf8_lossy(&body).into_owned()
                }
                Err(error) => error.to_string(),
            };
            if Instant::now() > deadline {
                let log = fs::read_to_string(self.log(node)).unwrap_or_default();
                let end: Vec<&str> = log.lines().rev().take(LOG_LINES).collect();
                let end: Vec<&str> = end.into_iter().rev().collect();
                panic!("n{} does not serve: {reason}\n{}", node + 1, end.join("\n"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks the adapter of a node.
    ///
    /// # Panics
    /// The answer is none of the contract's.
    pub async fn ask(&self, node: usize, operation: &Operation) -> Answer {
        let body = json!({ "client": "c1", "seq": 1, "op": operation }).to_string();
        match self.post(node, body).await {
            Ok((200, answer)) => {
                Answer::Ok(operation.parse_outcome(&answer["ok"]).expect("a right outcome"))
            }
            Ok((status, answer)) => {
                let refusal: Refusal =
                    serde_json::from_value(answer["error"].clone()).expect("a refusal");
                assert_eq!(refusal.code.status(), status, "{refusal:?}");
                Answer::Error(refusal)
            }
            Err(error) => Answer::Error(Refusal::new(ErrorCode::Internal, error.to_string())),
        }
    }

    /// Posts a body to the adapter of a node and returns status and answer.
    ///
    /// # Errors
    /// There is no answer.
    ///
    /// # Panics
    /// The answer is no JSON.
    pub async fn post(&self, node: usize, body: String) -> Result<(u16, Value), HttpError> {
        let url = format!("http://{}/v1/op", self.nodes[node].adapter_address);
        let answer = http_client::send(self.client.post(&url).body(body)).await?;
        let status = answer.status().as_u16();
        let answer = http_client::read(answer, ANSWER_BYTES_MAX).await?;
        Ok((status, serde_json::from_slice(&answer).expect("an answer in JSON")))
    }

    /// The value of a key.
    ///
    /// # Panics
    /// It cannot be read.
    pub async fn get(&self, node: usize, key: &str) -> Option<String> {
        match self.ask(node, &Operation::Get { key: key.to_owned() }).await {
            Answer::Ok(Outcome::Value { value }) => value,
            other => panic!("{key} cannot be read: {other:?}"),
        }
    }
}

/// Addresses that were free a moment ago, all different.
fn free_addresses(count: usize) -> Vec<SocketAddr> {
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    let addresses = listeners.iter().map(|listener| listener.local_addr().expect("an address"));
    addresses.collect()
}
