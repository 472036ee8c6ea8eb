//! Everything that stands while a run is on: ports, links, nodes, and what the clerks share.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cluster::{NodeSpec, ports};
use contract::{Launch, NodeId, manifest::Capability};
use network::{LinkSpec, Network, Trace};
use record::{Folder, Mark, Phase, files};
use tokio::time::timeout;

use super::{
    clerk::{Misuse, Patience, ProtocolErrors, Shared},
    nodes::{Nodes, NotStarted},
    phases::Setting,
    stream::Stream,
};
use crate::{exit::Failure, nemesis::act::CLIENTS, target::Target};

/// More messages than this are counted but not written down.
const TRACE_RECORDS_MAX: u64 = 200_000;
/// The timing hints every node gets.
const HEARTBEAT: Duration = Duration::from_millis(50);
const ELECTION: Duration = Duration::from_millis(300);
/// Logs are compacted early, so that compaction is tested.
const SNAPSHOT_BYTES: u64 = 65_536;
/// Nothing takes longer to take down; what does is left to the supervisors, which end with this program.
const STRIKE_LIMIT: Duration = Duration::from_secs(20);

/// What a run plays on.
pub struct Stage {
    /// Whether killed nodes may be started again on their data.
    pub can_restart: bool,
    /// What the clerks share.
    pub shared: Arc<Shared>,
    /// The processes.
    pub nodes: Arc<Nodes>,
    /// The links.
    pub network: Arc<Network>,
    _ports: Vec<ports::Reservation>,
}

impl Stage {
    /// Reserves ports, opens links and prepares the nodes' folders; no node runs yet.
    ///
    /// # Errors
    /// What the machine did not give, or a program that is not there.
    pub async fn build(
        setting: &Setting,
        target: &Target,
        folder: &Folder,
        stream: Arc<Stream>,
    ) -> Result<Self, Failure> {
        let reserved = ports::reserve(setting.nodes.len())?;
        let addresses = reserved.iter().map(ports::Reservation::address);
        let listens: HashMap<NodeId, SocketAddr> =
            setting.nodes.iter().cloned().zip(addresses).collect();
        let path = folder.path().join(files::MESSAGES);
        let trace = Trace::create(path, stream.start_time(), TRACE_RECORDS_MAX)?;
        let network =
            Arc::new(Network::open(links(setting, &listens), setting.seed, Some(trace)).await?);
        let specs = setting.nodes.iter().map(|id| {
            let launch = launch(id, setting, folder, &network, listens[id]);
            Ok((node_spec(&launch, target, folder)?, listens[id]))
        });
        let specs = specs.collect::<Result<Vec<_>, Failure>>()?;
        let can = |capability| target.manifest.can(capability);
        let nodes = Arc::new(Nodes::new(specs, can(Capability::Introspect)));
        let shared = Arc::new(share(setting, &network, stream));
        Ok(Self { can_restart: can(Capability::Restart), shared, nodes, network, _ports: reserved })
    }

    /// Leaves a mark of the bench in the record.
    pub fn mark(&self, mark: &Mark) {
        self.shared.stream.mark(mark);
    }

    /// Puts nodes that ended by themselves into the record.
    pub async fn mark_own_exits(&self) {
        for own in self.nodes.own_exits().await {
            let note = format!("Node {} ended by itself ({}); see its log.", own.node, own.exit);
            self.mark(&Mark::OwnExit(own));
            self.mark(&Mark::Note(note));
        }
    }

    /// Undoes every fault, whatever the nemesis thinks it did.
    pub fn calm(&self) {
        self.network.open_all_gates();
        self.network.clear_faults();
        self.shared.misuse.on.store(false, Ordering::Relaxed);
    }

    /// Continues and starts what the nemesis stopped; what keeps a node down goes into the record.
    pub async fn revive(&self, limit: Duration) {
        match timeout(limit, self.nodes.heal_all(self.can_restart)).await {
            Ok(troubles) => {
                troubles.iter().for_each(|trouble| mark_trouble(&self.shared.stream, trouble));
            }
            Err(_) => {
                self.mark(&Mark::Hindered("the nodes could not be brought back in time".into()));
            }
        }
    }

    /// Takes everything down; what is odd about how the nodes end goes into the record too.
    pub async fn strike(self) {
        self.mark(&Mark::Phase(Phase::Stop));
        self.network.open_all_gates();
        match timeout(STRIKE_LIMIT, self.nodes.stop_all()).await {
            Ok(notes) => notes.into_iter().for_each(|note| self.mark(&Mark::Note(note))),
            Err(_) => self.mark(&Mark::Note(
                "The nodes could not be stopped in time; they end with the bench.".into(),
            )),
        }
        let Some(network) = Arc::into_inner(self.network) else { return };
        if let Ok(summary) = timeout(STRIKE_LIMIT, network.close()).await {
            let unwritten = summary.over_limit + summary.lost;
            if unwritten > 0 {
                let note = format!(
                    "{unwritten} messages were counted but not written to {}.",
                    files::MESSAGES
                );
                self.shared.stream.mark(&Mark::Note(note));
            }
            if let Some(error) = summary.error {
                let note = format!("The message trace is incomplete: {error}.");
                self.shared.stream.mark(&Mark::Note(note));
            }
        }
    }
}

/// Puts a node that did not come back into the record, and whose fault that is.
pub fn mark_trouble(stream: &Stream, trouble: &NotStarted) {
    let mark = if trouble.submissions_fault { Mark::Note } else { Mark::Hindered };
    stream.mark(&mark(trouble.reason.clone()));
}

fn links(setting: &Setting, listens: &HashMap<NodeId, SocketAddr>) -> Vec<LinkSpec> {
    let link = |from: &str, to: &NodeId| LinkSpec {
        from: from.to_owned(),
        to: to.clone(),
        upstream: listens[to],
    };
    let mut links: Vec<LinkSpec> = setting.nodes.iter().map(|to| link(CLIENTS, to)).collect();
    for from in &setting.nodes {
        links.extend(setting.nodes.iter().filter(|to| *to != from).map(|to| link(from, to)));
    }
    links
}

fn share(setting: &Setting, network: &Network, stream: Arc<Stream>) -> Shared {
    let address = |id: &NodeId| network.address(CLIENTS, id).map(|address| (id.clone(), address));
    Shared {
        stream,
        nodes: setting.nodes.clone(),
        addresses: setting.nodes.iter().filter_map(address).collect(),
        // One more: the usher, who sets up and reads last.
        clerks: u64::from(setting.clients) + 1,
        patience: Patience::default(),
        misuse: Misuse::default(),
        protocol_errors: ProtocolErrors::default(),
        successes: AtomicU64::new(0),
        last_answer: Mutex::new(None),
    }
}

fn launch(
    id: &NodeId,
    setting: &Setting,
    folder: &Folder,
    network: &Network,
    listen: SocketAddr,
) -> Launch {
    let peer = |other: &NodeId| network.address(id, other).map(|address| (other.clone(), address));
    Launch {
        node: id.clone(),
        listen,
        peers: setting.nodes.iter().filter_map(peer).collect(),
        members: setting.nodes.clone(),
        data: folder.node(id).join("data"),
        heartbeat: HEARTBEAT,
        election: ELECTION,
        snapshot_bytes: Some(SNAPSHOT_BYTES),
        restart: false,
    }
}

fn node_spec(launch: &Launch, target: &Target, folder: &Folder) -> Result<NodeSpec, Failure> {
    let place = folder.node(&launch.node);
    std::fs::create_dir_all(&launch.data)?;
    let variables = launch.to_variables().into_iter();
    Ok(NodeSpec {
        id: launch.node.clone(),
        argv: target.argv()?,
        folder: target.folder.clone(),
        environment: variables.map(|(name, value)| (name.to_owned(), value)).collect(),
        stdout: place.join("stdout.log"),
        stderr: place.join("stderr.log"),
        limits: cluster::Limits::default(),
        sandbox: None,
        shim: cluster::shim::this_executable()?,
    })
}
