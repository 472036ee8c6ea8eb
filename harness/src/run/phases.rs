//! The phases of a run: set up → ready → main → stop the faults → recovered? → quiesce → final reads → stop.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cluster::{NodeSpec, ports};
use contract::{Launch, NodeId, manifest::Capability};
use network::{LinkSpec, Network, Trace};
use results::files;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::Instant,
};
use workloads::{Client, Workload};

use super::{
    clerk::{Clerk, Misuse, Patience, Performed, ProtocolErrors, Shared},
    folder::Folder,
    judge::MAIN,
    nodes::Nodes,
    stream::{Stream, marks},
};
use crate::{
    exit::Failure,
    nemesis::{
        Family,
        execute::{CLIENTS, Nemesis},
        plan::{PlanInput, PlannedFault, plan},
    },
    target::Target,
};

/// How long the store may take for the operations before the main phase, where nothing is broken.
const SETUP_LIMIT: Duration = Duration::from_secs(15);
/// How long healing may take.
const HEAL_LIMIT: Duration = Duration::from_secs(5);
/// How long the store may take to serve again after everything was healed.
const RECOVERY_LIMIT: Duration = Duration::from_secs(8);
/// How long all final reads together may take.
const FINAL_LIMIT: Duration = Duration::from_secs(4);
/// More than one broken answer to so many good ones: the record says nothing about the store any more.
const BROKEN_SHARE: u64 = 10;
/// What is still on its way gets this long to arrive before the final reads.
const QUIESCE: Duration = Duration::from_millis(300);
/// More messages than this are counted but not written down.
const TRACE_RECORDS_MAX: u64 = 200_000;
/// The timing hints every node gets.
const HEARTBEAT: Duration = Duration::from_millis(50);
const ELECTION: Duration = Duration::from_millis(300);
/// Logs are compacted early, so that compaction is tested.
const SNAPSHOT_BYTES: u64 = 65_536;

/// What a run is made of.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The nodes' ids.
    pub nodes: Vec<NodeId>,
    /// Closed-loop clerks.
    pub clients: u32,
    /// Operations a second over all of them.
    pub rate: Option<f64>,
    /// Decides workload and plan.
    pub seed: u64,
    /// The families of faults.
    pub families: Vec<Family>,
    /// From fault to fault within a family.
    pub interval: Duration,
    /// Length of the main phase.
    pub time_limit: Duration,
}

/// Runs `workload` against `target` into `folder`; `progress` shows it to a person.
///
/// # Errors
/// A broken submission, or a failure of the harness or machine. Whatever was recorded until then is in the folder.
pub async fn execute(
    setting: &Setting,
    target: &Target,
    workload: &dyn Workload,
    folder: &Folder,
    progress: super::progress::Progress,
) -> Result<(), Failure> {
    let mut readers = folder.readers()?;
    readers.push(Box::new(progress));
    let (stream, reading) = Stream::start(readers)?;
    let outcome = match Stage::build(setting, target, folder, Arc::clone(&stream)).await {
        Ok(stage) => {
            let outcome = tokio::select! {
                outcome = stage.play(workload) => outcome,
                () = record_broke(&reading) => Ok(()),
                _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
            };
            stage.strike().await;
            outcome
        }
        Err(failure) => Err(failure),
    };
    drop(stream);
    let written = tokio::task::spawn_blocking(move || reading.join()).await;
    match written {
        Ok(Ok(Ok(()))) => outcome,
        Ok(Ok(Err(error))) => {
            Err(Failure::Failed(format!("the record could not be written: {error}")))
        }
        Ok(Err(_)) | Err(_) => {
            Err(Failure::Failed("the thread that writes the record panicked".to_owned()))
        }
    }
}

/// Returns once the thread that writes the record has ended, which it does early only after an error.
async fn record_broke(reading: &std::thread::JoinHandle<std::io::Result<()>>) {
    while !reading.is_finished() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Everything that stands while a run is on.
struct Stage<'a> {
    setting: &'a Setting,
    can_restart: bool,
    shared: Arc<Shared>,
    nodes: Arc<Nodes>,
    network: Arc<Network>,
    _ports: Vec<ports::Reservation>,
}

impl<'a> Stage<'a> {
    async fn build(
        setting: &'a Setting,
        target: &Target,
        folder: &Folder,
        stream: Arc<Stream>,
    ) -> Result<Self, Failure> {
        let reserved = ports::reserve(setting.nodes.len())?;
        let listens: HashMap<NodeId, _> = setting
            .nodes
            .iter()
            .cloned()
            .zip(reserved.iter().map(ports::Reservation::address))
            .collect();
        let link = |from: &str, to: &NodeId| LinkSpec {
            from: from.to_owned(),
            to: to.clone(),
            upstream: listens[to],
        };
        let mut links: Vec<LinkSpec> = setting.nodes.iter().map(|to| link(CLIENTS, to)).collect();
        for from in &setting.nodes {
            links.extend(setting.nodes.iter().filter(|to| *to != from).map(|to| link(from, to)));
        }
        let trace = Trace::create(
            folder.path().join(files::MESSAGES),
            stream.start_time(),
            TRACE_RECORDS_MAX,
        )?;
        let network = Arc::new(Network::open(links, setting.seed, Some(trace)).await?);
        let specs = setting
            .nodes
            .iter()
            .map(|id| node_spec(id, setting, target, folder, &network, listens[id]));
        let specs = specs.collect::<Result<Vec<_>, Failure>>()?;
        let can = |capability| target.manifest.can(capability);
        let nodes = Arc::new(Nodes::new(specs, can(Capability::Introspect)));
        let address =
            |id: &NodeId| network.address(CLIENTS, id).map(|address| (id.clone(), address));
        let shared = Arc::new(Shared {
            stream,
            nodes: setting.nodes.clone(),
            addresses: setting.nodes.iter().filter_map(address).collect(),
            clerks: u64::from(setting.clients) + 1,
            patience: Patience::default(),
            misuse: Misuse::default(),
            protocol_errors: ProtocolErrors::default(),
            successes: AtomicU64::new(0),
            last_answer: Mutex::new(None),
        });
        Ok(Self {
            setting,
            can_restart: can(Capability::Restart),
            shared,
            nodes,
            network,
            _ports: reserved,
        })
    }

    async fn play(&self, workload: &dyn Workload) -> Result<(), Failure> {
        let stream = &self.shared.stream;
        let starvation = watch_starvation();
        stream.mark(marks::PHASE, "ready");
        self.nodes.start_all().await?;
        stream.mark(marks::PHASE, "setup");
        let mut usher = Clerk::new(
            Arc::clone(&self.shared),
            u64::from(self.setting.clients),
            self.setting.seed,
        );
        self.set_up(&mut usher, workload).await?;
        self.main(workload).await;
        stream.mark(marks::PHASE, "recovery");
        let recovered = self.recovered(&mut usher, workload).await;
        stream.mark(marks::RECOVERED, recovered);
        stream.mark(marks::PHASE, "quiesce");
        tokio::time::sleep(QUIESCE).await;
        stream.mark(marks::PHASE, "final");
        if recovered {
            self.final_reads(&mut usher, workload).await;
        }
        stream.mark(marks::STARVED, starvation.longest_ms());
        self.tell_oddities().await
    }

    async fn set_up(&self, usher: &mut Clerk, workload: &dyn Workload) -> Result<(), Failure> {
        let deadline = Instant::now() + SETUP_LIMIT;
        for operation in workload.setup() {
            while usher.perform(&operation).await.outcome().is_none() {
                if Instant::now() >= deadline || !self.shared.protocol_errors.examples().is_empty()
                {
                    return Err(Failure::Broken(self.why_nothing_works(operation.name())));
                }
            }
        }
        Ok(())
    }

    fn why_nothing_works(&self, operation: &str) -> String {
        match self.shared.protocol_errors.examples().into_iter().next() {
            Some((example, _)) => {
                format!("its answer to `{operation}` breaks the contract: {example}")
            }
            None => format!(
                "with nothing broken, no `{operation}` succeeded within {} s of its nodes being ready",
                SETUP_LIMIT.as_secs()
            ),
        }
    }

    async fn main(&self, workload: &dyn Workload) {
        let (stop, stopped) = watch::channel(false);
        let stream = &self.shared.stream;
        let faults = self.plan();
        for fault in &faults {
            stream.fault(fault.planned_record());
        }
        stream.mark(marks::PHASE, MAIN);
        let begin = Instant::now();
        let mut clerks = self.start_clerks(workload, &stopped);
        let nemesis = Nemesis {
            shared: Arc::clone(&self.shared),
            nodes: Arc::clone(&self.nodes),
            network: Arc::clone(&self.network),
        };
        let nemesis = tokio::spawn(nemesis.run(faults, begin, stopped));
        self.watch_nodes(begin + self.setting.time_limit).await;
        stream.mark(marks::PHASE, "heal");
        stop.send_replace(true);
        self.heal(nemesis).await;
        while clerks.join_next().await.is_some() {}
    }

    fn plan(&self) -> Vec<PlannedFault> {
        plan(&PlanInput {
            seed: self.setting.seed,
            families: &self.setting.families,
            nodes: &self.setting.nodes,
            interval: self.setting.interval,
            time_limit: self.setting.time_limit,
            can_restart: self.can_restart,
        })
    }

    fn start_clerks(
        &self,
        workload: &dyn Workload,
        stopped: &watch::Receiver<bool>,
    ) -> JoinSet<()> {
        let mut clerks = JoinSet::new();
        let pace = self
            .setting
            .rate
            .map(|rate| Duration::from_secs_f64(f64::from(self.setting.clients) / rate));
        for number in 0..self.setting.clients {
            let clerk = Clerk::new(Arc::clone(&self.shared), u64::from(number), self.setting.seed);
            let client = workload.client(self.setting.seed, number);
            clerks.spawn(closed_loop(clerk, client, pace, stopped.clone()));
        }
        clerks
    }

    /// Waits for the end of the main phase; tells of nodes that end meanwhile though nobody killed them.
    async fn watch_nodes(&self, end: Instant) {
        while Instant::now() < end {
            tokio::time::sleep_until(end.min(Instant::now() + Duration::from_millis(200))).await;
            for note in self.nodes.unexpected_exits().await {
                self.shared.stream.mark(marks::NOTE, note);
            }
        }
    }

    /// Stops the faults, always: the nemesis heals what it started, and then everything is healed once more.
    async fn heal(&self, mut nemesis: JoinHandle<()>) {
        if tokio::time::timeout(HEAL_LIMIT, &mut nemesis).await.is_err() {
            nemesis.abort();
            self.shared.stream.mark(marks::NOTE, "The nemesis did not finish healing in time.");
        }
        self.network.open_all_gates();
        self.network.clear_faults();
        self.shared.misuse.on.store(false, Ordering::Relaxed);
        for complaint in self.nodes.heal_all(self.can_restart).await {
            self.shared.stream.mark(marks::NOTE, format!("A node did not come back: {complaint}."));
        }
    }

    async fn recovered(&self, usher: &mut Clerk, workload: &dyn Workload) -> bool {
        let deadline = Instant::now() + RECOVERY_LIMIT;
        let Some(probe) = workload.final_reads().into_iter().next() else { return true };
        while Instant::now() < deadline {
            if matches!(usher.perform(&probe).await, Performed::Ok(_)) {
                return true;
            }
        }
        false
    }

    async fn final_reads(&self, usher: &mut Clerk, workload: &dyn Workload) {
        let deadline = Instant::now() + FINAL_LIMIT;
        for node in 0..self.setting.nodes.len() {
            for read in workload.final_reads() {
                if Instant::now() >= deadline {
                    return;
                }
                usher.move_home(node);
                usher.perform(&read).await;
            }
        }
    }

    /// Puts into the record what a person should know; a store that keeps breaking the contract is broken.
    async fn tell_oddities(&self) -> Result<(), Failure> {
        for note in self.nodes.unexpected_exits().await {
            self.shared.stream.mark(marks::NOTE, note);
        }
        for (example, count) in self.shared.protocol_errors.examples() {
            self.shared
                .stream
                .mark(marks::NOTE, format!("{count} answers broke the contract: {example}."));
        }
        let broken = self.shared.protocol_errors.total();
        if broken * BROKEN_SHARE <= self.shared.successes.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(Failure::Broken(self.why_nothing_works("operation")))
    }

    /// Takes the stage down; what is odd about how the nodes end goes into the record too.
    async fn strike(self) {
        self.shared.stream.mark(marks::PHASE, "stop");
        self.network.open_all_gates();
        for note in self.nodes.stop_all().await {
            self.shared.stream.mark(marks::NOTE, note);
        }
        if let Some(network) = Arc::into_inner(self.network) {
            let summary = network.close().await;
            if let Some(error) = summary.error {
                self.shared
                    .stream
                    .mark(marks::NOTE, format!("The message trace is incomplete: {error}."));
            }
        }
    }
}

fn node_spec(
    id: &NodeId,
    setting: &Setting,
    target: &Target,
    folder: &Folder,
    network: &Network,
    listen: std::net::SocketAddr,
) -> Result<(NodeSpec, std::net::SocketAddr), Failure> {
    let place = folder.node(id);
    let data = place.join("data");
    std::fs::create_dir_all(&data)?;
    let peer = |other: &NodeId| network.address(id, other).map(|address| (other.clone(), address));
    let launch = Launch {
        node: id.clone(),
        listen,
        peers: setting.nodes.iter().filter_map(peer).collect(),
        members: setting.nodes.clone(),
        data,
        heartbeat: HEARTBEAT,
        election: ELECTION,
        snapshot_bytes: Some(SNAPSHOT_BYTES),
        restart: false,
    };
    let environment =
        launch.to_variables().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let spec = NodeSpec {
        id: id.clone(),
        argv: target.argv()?,
        folder: target.folder.clone(),
        environment,
        stdout: place.join("stdout.log"),
        stderr: place.join("stderr.log"),
        limits: cluster::Limits::default(),
        sandbox: None,
        shim: cluster::shim::this_executable()?,
    };
    Ok((spec, listen))
}

/// One client until it is stopped; the operation it is in comes to its end.
async fn closed_loop(
    mut clerk: Clerk,
    mut client: Box<dyn Client>,
    pace: Option<Duration>,
    mut stopped: watch::Receiver<bool>,
) {
    while !*stopped.borrow() {
        let begun = Instant::now();
        let operation = client.next();
        let performed = clerk.perform(&operation).await;
        client.completed(&operation, performed.outcome());
        if let Some(pace) = pace {
            // Cut short by the end of the main phase.
            let _ = tokio::time::timeout_at(begun + pace, stopped.wait_for(|stop| *stop)).await;
        }
    }
    clerk.retire().await;
}

/// Measures how late this very program is: on a starved machine nothing can be said about liveness.
struct Starvation {
    longest_ms: Arc<AtomicU64>,
    watching: JoinHandle<()>,
}

fn watch_starvation() -> Starvation {
    let longest_ms = Arc::new(AtomicU64::new(0));
    let longest = Arc::clone(&longest_ms);
    let watching = tokio::spawn(async move {
        let nap = Duration::from_millis(50);
        loop {
            let asleep = Instant::now();
            tokio::time::sleep(nap).await;
            let late = asleep.elapsed().saturating_sub(nap);
            longest
                .fetch_max(u64::try_from(late.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    });
    Starvation { longest_ms, watching }
}

impl Starvation {
    fn longest_ms(&self) -> u64 {
        self.longest_ms.load(Ordering::Relaxed)
    }
}

impl Drop for Starvation {
    fn drop(&mut self) {
        self.watching.abort();
    }
}
