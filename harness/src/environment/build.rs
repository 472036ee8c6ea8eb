//! Builds an environment: finds places, opens links, prepares the nodes' folders. No node runs yet.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
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
    nodes::{Nodes, Speaker},
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
        let manifest = &parts.target.manifest;
        let first_port = manifest.ports.first().copied();
        let mut places = match (parts.is_confined, first_port) {
            (true, _) => Places::of_their_own(parts.processes(), first_port, &shim).await?,
            (false, None) => Places::on_this_machine(parts.processes())?,
            (false, Some(_)) => return Err(Failure::Failed(needs_addresses(&manifest.name))),
        };
        if manifest.client.is_some() {
            places.add_speakers(parts.asked())?;
        }
        let messages = parts.folder.join(files::MESSAGES);
        let trace = Trace::create(messages, stream.start_time(), TRACE_RECORDS_MAX)?;
        let network = Network::open(parts.links(&places), parts.seed, Some(trace)).await?;
        let specs = parts.processes().map(|id| {
            let launch = parts.launch(id, &network, &places);
            Ok((parts.node_spec(&launch, stream.start_time(), &places)?, places.door(id)))
        });
        let specs = specs.collect::<Result<Vec<_>, Failure>>()?;
        let speakers =
            parts.asked().filter_map(|id| parts.speaker_spec(id, &network, &places).transpose());
        let speakers = speakers.collect::<Result<Vec<_>, Failure>>()?;
        let can = |capability| manifest.can(capability);
        let mapreduce = parts.mapreduce();
        Ok(Self {
            clients: Arc::new(parts.clients(&network, &places, Arc::clone(&stream))),
            stream,
            electorates: parts.electorates(),
            focus: Mutex::default(),
            mover: tokio::sync::Mutex::default(),
            nodes: Arc::new(
                Nodes::new(specs, manifest.timeouts.clone(), can(Capability::Introspect))
                    .spoken_for_by(speakers),
            ),
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

fn needs_addresses(name: &str) -> String {
    format!(
        "{name} has fixed `ports`, so each of its nodes needs an address of its own, and nodes are not confined here: \
         `harness doctor` says why"
    )
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
        let ports = &self.target.manifest.ports;
        let ports =
            if ports.is_empty() { vec![None] } else { ports.iter().copied().map(Some).collect() };
        let links = |from: &str, to: &NodeId| -> Vec<LinkSpec> {
            let link = |port: &Option<u16>| LinkSpec {
                from: from.to_owned(),
                to: to.clone(),
                port: *port,
                downstream: places.downstream(from, to, *port),
                upstream: places.upstream(to, *port),
            };
            ports.iter().map(link).collect()
        };
        let outside = [CLIENTS, PERSON].into_iter().take(1 + usize::from(self.for_a_person));
        let from_outside = outside.flat_map(|from| self.asked().map(move |to| (from, to)));
        let among =
            self.processes().flat_map(|from| self.processes().map(move |to| (from.as_str(), to)));
        let ends = from_outside.chain(among).filter(|(from, to)| from != to);
        ends.flat_map(|(from, to)| links(from, to)).collect()
    }

    fn clients(&self, network: &Network, places: &Places, stream: Arc<Stream>) -> Shared {
        let address = |id: &NodeId| {
            let address = places.speaker(id).or_else(|| network.address(CLIENTS, id));
            address.map(|address| (id.clone(), address))
        };
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
        let shared = launch.mapreduce.as_ref().map(|mapreduce| mapreduce.shared.clone());
        let writable: Vec<_> = shared.into_iter().chain([launch.data.clone()]).collect();
        // Nodes can only be shown what is there.
        writable.iter().try_for_each(std::fs::create_dir_all)?;
        let own = self.target.manifest.environment.clone();
        let argv = self.target.argv()?;
        let sees = || files(&self.target.folder, &argv, self.folder, writable);
        let variables = launch.to_variables().into_iter();
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        Ok(NodeSpec {
            id: launch.node.clone(),
            folder: self.target.folder.clone(),
            environment: variables.chain(self.ports_of(&launch.node, places)).chain(own).collect(),
            stdout: place.join("stdout.log"),
            stderr: place.join("stderr.log"),
            stamps_since: Some(stamps_since),
            limits: cluster::Limits::default(),
            confinement: places.confinement(&launch.node, sees),
            shim: cluster::shim::this_executable()?,
            argv,
        })
    }

    /// Where a node's further ports are, and those of the others, where it has several.
    fn ports_of(&self, id: &NodeId, places: &Places) -> Vec<(String, String)> {
        let ports = &self.target.manifest.ports;
        if ports.is_empty() {
            return Vec::new();
        }
        let at = |node: &NodeId, ports: &[u16]| -> BTreeMap<u16, SocketAddr> {
            ports.iter().map(|port| (*port, places.listen_at(node, Some(*port)))).collect()
        };
        let others = self.processes().filter(|other| *other != id);
        let peers: BTreeMap<&NodeId, _> = others.map(|other| (other, at(other, ports))).collect();
        let as_json = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
        let own = serde_json::to_string(&at(id, &ports[1..]));
        vec![
            ("DS_PORTS".to_owned(), as_json(own)),
            ("DS_PEERS".to_owned(), as_json(serde_json::to_string(&peers))),
        ]
    }

    /// What starts the program that speaks for a node, if there is one.
    fn speaker_spec(
        &self,
        id: &NodeId,
        network: &Network,
        places: &Places,
    ) -> Result<Option<Speaker>, Failure> {
        let manifest = &self.target.manifest;
        let programs = manifest.client.as_ref().zip(self.target.client_argv()?);
        let Some(((client, argv), listen)) = programs.zip(places.speaker(id)) else {
            return Ok(None);
        };
        let targets = BTreeMap::from([(id, network.addresses(CLIENTS, id))]);
        let environment = [
            ("DS_NODE", id.clone()),
            ("DS_LISTEN", listen.to_string()),
            ("DS_TARGETS", serde_json::to_string(&targets).unwrap_or_default()),
            ("DS_LIMIT_MS", manifest.timeouts.operation_ms.to_string()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value));
        let log = self.folder.join(files::NODES).join(id).join("client.log");
        let spec = NodeSpec {
            id: format!("{id}-client"),
            argv,
            folder: self.target.folder.clone(),
            environment: environment.into_iter().chain(client.environment.clone()).collect(),
            stdout: log.clone(),
            stderr: log,
            stamps_since: None,
            limits: cluster::Limits::default(),
            confinement: None,
            shim: cluster::shim::this_executable()?,
        };
        Ok(Some(Speaker { spec, node: id.clone(), port: places.upstream(id, None), listen }))
    }
}
