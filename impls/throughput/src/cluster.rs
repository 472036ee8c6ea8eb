//! Three processes, which end with this one.

use std::{
    net::{SocketAddr, TcpListener},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_client::{Connection, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    Failure,
    store::{Ask, Node, Store},
};

const NODES: usize = 3;

/// So long may a cluster take to be ready.
const READY: Duration = Duration::from_secs(20);

/// An answer about the state of a node is no longer.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The nodes of a store that runs.
pub struct Cluster<'s> {
    store: &'s Store,
    nodes: Vec<Node>,
    processes: Vec<Child>,
    /// With their data.
    _folder: TempDir,
}

impl<'s> Cluster<'s> {
    /// Starts it and waits until each node is ready.
    pub async fn start(store: &'s Store) -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        let addresses = free_addresses(2 * NODES)?;
        let node = |at: usize| {
            let name = format!("n{}", at + 1);
            let data = folder.path().join(&name);
            Node { name, client: addresses[at], peer: addresses[NODES + at], data }
        };
        let nodes: Vec<Node> = (0..NODES).map(node).collect();
        let mut cluster = Self { store, nodes, processes: Vec::new(), _folder: folder };
        for node in &cluster.nodes {
            std::fs::create_dir(&node.data)?;
            let mut command = store.command(node, &cluster.nodes);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            ends_with_its_parent(&mut command);
            let started = command.spawn();
            let started =
                started.map_err(|error| format!("{} does not start: {error}", store.name()))?;
            cluster.processes.push(started);
        }
        let begin = Instant::now();
        for node in &cluster.nodes {
            while !cluster.is_ready(node).await {
                if begin.elapsed() > READY {
                    let store = store.name();
                    return Err(
                        format!("{store}: {} is not ready after {READY:?}", node.name).into()
                    );
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(cluster)
    }

    async fn is_ready(&self, node: &Node) -> bool {
        let Ok(request) = self.store.is_ready() else { return false };
        matches!(ask(node.client, request).await, Ok((StatusCode::OK, _)))
    }

    /// The address of the node that leads.
    pub async fn leader(&self) -> Result<SocketAddr, Failure> {
        let begin = Instant::now();
        while begin.elapsed() < READY {
            for node in &self.nodes {
                let answer = ask(node.client, self.store.who_leads()?).await;
                let answer = answer.ok().and_then(|(_, body)| serde_json::from_slice(&body).ok());
                if answer.is_some_and(|answer: Value| self.store.leads(&answer)) {
                    return Ok(node.client);
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("{}: no node says that it leads", self.store.name()).into())
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // It has ended already, or it ends now.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

async fn ask(address: SocketAddr, request: Ask) -> Result<(StatusCode, Bytes), Failure> {
    Connection::open(address).await?.exchange(request, ANSWER_BYTES_MAX).await
}

/// Addresses that nobody listens at.
fn free_addresses(count: usize) -> std::io::Result<Vec<SocketAddr>> {
    let listeners = (0..count).map(|_| TcpListener::bind("127.0.0.1:0"));
    let listeners = listeners.collect::<std::io::Result<Vec<_>>>()?;
    listeners.iter().map(TcpListener::local_addr).collect()
}

/// However this process ends, the command does not outlive it; elsewhere than on Linux only if it ends in order.
#[allow(unsafe_code)]
fn ends_with_its_parent(command: &mut Command) {
    #[cfg(target_os = "linux")]
    // SAFETY: between fork and exec only `prctl` is called, which is async-signal-safe and allocates nothing.
    unsafe {
        command.pre_exec(|| {
            nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).map_err(Into::into)
        });
    }
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}
