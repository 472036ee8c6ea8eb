//! The processes of a store, three in each group, which end with this one.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_client::{Connection, StatusCode};
use nix::{sys::signal::Signal, unistd::Pid};
use serde_json::Value;
use store_client::Servers;
use tempfile::TempDir;

use crate::{Ask, CONTROLLERS, Failure, Node, Store};

/// The nodes of a group.
const NODES: usize = 3;

/// So long may a cluster take to be ready.
const READY: Duration = Duration::from_secs(20);

/// An answer about the state of a node is no longer.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// So long may a node take to answer about its state.
const ANSWER: Duration = Duration::from_secs(2);

/// The nodes of a store that runs.
#[derive(Debug)]
pub struct Cluster<'s> {
    store: &'s Store,
    nodes: Vec<Node>,
    processes: Vec<Child>,
    /// With their data.
    _folder: TempDir,
}

impl<'s> Cluster<'s> {
    /// Starts three nodes, with their data in a folder of its own in this one, and waits until each is ready.
    ///
    /// # Errors
    /// A node does not start, or is not ready in time.
    pub async fn start(store: &'s Store, data: &Path) -> Result<Self, Failure> {
        Self::start_groups(store, &[String::new()], data).await
    }

    /// The same with three nodes in each of these groups.
    pub(crate) async fn start_groups(
        store: &'s Store,
        groups: &[String],
        data: &Path,
    ) -> Result<Self, Failure> {
        let data = data.canonicalize().map_err(|error| format!("{}: {error}", data.display()))?;
        let folder = TempDir::with_prefix_in("throughput-", data)?;
        let count = NODES * groups.len();
        let addresses = free_addresses(2 * count)?;
        let node = |at: usize| {
            let name = format!("n{}", at + 1);
            let data = folder.path().join(&name);
            let group = groups[at / NODES].clone();
            Node { name, group, client: addresses[at], peer: addresses[count + at], data }
        };
        let nodes: Vec<Node> = (0..count).map(node).collect();
        let mut cluster = Self { store, nodes, processes: Vec::new(), _folder: folder };
        for node in &cluster.nodes {
            std::fs::create_dir(&node.data)?;
            let mut command = store.command(node, &cluster.nodes);
            let stderr = File::create(stderr_of(node))?;
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
            ends_with_its_parent(&mut command);
            let started = command.spawn();
            let started =
                started.map_err(|error| format!("{} does not start: {error}", store.name()))?;
            cluster.processes.push(started);
        }
        let begin = Instant::now();
        for at in 0..count {
            while !cluster.is_ready(at).await {
                cluster.goes_on(begin)?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(cluster)
    }

    /// Whether there is something to wait for.
    fn goes_on(&mut self, begin: Instant) -> Result<(), Failure> {
        let store = self.store.name();
        for (node, process) in self.nodes.iter().zip(&mut self.processes) {
            if let Some(status) = process.try_wait()? {
                let said = std::fs::read_to_string(stderr_of(node)).unwrap_or_default();
                let last = said.lines().last().unwrap_or("nothing");
                let name = &node.name;
                return Err(format!(
                    "{store}: {name} ended by itself ({status}); its stderr ends with: {last}"
                )
                .into());
            }
        }
        if begin.elapsed() > READY {
            return Err(format!("{store} is not ready after {READY:?}").into());
        }
        Ok(())
    }

    async fn is_ready(&self, node: usize) -> bool {
        let Ok(request) = self.store.is_ready() else { return false };
        ask(self.nodes[node].client, request).await.is_some()
    }

    /// The nodes, and the ids of their processes.
    pub fn processes(&self) -> impl Iterator<Item = (&Node, u32)> {
        self.nodes.iter().zip(self.processes.iter().map(Child::id))
    }

    /// Whom clients ask.
    #[must_use]
    pub fn servers(&self) -> Servers {
        self.servers_at(|node| node.client)
    }

    /// The same, where each node is reached at another address than its own.
    pub fn servers_at(&self, address: impl Fn(&Node) -> SocketAddr) -> Servers {
        let (controllers, nodes): (Vec<_>, Vec<_>) =
            self.nodes.iter().partition(|node| node.group == CONTROLLERS);
        let at = |nodes: Vec<&Node>| -> Vec<_> {
            nodes.into_iter().map(|node| (node.name.clone(), address(node))).collect()
        };
        Servers::sharded(at(nodes), at(controllers))
    }

    /// Kills this node, which is none of the cluster's from then on.
    ///
    /// # Errors
    /// There is no such node, or it cannot be killed.
    pub fn kill(&mut self, name: &str) -> Result<(), Failure> {
        let place = self.nodes.iter().position(|node| node.name == name);
        let place = place.ok_or_else(|| format!("there is no node {name} to kill"))?;
        self.nodes.remove(place);
        let mut process = self.processes.remove(place);
        let killed = process.kill();
        process.wait()?;
        Ok(killed?)
    }

    /// The node that leads this group; the group of a store without shards is named by the empty string.
    ///
    /// # Errors
    /// None does in time, or a node ended by itself.
    pub async fn leader(&mut self, group: &str) -> Result<Node, Failure> {
        let begin = Instant::now();
        loop {
            for node in self.nodes.iter().filter(|node| node.group == group) {
                let answer = ask(node.client, self.store.who_leads()?).await;
                let answer = answer.and_then(|body| serde_json::from_slice(&body).ok());
                if answer.is_some_and(|answer: Value| self.store.leads(&answer)) {
                    return Ok(node.clone());
                }
            }
            self.goes_on(begin)?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // With whatever it started, and whether it still runs or not.
            let group = Pid::from_raw(process.id().cast_signed());
            let _ = nix::sys::signal::killpg(group, Signal::SIGKILL);
            let _ = process.wait();
        }
    }
}

/// What a node prints goes beside its data.
fn stderr_of(node: &Node) -> PathBuf {
    node.data.with_extension("stderr")
}

/// The body of its answer, where that comes in time and is a 200.
async fn ask(address: SocketAddr, request: Ask) -> Option<Bytes> {
    let exchange = async {
        let mut connection = Connection::open(address).await.ok()?;
        connection.exchange(request, ANSWER_BYTES_MAX).await.ok()
    };
    let (status, body) = tokio::time::timeout(ANSWER, exchange).await.ok()??;
    (status == StatusCode::OK).then_some(body)
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
    command.process_group(0);
    #[cfg(target_os = "linux")]
    // SAFETY: between fork and exec only `prctl` is called, which is async-signal-safe and allocates nothing.
    unsafe {
        command.pre_exec(|| nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(Into::into));
    }
}
