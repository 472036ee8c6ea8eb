//! Builds an environment: finds places, opens links, prepares the nodes' folders. No node runs yet.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use cluster::NodeSpec;
use contract::{
    GroupId, Launch, NodeId,
    launch::{MapReduce, SHARDS},
    manifest::Capability,
};
use network::{LinkSpec, Network, Trace};
use record::files;

use super::{
    CLIENTS, Environment, PERSON,
    nodes::Nodes,
    places::{Places, files},
};
use crate::{
    clients::{Patience, Shared},
    exit::Failure,
    stream::Stream,
    target::Target,
};

/// More messages than this are counted but not written down.
const TRACE_RECORDS_MAX: u64 = 200_000;
/// The timing hint every node gets: how often to show that it lives.
pub const HEARTBEAT: Duration = Duration::from_millis(50);
/// The timing hint every node gets: how long to wait for another one.
pub const ELECTION: Duration = Duration::from_millis(300);

/// `DS_TASK_MS`: short, so that a run has many tasks that are given to another worker.
pub const TASK: Duration = Duration::from_millis(500);

/// What an environment is made of.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// The nodes' ids.
    pub nodes: &'a [NodeId],
    /// The view service, which clients have no link to.
    pub view_service: Option<&'a NodeId>,
    /// The replica groups of a sharded store; empty where nothing is sharded.
    pub groups: &'a [Vec<NodeId>],
    /// Its shard controllers.
    pub controllers: &'a [NodeId],
    /// The coordinator of MapReduce: then the nodes are its workers, which clients have no link to.
    pub coordinator: Option<&'a NodeId>,
    /// The servers that the bench plays, where the only node is a view service; else nobody.
    pub played: &'a [NodeId],
    /// How many clerks there will be.
    pub clerks: u64,
    /// Whether a person may ask the nodes, too, past the record.
    pub for_a_person: bool,
    /// `DS_SNAPSHOT_BYTES`; `None`: never.
    pub snapshot_bytes: Option<u64>,
    /// Whether each process gets a world of its own.
    pub is_confined: bool,
    /// Decides the message faults.
    pub seed: u64,
    /// What the nodes run.
    pub target: &'a Target,
    /// The results folder.
    pub folder: &'a Path,
}

impl Environment {
    /// Builds an environment in which no node runs yet.
    ///
    /// # Errors
    /// What the machine did not give, or a program that is not there.
    pub async fn build(parts: &Parts<'_>, stream: Arc<Stream>) -> Result<Self, Failure> {
        let shim = cluster::shim::this_executable()?;
        let places = match parts.is_confined {
            true => Places::of_their_own(parts.processes(), &shim).await?,
            false => Places::on_this_machine(parts.processes())?,
        };
        let messages = parts.folder.join(files::MESSAGES);
        let trace = Trace::create(messages, stream.start_time(), TRACE_RECORDS_MAX)?;
        let network = Network::open(parts.links(&places), parts.seed, Some(trace)).await?;
        let specs = parts.processes().map(|id| {
            let launch = parts.launch(id, &network, &places);
            Ok((parts.node_spec(&launch, stream.start_time(), &places)?, places.door(id)))
        });
        let specs = specs.collect::<Result<Vec<_>, Failure>>()?;
        let can = |capability| parts.target.manifest.can(capability);
        let mapreduce = parts.mapreduce();
        Ok(Self {
            clients: Arc::new(parts.clients(&network, Arc::clone(&stream))),
            stream,
            electorates: parts.electorates(),
            focus: Mutex::default(),
            mover: tokio::sync::Mutex::default(),
            nodes: Arc::new(Nodes::new(
                specs,
                parts.target.manifest.timeouts.clone(),
                can(Capability::Introspect),
            )),
            network,
            can_restart: mapreduce.is_some() || can(Capability::Restart) || can(Capability::Rejoin),
            mapreduce,
            restarts_on_its_data: can(Capability::Restart),
            shows_log: can(Capability::Log),
            pace: Arc::default(),
            places,
        })
    }
}

/// The id of the replica group at this place, from 0.
#[must_use]
pub fn group_id(place: usize) -> GroupId {
    format!("g{}", place + 1)
}

impl Parts<'_> {
    /// Whatever is started, each as a process of its own.
    fn processes(&self) -> impl Iterator<Item = &NodeId> {
        self.nodes.iter().chain(self.controllers).chain(self.view_service).chain(self.coordinator)
    }

    /// Whom clients ask.
    fn asked(&self) -> impl Iterator<Item = &NodeId> {
        let nodes = if self.coordinator.is_some() { &[] } else { self.nodes };
        nodes.iter().chain(self.controllers).chain(self.coordinator)
    }

    /// Those among whom one leads at a time: each group, and the controllers; or all nodes together.
    fn electorates(&self) -> Vec<Vec<NodeId>> {
        match self.groups {
            [] => vec![self.nodes.to_vec()],
            groups => groups.iter().cloned().chain([self.controllers.to_vec()]).collect(),
        }
    }

    fn links(&self, places: &Places) -> Vec<LinkSpec> {
        let link = |from: &str, to: &NodeId| LinkSpec {
            from: from.to_owned(),
            to: to.clone(),
            downstream: places.downstream(from, to),
            upstream: places.upstream(to),
        };
        let mut links: Vec<LinkSpec> = self.asked().map(|to| link(CLIENTS, to)).collect();
        if self.for_a_person {
            links.extend(self.asked().map(|to| link(PERSON, to)));
        }
        for from in self.processes() {
            links.extend(self.processes().filter(|to| *to != from).map(|to| link(from, to)));
        }
        links
    }

    fn clients(&self, network: &Network, stream: Arc<Stream>) -> Shared {
        let address =
            |id: &NodeId| network.address(CLIENTS, id).map(|address| (id.clone(), address));
        let addresses = self.asked().filter_map(address).collect();
        let patience = Patience::from(&self.target.manifest.timeouts);
        let exactly_once = self.target.manifest.can(Capability::ExactlyOnce);
        let asked = self.asked().cloned().collect();
        let shared = Shared::new(stream, asked, addresses, self.clerks, patience, exactly_once);
        shared.routed(self.groups, self.controllers)
    }

    fn mapreduce(&self) -> Option<MapReduce> {
        self.coordinator.map(|coordinator| MapReduce {
            coordinator: coordinator.clone(),
            shared: self.folder.join(files::SHARED),
            task_ms: u64::try_from(TASK.as_millis()).unwrap_or(u64::MAX),
        })
    }

    fn launch(&self, id: &NodeId, network: &Network, places: &Places) -> Launch {
        let peer =
            |other: &NodeId| network.address(id, other).map(|address| (other.clone(), address));
        let are_controllers =
            self.groups.is_empty() && self.target.manifest.can(Capability::Configurations);
        let controllers = if are_controllers { self.nodes } else { self.controllers };
        let place = self.groups.iter().position(|group| group.contains(id));
        Launch {
            node: id.clone(),
            listen: places.listen(id),
            peers: self.processes().filter_map(peer).collect(),
            members: match place {
                Some(place) => &self.groups[place],
                None if !self.groups.is_empty() => controllers,
                None if self.played.is_empty() => self.nodes,
                None => self.played,
            }
            .to_vec(),
            view: self.view_service.or_else(|| self.played.first().map(|_| id)).cloned(),
            group: place.map(group_id),
            controllers: controllers.to_vec(),
            mapreduce: self.mapreduce(),
            data: self.folder.join(files::NODES).join(id).join("data"),
            shards: SHARDS,
            heartbeat: HEARTBEAT,
            election: ELECTION,
            snapshot_bytes: self.snapshot_bytes,
            restart: false,
        }
    }

    fn node_spec(
        &self,
        launch: &Launch,
        stamps_since: Instant,
        places: &Places,
    ) -> Result<NodeSpec, Failure> {
        let place = self.folder.join(files::NODES).join(&launch.node);
        std::fs::create_dir_all(&launch.data)?;
        let shared = launch.mapreduce.as_ref().map(|mapreduce| mapreduce.shared.clone());
        let writable = shared.into_iter().chain([launch.data.clone()]).collect();
        let argv = self.target.argv()?;
        let sees = || files(&self.target.folder, &argv, self.folder, writable);
        let variables = launch.to_variables().into_iter();
        Ok(NodeSpec {
            id: launch.node.clone(),
            folder: self.target.folder.clone(),
            environment: variables.map(|(name, value)| (name.to_owned(), value)).collect(),
            stdout: place.join("stdout.log"),
            stderr: place.join("stderr.log"),
            stamps_since: Some(stamps_since),
            limits: cluster::Limits::default(),
            confinement: places.confinement(&launch.node, sees),
            shim: cluster::shim::this_executable()?,
            argv,
        })
    }
}
