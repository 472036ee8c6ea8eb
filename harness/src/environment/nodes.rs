//! All nodes of a run together, and what the nemesis may do to them.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use cluster::NodeSpec;
use contract::{NodeId, launch::VIEW_SERVICE, manifest::Timeouts};
use http_client::Client;
use network::End;
use record::{Footprint, OwnExit};
use tokio::{sync::Mutex, task::JoinSet, time::Instant};

use super::{
    footprint,
    node::{Node, NotStarted, State, shutdown_notes},
};
use crate::exit::Failure;

/// How long a node may take to say its status: who leads must be known while it still does.
const STATUS_LIMIT: Duration = Duration::from_millis(150);
/// One look whether a node that was started again answers.
const LOOK: Duration = Duration::from_millis(50);
/// A longer status is not read.
const STATUS_BYTES_MAX: usize = 2 << 20;

/// A program that answers for a node.
pub struct Speaker {
    /// How it is started.
    pub spec: NodeSpec,
    /// Its node.
    pub node: NodeId,
    /// Where that one listens.
    pub port: End,
    /// Where it listens itself.
    pub listen: SocketAddr,
}

/// All nodes of a run.
pub struct Nodes {
    nodes: BTreeMap<NodeId, Mutex<Node>>,
    listens: BTreeMap<NodeId, SocketAddr>,
    /// The programs that speak for them, where they do not themselves. Nothing breaks these.
    speakers: Vec<(Mutex<Node>, SocketAddr)>,
    timeouts: Timeouts,
    introspect: bool,
}

impl Nodes {
    /// Nothing runs yet. `specs` come with the address each node listens on; `introspect`: nodes can be asked who leads.
    #[must_use]
    pub fn new(specs: Vec<(NodeSpec, SocketAddr)>, timeouts: Timeouts, introspect: bool) -> Self {
        let listens = specs.iter().map(|(spec, listen)| (spec.id.clone(), *listen)).collect();
        let node = |spec: NodeSpec| (spec.id.clone(), Mutex::new(Node::new(spec)));
        let nodes = specs.into_iter().map(|(spec, _)| node(spec)).collect();
        Self { nodes, listens, speakers: Vec::new(), timeouts, introspect }
    }

    /// Programs that are started before the nodes, and speak the contract for them.
    #[must_use]
    pub fn spoken_for_by(mut self, speakers: Vec<Speaker>) -> Self {
        for Speaker { spec, node, port, listen } in speakers {
            if let Some(node) = self.nodes.remove(&node) {
                let spoken_for = node.into_inner().spoken_for(port);
                self.nodes.insert(spoken_for.id().to_owned(), Mutex::new(spoken_for));
            }
            self.speakers.push((Mutex::new(Node::new(spec)), listen));
        }
        self
    }

    /// The nodes' ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = &NodeId> {
        self.nodes.keys()
    }

    /// Where these nodes listen.
    #[must_use]
    pub fn addresses(&self, ids: &[NodeId]) -> Vec<(NodeId, SocketAddr)> {
        ids.iter().filter_map(|id| Some((id.clone(), *self.listens.get(id)?))).collect()
    }

    /// Starts every node and waits until each one is bound and ready.
    ///
    /// # Errors
    /// One clear sentence on the first node that does not start, ends, answers garbage or never gets ready.
    pub async fn start_all(self: &Arc<Self>) -> Result<(), Failure> {
        for (speaker, listen) in &self.speakers {
            let mut speaker = speaker.lock().await;
            speaker.start().await.map_err(not_started)?;
            speaker.wait_for("/healthz", *listen, self.timeouts.bind()).await?;
        }
        for node in self.nodes.values() {
            node.lock().await.start().await.map_err(not_started)?;
        }
        self.wait_until_bound().await?;
        self.wait_for("/readyz", self.timeouts.ready()).await
    }

    /// Starts a node as if it had never run, without data, and waits until it is bound and ready.
    ///
    /// # Errors
    /// As for all nodes.
    pub async fn start_anew(&self, id: &str) -> Result<(), Failure> {
        let mut node = self.node(id).map_err(Failure::Failed)?.lock().await;
        node.start_anew().await.map_err(not_started)?;
        let listen = self.listens[id];
        node.wait_for("/healthz", listen, self.timeouts.bind()).await?;
        node.wait_for("/readyz", listen, self.timeouts.ready()).await
    }

    /// Waits until every running node answers at all.
    ///
    /// # Errors
    /// One clear sentence on the first node that does not.
    pub async fn wait_until_bound(self: &Arc<Self>) -> Result<(), Failure> {
        self.wait_for("/healthz", self.timeouts.bind()).await
    }

    /// All nodes at once: the error is that of the node that fails first.
    async fn wait_for(
        self: &Arc<Self>,
        path: &'static str,
        limit: Duration,
    ) -> Result<(), Failure> {
        let mut waiting = JoinSet::new();
        for id in self.ids() {
            let (nodes, id) = (Arc::clone(self), id.clone());
            waiting.spawn(async move {
                let node = nodes.nodes[&id].lock().await;
                node.wait_for(path, nodes.listens[&id], limit).await
            });
        }
        // Others may need longer than the one that fails.
        let mut outcome = Ok(());
        while let Some(waited) = waiting.join_next().await {
            let waited = waited.map_err(|error| Failure::Failed(error.to_string()));
            outcome = outcome.and(waited.and_then(|waited| waited));
        }
        outcome
    }

    /// Kills a node's whole process tree.
    ///
    /// # Errors
    /// Why nothing was killed.
    pub async fn kill(&self, id: &str) -> Result<(), String> {
        self.node(id)?.lock().await.kill().await
    }

    /// Which other nodes are down, or were killed and have not been seen ready since.
    pub async fn away_besides(&self, id: &str) -> Vec<NodeId> {
        let mut away = Vec::new();
        for (other, node) in self.nodes.iter().filter(|(other, _)| *other != id) {
            if node.lock().await.is_away(self.listens[other], LOOK).await {
                away.push(other.clone());
            }
        }
        away
    }

    /// Starts a node that the nemesis killed again on its data; nothing to do where it runs.
    ///
    /// # Errors
    /// Why it did not start, and whose fault that is.
    pub async fn start_again(&self, id: &str) -> Result<(), NotStarted> {
        let node =
            self.node(id).map_err(|reason| NotStarted { reason, submissions_fault: false })?;
        node.lock().await.start_again().await
    }

    /// Starts servers that ended by themselves once more on their data, and waits until they are ready, have ended again, or took
    /// too long: which were ready, or why one could not be started.
    pub async fn start_after_their_ends(&self) -> Vec<Result<(NodeId, bool), NotStarted>> {
        let mut outcomes = Vec::new();
        for (id, node) in self.nodes.iter().filter(|(id, _)| *id != VIEW_SERVICE) {
            let started = node.lock().await.start_after_its_end(self.listens[id]).await;
            outcomes.extend(started.map(|started| started.map(|()| (id.clone(), false))));
        }
        let started = outcomes.iter().flatten().map(|(id, _)| id.clone());
        self.wait_until_ready(&started.collect::<Vec<_>>()).await;
        for (id, ready) in outcomes.iter_mut().flatten() {
            *ready = !self.nodes[id].lock().await.is_away(self.listens[id], LOOK).await;
        }
        outcomes
    }

    /// Waits until these nodes, which were started again, answer, but no longer than a start may take.
    pub async fn wait_until_answer(&self, ids: &[String]) {
        let deadline = Instant::now() + self.timeouts.bind();
        for id in ids {
            let (Ok(node), Some(listen)) = (self.node(id), self.listens.get(id)) else { continue };
            // In short looks: between them others may pause or kill it.
            while Instant::now() < deadline && !node.lock().await.answers(*listen, LOOK).await {
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// Waits until these nodes, which were started again, are ready, but no longer than that may take after a start.
    pub async fn wait_until_ready(&self, ids: &[String]) {
        let deadline = Instant::now() + self.timeouts.ready();
        for id in ids {
            let (Ok(node), Some(listen)) = (self.node(id), self.listens.get(id)) else { continue };
            while Instant::now() < deadline && !node.lock().await.is_back(*listen, LOOK).await {
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// Stops a node's whole process tree for a while.
    ///
    /// # Errors
    /// Why it was not seen to stop.
    pub async fn pause(&self, id: &str) -> Result<(), String> {
        self.node(id)?.lock().await.pause().await
    }

    /// Continues a paused node; nothing to do where it was killed meanwhile.
    ///
    /// # Errors
    /// Why it was not seen to continue.
    pub async fn resume(&self, id: &str) -> Result<(), String> {
        self.node(id)?.lock().await.resume().await
    }

    /// Undoes every process fault, whatever the nemesis thought it did: continues all and, where `restart` allows
    /// it, starts those that were killed.
    pub async fn revive(&self, restart: bool) -> Vec<NotStarted> {
        let mut troubles = Vec::new();
        for node in self.nodes.values() {
            troubles.extend(node.lock().await.revive(restart).await.err());
        }
        troubles
    }

    /// The nodes that ended although nobody killed them, each said once.
    pub async fn own_exits(&self) -> Vec<OwnExit> {
        let mut ended = Vec::new();
        for node in self.nodes.values() {
            ended.extend(node.lock().await.own_exit());
        }
        ended
    }

    /// The programs that speak for nodes and ended, each said once.
    pub async fn lost_speakers(&self) -> Vec<OwnExit> {
        let mut ended = Vec::new();
        for (speaker, _) in &self.speakers {
            ended.extend(speaker.lock().await.own_exit());
        }
        ended
    }

    /// Whether nodes can be asked who leads.
    #[must_use]
    pub fn can_say_who_leads(&self) -> bool {
        self.introspect
    }

    /// The one of these that says it leads, by the highest term; `None` where none says so.
    pub async fn leader_among(&self, nodes: &[NodeId]) -> Option<NodeId> {
        if !self.introspect {
            return None;
        }
        // A connection for each question: what the faults do to others cannot matter.
        let client = http_client::client(STATUS_LIMIT, 0);
        let mut asking = JoinSet::new();
        for id in nodes.iter().cloned() {
            let (client, address) = (client.clone(), self.listens[&id]);
            asking.spawn(async move { Some((leading_term(&client, address).await?, id)) });
        }
        let leaders = asking.join_all().await;
        leaders.into_iter().flatten().max().map(|(_, id)| id)
    }

    /// Gives the nodes another `DS_SNAPSHOT_BYTES`, from their next start on.
    pub async fn limit_logs(&self, bytes: u64) {
        for node in self.nodes.values() {
            node.lock().await.limit_log(bytes);
        }
    }

    /// Gives every other life of a node this `DS_SNAPSHOT_BYTES`, from its next start on: a store must bear a crash with a
    /// snapshot and a short log as well as one with a long log.
    pub async fn alternate_log_limits(&self, bytes: u64) {
        for node in self.nodes.values() {
            node.lock().await.alternate_log_limit(bytes);
        }
    }

    /// What each node is supposed to be doing, and what it says of itself, in the order of their ids. `None` of one that
    /// does not say anything in time.
    pub async fn statuses(&self) -> Vec<(NodeId, State, Option<serde_json::Value>)> {
        let client = http_client::client(STATUS_LIMIT, 0);
        let mut asking = JoinSet::new();
        for (id, node) in &self.nodes {
            let state = node.lock().await.state();
            let (id, client, address) = (id.clone(), client.clone(), self.listens[id]);
            let asked = self.introspect && state == State::Running;
            asking.spawn(async move {
                let says = if asked { status(&client, address).await } else { None };
                (id, state, says)
            });
        }
        let mut statuses = asking.join_all().await;
        statuses.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        statuses
    }

    /// How many nodes are killed.
    pub async fn killed(&self) -> usize {
        let mut killed = 0;
        for node in self.nodes.values() {
            killed += usize::from(node.lock().await.state() == State::Killed);
        }
        killed
    }

    /// What each node occupies now, in the order of their ids.
    pub async fn footprints(self: &Arc<Self>) -> Vec<Footprint> {
        let mut measuring = JoinSet::new();
        for id in self.ids() {
            let (nodes, id) = (Arc::clone(self), id.clone());
            measuring.spawn(async move { nodes.footprint(id).await });
        }
        let mut footprints = measuring.join_all().await;
        footprints.sort_by(|one, other| one.node.cmp(&other.node));
        footprints
    }

    async fn footprint(&self, id: NodeId) -> Footprint {
        let (data, memory_bytes) = {
            let node = self.nodes[&id].lock().await;
            (node.data_folder(), node.memory_bytes().await)
        };
        let data_bytes = tokio::task::spawn_blocking(move || footprint::folder_bytes(&data?));
        let log_bytes = match self.introspect {
            true => status(&http_client::client(STATUS_LIMIT, 0), self.listens[&id]).await,
            false => None,
        };
        Footprint {
            data_bytes: data_bytes.await.ok().flatten(),
            log_bytes: log_bytes.and_then(|status| status["log_bytes"].as_u64()),
            memory_bytes,
            node: id,
        }
    }

    /// Ends every node: SIGTERM first, then SIGKILL. Says what a person should know about how they ended.
    pub async fn stop_all(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut ending = JoinSet::new();
        let grace = self.timeouts.stop();
        for (id, node) in &self.nodes {
            if let Some(process) = node.lock().await.switch_off() {
                let id = id.clone();
                ending.spawn(async move { (id, process.stop(grace).await) });
            }
        }
        while let Some(ended) = ending.join_next().await {
            match ended {
                Ok((id, stopped)) => notes.extend(shutdown_notes(&id, &stopped, grace)),
                Err(error) => notes.push(format!("Stopping a node failed: {error}.")),
            }
        }
        for (speaker, _) in &self.speakers {
            if let Some(process) = speaker.lock().await.switch_off() {
                process.stop(grace).await;
            }
        }
        notes.sort();
        notes
    }

    fn node(&self, id: &str) -> Result<&Mutex<Node>, String> {
        self.nodes.get(id).ok_or_else(|| format!("there is no node {id}"))
    }
}

fn not_started(trouble: NotStarted) -> Failure {
    match trouble.submissions_fault {
        true => Failure::Broken(trouble.reason),
        false => Failure::Failed(trouble.reason),
    }
}

/// The term in which the node at `address` says it leads, or its view where it says that it is the primary.
async fn leading_term(client: &Client, address: SocketAddr) -> Option<u64> {
    let status = status(client, address).await?;
    let leads = ["leader", "primary"].iter().any(|role| status["role"] == *role);
    leads.then(|| status["term"].as_u64().unwrap_or(0))
}

/// What the node at `address` says of itself.
async fn status(client: &Client, address: SocketAddr) -> Option<serde_json::Value> {
    let request = client.get(format!("http://{address}/v1/status"));
    let response = http_client::send(request).await.ok()?;
    let body = http_client::read(response, STATUS_BYTES_MAX).await.ok()?;
    serde_json::from_slice(&body).ok()
}
