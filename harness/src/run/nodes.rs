//! The nodes of a run: their launch, their processes, and what the nemesis may do to them.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use cluster::{NodeProcess, NodeSpec, Stopped, ready::Readiness};
use contract::NodeId;
use tokio::{sync::Mutex, time::Instant};

use super::connection;
use crate::exit::Failure;

/// How long a node may take to bind.
const BIND_LIMIT: Duration = Duration::from_secs(10);
/// How long the store may take until its nodes call themselves ready.
const READY_LIMIT: Duration = Duration::from_secs(20);
/// How long a node has to end after SIGTERM.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// All nodes of a run.
pub struct Nodes {
    slots: BTreeMap<NodeId, Mutex<Slot>>,
    listens: BTreeMap<NodeId, SocketAddr>,
    introspect: bool,
}

struct Slot {
    spec: NodeSpec,
    process: Option<NodeProcess>,
    /// Whether the process is supposed to be running.
    wanted: bool,
}

impl Nodes {
    /// Nothing runs yet. `specs` come with the address each node listens on.
    #[must_use]
    pub fn new(specs: Vec<(NodeSpec, SocketAddr)>, introspect: bool) -> Self {
        let listens = specs.iter().map(|(spec, listen)| (spec.id.clone(), *listen)).collect();
        let slot = |spec: NodeSpec| {
            (spec.id.clone(), Mutex::new(Slot { spec, process: None, wanted: false }))
        };
        Self { slots: specs.into_iter().map(|(spec, _)| slot(spec)).collect(), listens, introspect }
    }

    /// Starts every node and waits until each one is bound and ready.
    ///
    /// # Errors
    /// One clear sentence on the first node that does not start, ends, answers garbage or never gets ready.
    pub async fn start_all(&self) -> Result<(), Failure> {
        for slot in self.slots.values() {
            slot.lock().await.start().await.map_err(Failure::Broken)?;
        }
        self.wait_for("/healthz", BIND_LIMIT).await?;
        self.wait_for("/readyz", READY_LIMIT).await
    }

    async fn wait_for(&self, path: &str, limit: Duration) -> Result<(), Failure> {
        let deadline = Instant::now() + limit;
        for (id, slot) in &self.slots {
            let slot = slot.lock().await;
            let Some(process) = &slot.process else { continue };
            let left = deadline.saturating_duration_since(Instant::now());
            let readiness = cluster::ready::wait_ready(self.listens[id], path, process, left).await;
            if let Some(complaint) = complaint(id, path, limit, &readiness) {
                let tail = cluster::logs::tail(&slot.spec.stderr, 2000).unwrap_or_default();
                let tail = tail.trim_end();
                let tail = if tail.is_empty() {
                    String::new()
                } else {
                    format!("\nIts log ends with:\n{tail}")
                };
                return Err(Failure::Broken(format!("{complaint}{tail}")));
            }
        }
        Ok(())
    }

    /// Kills a node's whole process tree.
    ///
    /// # Errors
    /// Why nothing was killed.
    pub async fn kill(&self, id: &str) -> Result<(), String> {
        let mut slot = self.slot(id)?.lock().await;
        slot.wanted = false;
        let process = slot.process.take().ok_or("was not running")?;
        let was_running = process.exit().is_none();
        let gone = process.kill().await.map_err(|error| error.to_string())?;
        match (was_running, gone) {
            (true, true) => Ok(()),
            (false, _) => Err("had ended by itself before".to_owned()),
            (true, false) => Err("is still alive after SIGKILL".to_owned()),
        }
    }

    /// Starts a killed node again on its data.
    ///
    /// # Errors
    /// Why it did not start.
    pub async fn start_again(&self, id: &str) -> Result<(), String> {
        let mut slot = self.slot(id)?.lock().await;
        slot.become_restart();
        slot.start().await
    }

    /// Stops a node's whole process tree for a while.
    ///
    /// # Errors
    /// Why it was not seen to stop.
    pub async fn pause(&self, id: &str) -> Result<(), String> {
        let slot = self.slot(id)?.lock().await;
        let process = slot.process.as_ref().ok_or("was not running")?;
        let stopped = process.pause().await.map_err(|error| error.to_string())?;
        if stopped { Ok(()) } else { Err("was not seen to stop".to_owned()) }
    }

    /// Continues a paused node; nothing to do where it was killed meanwhile.
    ///
    /// # Errors
    /// Why it was not seen to continue.
    pub async fn resume(&self, id: &str) -> Result<(), String> {
        let slot = self.slot(id)?.lock().await;
        let Some(process) = &slot.process else { return Ok(()) };
        let continued = process.resume().await.map_err(|error| error.to_string())?;
        if continued { Ok(()) } else { Err("was not seen to continue".to_owned()) }
    }

    /// Undoes every process fault, whatever the nemesis thought it did: continues all and, where `restart` allows
    /// it, starts those that are down. Says what did not work.
    pub async fn heal_all(&self, restart: bool) -> Vec<String> {
        let mut complaints = Vec::new();
        for (id, slot) in &self.slots {
            let mut slot = slot.lock().await;
            let ended = slot.process.as_ref().is_none_or(|process| process.exit().is_some());
            let healed = if !ended {
                match &slot.process {
                    Some(process) => {
                        process.resume().await.map(drop).map_err(|error| error.to_string())
                    }
                    None => Ok(()),
                }
            } else if restart {
                slot.become_restart();
                slot.start().await
            } else {
                Ok(())
            };
            complaints.extend(healed.err().map(|reason| format!("{id}: {reason}")));
        }
        complaints
    }

    /// The nodes that ended although nobody killed them, each told once.
    pub async fn unexpected_exits(&self) -> Vec<String> {
        let mut ended = Vec::new();
        for (id, slot) in &self.slots {
            let mut slot = slot.lock().await;
            let exit = slot.process.as_ref().and_then(NodeProcess::exit);
            if let Some(exit) = exit.filter(|_| slot.wanted) {
                slot.wanted = false;
                ended.push(format!("Node {id} ended by itself ({exit}); see its log."));
            }
        }
        ended
    }

    /// The node that says it leads, by the highest term; `None` where the store does not tell.
    pub async fn leader(&self) -> Option<NodeId> {
        if !self.introspect {
            return None;
        }
        let mut best: Option<(u64, NodeId)> = None;
        for (id, address) in &self.listens {
            let Ok((_, body)) =
                connection::get(*address, "/v1/status", Duration::from_millis(150)).await
            else {
                continue;
            };
            let status: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            let term = status["term"].as_u64().unwrap_or(0);
            if status["role"] == "leader" && best.as_ref().is_none_or(|(other, _)| term > *other) {
                best = Some((term, id.clone()));
            }
        }
        best.map(|(_, id)| id)
    }

    /// Ends every node: SIGTERM first, then SIGKILL. Says what a person should know about how they ended.
    pub async fn stop_all(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut running = Vec::new();
        for (id, slot) in &self.slots {
            let mut slot = slot.lock().await;
            slot.wanted = false;
            running.extend(slot.process.take().map(|process| (id.clone(), process)));
        }
        let mut ending = tokio::task::JoinSet::new();
        for (id, process) in running {
            ending.spawn(async move { (id, process.stop(STOP_GRACE).await) });
        }
        while let Some(ended) = ending.join_next().await {
            match ended {
                Ok((id, stopped)) => notes.extend(manners(&id, &stopped)),
                Err(error) => notes.push(format!("Stopping a node failed: {error}.")),
            }
        }
        notes.sort();
        notes
    }

    fn slot(&self, id: &str) -> Result<&Mutex<Slot>, String> {
        self.slots.get(id).ok_or_else(|| format!("there is no node {id}"))
    }
}

impl Slot {
    async fn start(&mut self) -> Result<(), String> {
        let process = NodeProcess::start(&self.spec).await.map_err(|error| error.to_string())?;
        self.process = Some(process);
        self.wanted = true;
        Ok(())
    }

    fn become_restart(&mut self) {
        for (name, value) in &mut self.spec.environment {
            if name == "DS_RESTART" {
                "1".clone_into(value);
            }
        }
    }
}

fn manners(id: &str, stopped: &Stopped) -> Vec<String> {
    let mut notes = Vec::new();
    if stopped.ignored_sigterm {
        notes.push(format!(
            "Node {id} ignored SIGTERM for {} s and was killed.",
            STOP_GRACE.as_secs()
        ));
    }
    if stopped.daemons > 0 {
        notes.push(format!(
            "Node {id} left {} processes behind, which were killed.",
            stopped.daemons
        ));
    }
    if !stopped.gone {
        notes.push(format!("Node {id} was not seen to end, not even after SIGKILL."));
    }
    notes
}

fn complaint(id: &str, path: &str, limit: Duration, readiness: &Readiness) -> Option<String> {
    let seconds = limit.as_secs();
    match readiness {
        Readiness::Ready => None,
        Readiness::Exited(exit) => Some(format!("node {id} ended while it was starting ({exit}).")),
        Readiness::TimedOut { last } if path == "/healthz" => Some(format!(
            "node {id} did not answer GET {path} on its DS_LISTEN within {seconds} s ({last})."
        )),
        Readiness::TimedOut { last } => {
            Some(format!("node {id} never got ready: GET {path} for {seconds} s ({last})."))
        }
        Readiness::Redirected { status, location } => Some(format!(
            "node {id} answers GET {path} with a redirect ({status} to \"{location}\"); redirects are not followed."
        )),
        Readiness::NotHttp { first_bytes } => Some(format!(
            "node {id} does not speak HTTP: GET {path} was answered with \"{first_bytes}\"."
        )),
    }
}
