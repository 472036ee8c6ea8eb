//! The nodes of a run: their launch, their processes, and what the nemesis may do to them.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use cluster::{NodeProcess, NodeSpec, Stopped, ready::Readiness};
use contract::NodeId;
use http_client::Client;
use record::OwnExit;
use tokio::{sync::Mutex, task::JoinSet};

use crate::exit::Failure;

/// How long a node may take to bind.
const BIND_LIMIT: Duration = Duration::from_secs(10);
/// How long the store may take until its nodes call themselves ready.
const READY_LIMIT: Duration = Duration::from_secs(15);
/// How long a node may take to tell its status: who leads must be known while it still does.
const STATUS_LIMIT: Duration = Duration::from_millis(150);
/// A longer status is not read.
const STATUS_BYTES_MAX: usize = 2 << 20;
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
    state: State,
}

/// What a node is supposed to be doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not started yet, or stopped at the end of the run.
    Off,
    /// Running, perhaps paused.
    Running,
    /// Killed by the nemesis.
    Killed,
    /// Ended though nobody killed it, which has been told.
    Ended,
}

/// Why a node did not start.
#[derive(Clone, Debug)]
pub struct NotStarted {
    /// For people.
    pub reason: String,
    /// Whether the submission is to blame, rather than the bench or the machine.
    pub submissions_fault: bool,
}

impl Nodes {
    /// Nothing runs yet. `specs` come with the address each node listens on.
    #[must_use]
    pub fn new(specs: Vec<(NodeSpec, SocketAddr)>, introspect: bool) -> Self {
        let listens = specs.iter().map(|(spec, listen)| (spec.id.clone(), *listen)).collect();
        let slot = |spec: NodeSpec| {
            (spec.id.clone(), Mutex::new(Slot { spec, process: None, state: State::Off }))
        };
        Self { slots: specs.into_iter().map(|(spec, _)| slot(spec)).collect(), listens, introspect }
    }

    /// Starts every node and waits until each one is bound and ready.
    ///
    /// # Errors
    /// One clear sentence on the first node that does not start, ends, answers garbage or never gets ready.
    pub async fn start_all(self: &Arc<Self>) -> Result<(), Failure> {
        for slot in self.slots.values() {
            slot.lock().await.start().await.map_err(|trouble| match trouble.submissions_fault {
                true => Failure::Broken(trouble.reason),
                false => Failure::Failed(trouble.reason),
            })?;
        }
        self.wait_until_bound().await?;
        self.wait_for("/readyz", READY_LIMIT).await
    }

    /// Waits until every running node answers at all.
    ///
    /// # Errors
    /// One clear sentence on the first node that does not.
    pub async fn wait_until_bound(self: &Arc<Self>) -> Result<(), Failure> {
        self.wait_for("/healthz", BIND_LIMIT).await
    }

    /// All nodes at once: the first trouble is told, not the first node's.
    async fn wait_for(
        self: &Arc<Self>,
        path: &'static str,
        limit: Duration,
    ) -> Result<(), Failure> {
        let mut waiting = JoinSet::new();
        for id in self.slots.keys() {
            let (nodes, id) = (Arc::clone(self), id.clone());
            waiting.spawn(async move { nodes.wait_for_one(&id, path, limit).await });
        }
        while let Some(waited) = waiting.join_next().await {
            waited.map_err(|error| Failure::Failed(error.to_string()))??;
        }
        Ok(())
    }

    async fn wait_for_one(&self, id: &str, path: &str, limit: Duration) -> Result<(), Failure> {
        let slot = self.slots[id].lock().await;
        let Some(process) = slot.process.as_ref().filter(|_| slot.state == State::Running) else {
            return Ok(());
        };
        let readiness = cluster::ready::wait_ready(self.listens[id], path, process, limit).await;
        let Some(complaint) = complaint(id, path, limit, &readiness) else { return Ok(()) };
        if !readiness.is_submissions_fault() {
            return Err(Failure::Failed(format!("the supervisor of node {id} vanished")));
        }
        let tail = cluster::logs::tail(&slot.spec.stderr, 2000).unwrap_or_default();
        let tail = match tail.trim_end() {
            "" => String::new(),
            tail => format!("\nIts log ends with:\n{tail}"),
        };
        Err(Failure::Broken(format!("{complaint}{tail}")))
    }

    /// Kills a node's whole process tree.
    ///
    /// # Errors
    /// Why nothing was killed.
    pub async fn kill(&self, id: &str) -> Result<(), String> {
        let mut slot = self.slot(id)?.lock().await;
        let Slot { process, state, .. } = &mut *slot;
        let process = process.as_ref().ok_or("was not running")?;
        if let Some(exit) = process.exit() {
            return Err(format!("had ended by itself before ({exit})"));
        }
        *state = State::Killed;
        let gone = process.kill().await.map_err(|error| error.to_string())?;
        if gone { Ok(()) } else { Err("is still alive after SIGKILL".to_owned()) }
    }

    /// Starts a node that the nemesis killed again on its data; nothing to do where it runs.
    ///
    /// # Errors
    /// Why it did not start, and whose fault that is.
    pub async fn start_again(&self, id: &str) -> Result<(), NotStarted> {
        let slot =
            self.slot(id).map_err(|reason| NotStarted { reason, submissions_fault: false })?;
        slot.lock().await.start_again().await
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
    /// it, starts those that were killed. Nodes that ended by themselves stay down: reviving them would hide it.
    pub async fn heal_all(&self, restart: bool) -> Vec<NotStarted> {
        let mut troubles = Vec::new();
        for slot in self.slots.values() {
            let mut slot = slot.lock().await;
            match slot.state {
                State::Killed if restart => troubles.extend(slot.start_again().await.err()),
                State::Running => {
                    if let Some(process) = &slot.process {
                        // Where it cannot be continued it has ended, which is told as such.
                        let _ = process.resume().await;
                    }
                }
                State::Off | State::Killed | State::Ended => {}
            }
        }
        troubles
    }

    /// The nodes that ended although nobody killed them, each told once.
    pub async fn own_exits(&self) -> Vec<OwnExit> {
        let mut ended = Vec::new();
        for (id, slot) in &self.slots {
            let mut slot = slot.lock().await;
            let exit = slot.process.as_ref().and_then(NodeProcess::exit);
            if let Some(exit) = exit.filter(|_| slot.state == State::Running) {
                slot.state = State::Ended;
                let killed = matches!(
                    exit,
                    cluster::Exit::Signal(libc::SIGKILL | libc::SIGTERM) | cluster::Exit::Lost
                );
                ended.push(OwnExit { node: id.clone(), exit: exit.to_string(), killed });
            }
        }
        ended
    }

    /// The node that says it leads, by the highest term; `None` where the store does not tell.
    pub async fn leader(&self) -> Option<NodeId> {
        if !self.introspect {
            return None;
        }
        // A connection for each question: what the faults do to others cannot matter.
        let client = http_client::client(STATUS_LIMIT, 0);
        let mut asking = JoinSet::new();
        for (id, address) in self.listens.clone() {
            let client = client.clone();
            asking.spawn(async move { Some((leading_term(&client, address).await?, id)) });
        }
        let leaders = asking.join_all().await;
        leaders.into_iter().flatten().max().map(|(_, id)| id)
    }

    /// Ends every node: SIGTERM first, then SIGKILL. Says what a person should know about how they ended.
    pub async fn stop_all(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut running = Vec::new();
        for (id, slot) in &self.slots {
            let mut slot = slot.lock().await;
            slot.state = State::Off;
            running.extend(slot.process.take().map(|process| (id.clone(), process)));
        }
        let mut ending = JoinSet::new();
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
    /// Starts the process; one that is still there is ended first, for two would fight over a port and a log.
    async fn start(&mut self) -> Result<(), NotStarted> {
        if let Some(old) = self.process.take() {
            // An error says that it is gone already.
            let _ = old.kill().await;
        }
        let process = NodeProcess::start(&self.spec).await.map_err(|error| NotStarted {
            submissions_fault: error.is_submissions_fault(),
            reason: format!("node {} did not start: {error}", self.spec.id),
        })?;
        self.process = Some(process);
        self.state = State::Running;
        Ok(())
    }

    async fn start_again(&mut self) -> Result<(), NotStarted> {
        if self.state != State::Killed {
            return Ok(());
        }
        for (name, value) in &mut self.spec.environment {
            if name == "DS_RESTART" {
                "1".clone_into(value);
            }
        }
        self.start().await
    }
}

/// The term in which the node at `address` says it leads.
async fn leading_term(client: &Client, address: SocketAddr) -> Option<u64> {
    let request = client.get(format!("http://{address}/v1/status"));
    let response = http_client::send(request).await.ok()?;
    let body = http_client::read(response, STATUS_BYTES_MAX).await.ok()?;
    let status: serde_json::Value = serde_json::from_slice(&body).ok()?;
    (status["role"] == "leader").then(|| status["term"].as_u64().unwrap_or(0))
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
