//! How a node is started: the environment it gets.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use crate::{Availability, GroupId, NodeId, mapreduce::TASK_MS};

/// One row of the registry of launch variables.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// The variable's name.
    pub name: &'static str,
    /// An example value.
    pub example: &'static str,
    /// What it means, in one sentence.
    pub meaning: &'static str,
    /// Whether the bench sets it already.
    pub availability: Availability,
}

/// `DS_SNAPSHOT_BYTES` in every run: logs are compacted early, so that compaction is tested.
pub const SNAPSHOT_BYTES: u64 = 65_536;

/// `DS_SHARDS` in every run.
pub const SHARDS: usize = 10;

/// The view service's id, where the rung has one.
pub const VIEW_SERVICE: &str = "v1";

/// Every launch variable. Reference implementations accept each as a flag of the same name as well.
pub const VARIABLES: [Variable; 17] = [
    variable("DS_NODE", "n1", "This node's id; nodes are named by id everywhere."),
    variable(
        "DS_ROLE",
        "kv",
        "What the node is: `kv`, `view` for the view service, `controller` for a shard controller, `mr-coordinator` and `mr-worker` for MapReduce.",
    ),
    variable("DS_GROUP", "g1", "The node's replica group, where the rung has groups."),
    variable(
        "DS_LISTEN",
        "127.0.0.1:4101",
        "The one address to bind: client API and peer traffic.",
    ),
    variable(
        "DS_PEERS",
        "{\"n2\":\"127.0.0.1:5102\"}",
        "This node's private view: the address at which it reaches each other node.",
    ),
    variable("DS_MEMBERS", "n1,n2,n3", "The members of this node's own group."),
    variable(
        "DS_CONTROLLERS",
        "c1,c2,c3",
        "The shard controllers' ids; set only where the rung has them.",
    ),
    variable("DS_VIEW", "v1", "The view service's id; set only where the rung has one."),
    variable(
        "DS_COORDINATOR",
        "c1",
        "The MapReduce coordinator's id; set only where the rung has one.",
    ),
    variable("DS_DATA", "/a/folder", "The only place to persist, besides DS_SHARED."),
    variable(
        "DS_SHARED",
        "/shared",
        "A folder of all nodes, for intermediate files and outputs; set only for MapReduce.",
    ),
    variable(
        "DS_TASK_MS",
        "10000",
        "For MapReduce: a task without news for so long is given to another worker.",
    ),
    variable("DS_SHARDS", "10", "The number of shards, where the rung has them."),
    variable("DS_HEARTBEAT_MS", "50", "Timing hint: how often a leader shows that it lives."),
    variable("DS_ELECTION_MS", "300", "Timing hint: how long to wait for it before an election."),
    variable(
        "DS_SNAPSHOT_BYTES",
        "65536",
        "Compact the log past this size; -1 means never. The next start may have another one.",
    ),
    variable(
        "DS_RESTART",
        "0",
        "1 where DS_DATA holds an earlier life; with 0 everywhere the store starts empty.",
    ),
];

const fn variable(name: &'static str, example: &'static str, meaning: &'static str) -> Variable {
    Variable { name, example, meaning, availability: Availability::Now }
}

/// What a node of a replicated rung needs to know at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// `DS_NODE`.
    pub node: NodeId,
    /// `DS_LISTEN`.
    pub listen: SocketAddr,
    /// `DS_PEERS`.
    pub peers: BTreeMap<NodeId, SocketAddr>,
    /// `DS_MEMBERS`: every server, but not the view service.
    pub members: Vec<NodeId>,
    /// `DS_VIEW`, where there is a view service. The node of this id is it.
    pub view: Option<NodeId>,
    /// `DS_GROUP`, where the rung has groups and the node is no controller.
    pub group: Option<GroupId>,
    /// `DS_CONTROLLERS`: a node among them is a shard controller.
    pub controllers: Vec<NodeId>,
    /// What only nodes of MapReduce need.
    pub mapreduce: Option<MapReduce>,
    /// `DS_DATA`.
    pub data: PathBuf,
    /// `DS_SHARDS`.
    pub shards: usize,
    /// `DS_HEARTBEAT_MS`.
    pub heartbeat: Duration,
    /// `DS_ELECTION_MS`.
    pub election: Duration,
    /// `DS_SNAPSHOT_BYTES`; `None` means never.
    pub snapshot_bytes: Option<u64>,
    /// `DS_RESTART`.
    pub restart: bool,
}

/// What a node of MapReduce needs to know besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapReduce {
    /// `DS_COORDINATOR`: the node of this id is the coordinator, all others are workers.
    pub coordinator: NodeId,
    /// `DS_SHARED`.
    pub shared: PathBuf,
    /// `DS_TASK_MS`.
    pub task_ms: u64,
}

impl Launch {
    /// A node without others, with every default.
    #[must_use]
    pub fn alone(node: NodeId, listen: SocketAddr) -> Self {
        Self {
            members: vec![node.clone()],
            node,
            listen,
            peers: BTreeMap::new(),
            view: None,
            controllers: Vec::new(),
            group: None,
            mapreduce: None,
            data: PathBuf::new(),
            shards: SHARDS,
            heartbeat: Duration::from_millis(50),
            election: Duration::from_millis(300),
            snapshot_bytes: None,
            restart: false,
        }
    }

    /// The variables that start a node with this launch: what the harness sets.
    #[must_use]
    pub fn to_variables(&self) -> Vec<(&'static str, String)> {
        let peers = serde_json::to_string(&self.peers).unwrap_or_default();
        let role = match &self.mapreduce {
            Some(mapreduce) if mapreduce.coordinator == self.node => "mr-coordinator",
            Some(_) => "mr-worker",
            _ if self.view.as_ref() == Some(&self.node) => "view",
            _ if self.controllers.contains(&self.node) => "controller",
            _ => "kv",
        };
        let mut variables = vec![("DS_NODE", self.node.clone()), ("DS_ROLE", role.to_owned())];
        variables.extend(self.group.clone().map(|group| ("DS_GROUP", group)));
        variables.extend([
            ("DS_LISTEN", self.listen.to_string()),
            ("DS_PEERS", peers),
            ("DS_MEMBERS", self.members.join(",")),
        ]);
        if !self.controllers.is_empty() {
            variables.push(("DS_CONTROLLERS", self.controllers.join(",")));
        }
        variables.extend(self.view.clone().map(|view| ("DS_VIEW", view)));
        let mapreduce = self.mapreduce.as_ref();
        variables.extend(mapreduce.map(|own| ("DS_COORDINATOR", own.coordinator.clone())));
        variables.push(("DS_DATA", self.data.display().to_string()));
        if let Some(MapReduce { shared, task_ms, .. }) = mapreduce {
            variables.push(("DS_SHARED", shared.display().to_string()));
            variables.push(("DS_TASK_MS", task_ms.to_string()));
        }
        variables.extend([
            ("DS_SHARDS", self.shards.to_string()),
            ("DS_HEARTBEAT_MS", self.heartbeat.as_millis().to_string()),
            ("DS_ELECTION_MS", self.election.as_millis().to_string()),
            (
                "DS_SNAPSHOT_BYTES",
                self.snapshot_bytes.map_or("-1".to_owned(), |bytes| bytes.to_string()),
            ),
            ("DS_RESTART", u8::from(self.restart).to_string()),
        ]);
        variables
    }

    /// Reads the launch from `lookup`, which maps a variable's name to its value (the environment, with
    /// command-line flags of the same name taking precedence, in the reference implementations).
    ///
    /// # Errors
    /// Names the variable that is missing or does not parse, and what was expected.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let need = |name: &str| lookup(name).ok_or_else(|| format!("{name} is not set"));
        let number = |name: &str, default: i64| match lookup(name) {
            None => Ok(default),
            Some(text) => {
                text.parse::<i64>().map_err(|_| format!("{name}={text}: expected a number"))
            }
        };
        let millis = |name: &str, default: i64| {
            let value = number(name, default)?;
            u64::try_from(value)
                .map(Duration::from_millis)
                .map_err(|_| format!("{name}={value}: must not be negative"))
        };
        let listen = need("DS_LISTEN")?;
        let peers = lookup("DS_PEERS").unwrap_or_else(|| "{}".to_owned());
        let node = need("DS_NODE")?;
        let ids = |list: String| {
            let ids = list.split(',').map(|id| id.trim().to_owned());
            ids.filter(|id| !id.is_empty()).collect()
        };
        let shards = number("DS_SHARDS", 10)?;
        let coordinator = lookup("DS_COORDINATOR").filter(|id| !id.is_empty());
        let of_mapreduce = |coordinator| -> Result<MapReduce, String> {
            let task_ms = number("DS_TASK_MS", i64::try_from(TASK_MS).unwrap_or(i64::MAX))?;
            Ok(MapReduce {
                coordinator,
                shared: PathBuf::from(need("DS_SHARED")?),
                task_ms: u64::try_from(task_ms)
                    .ok()
                    .filter(|task_ms| *task_ms > 0)
                    .ok_or_else(|| format!("DS_TASK_MS={task_ms}: must be at least 1"))?,
            })
        };
        Ok(Self {
            listen: listen
                .parse()
                .map_err(|_| format!("DS_LISTEN={listen}: expected address:port"))?,
            peers: serde_json::from_str(&peers)
                .map_err(|error| format!("DS_PEERS={peers}: {error}"))?,
            members: ids(lookup("DS_MEMBERS").unwrap_or_else(|| node.clone())),
            group: lookup("DS_GROUP").filter(|id| !id.is_empty()),
            controllers: ids(lookup("DS_CONTROLLERS").unwrap_or_default()),
            view: lookup("DS_VIEW").filter(|id| !id.is_empty()),
            mapreduce: coordinator.map(of_mapreduce).transpose()?,
            data: PathBuf::from(need("DS_DATA")?),
            shards: usize::try_from(shards)
                .ok()
                .filter(|shards| *shards > 0)
                .ok_or_else(|| format!("DS_SHARDS={shards}: must be at least 1"))?,
            heartbeat: millis("DS_HEARTBEAT_MS", 50)?,
            election: millis("DS_ELECTION_MS", 300)?,
            snapshot_bytes: u64::try_from(number("DS_SNAPSHOT_BYTES", -1)?).ok(),
            restart: lookup("DS_RESTART").as_deref() == Some("1"),
            node,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch() -> Launch {
        Launch {
            node: "n1".to_owned(),
            listen: "127.0.0.1:4101".parse().unwrap(),
            peers: BTreeMap::from([("n2".to_owned(), "127.0.0.1:5102".parse().unwrap())]),
            members: vec!["n1".to_owned(), "n2".to_owned()],
            view: Some("v1".to_owned()),
            group: Some("g1".to_owned()),
            controllers: ["c1", "c2", "c3"].map(str::to_owned).to_vec(),
            mapreduce: Some(MapReduce {
                coordinator: "c1".to_owned(),
                shared: PathBuf::from("/shared"),
                task_ms: TASK_MS,
            }),
            shards: 10,
            data: PathBuf::from("/a/folder"),
            heartbeat: Duration::from_millis(50),
            election: Duration::from_millis(300),
            snapshot_bytes: Some(65536),
            restart: true,
        }
    }

    fn read(variables: &[(&str, String)]) -> Result<Launch, String> {
        Launch::from_lookup(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        })
    }

    #[test]
    fn a_launch_survives_the_environment() {
        for snapshot_bytes in [None, Some(0), Some(65536)] {
            let launch = Launch { snapshot_bytes, ..launch() };
            assert_eq!(read(&launch.to_variables()).unwrap(), launch);
        }
        let fresh = Launch {
            restart: false,
            peers: BTreeMap::new(),
            view: None,
            group: None,
            mapreduce: None,
            controllers: Vec::new(),
            ..launch()
        };
        assert_eq!(read(&fresh.to_variables()).unwrap(), fresh);
    }

    #[test]
    fn the_variables_that_are_set_are_those_in_use_and_the_examples_are_a_launch() {
        let in_use = VARIABLES.iter().filter(|entry| entry.availability == Availability::Now);
        let set: Vec<&str> = launch().to_variables().iter().map(|(name, _)| *name).collect();
        assert_eq!(set, in_use.map(|entry| entry.name).collect::<Vec<&str>>());
        let examples: Vec<(&str, String)> =
            VARIABLES.iter().map(|entry| (entry.name, entry.example.to_owned())).collect();
        let read = read(&examples).unwrap();
        let members = ["n1", "n2", "n3"].map(str::to_owned).to_vec();
        assert_eq!(read, Launch { members, restart: false, ..launch() });
    }

    #[test]
    fn the_view_service_and_shard_controllers_have_roles_of_their_own_and_so_has_mapreduce() {
        let is = |role: &str, launch: Launch| {
            let variables = launch.to_variables();
            assert!(variables.contains(&("DS_ROLE", role.to_owned())), "{variables:?}");
        };
        for (node, role) in [("n1", "kv"), ("v1", "view"), ("c2", "controller")] {
            is(role, Launch { node: node.to_owned(), mapreduce: None, ..launch() });
        }
        for (node, role) in [("c1", "mr-coordinator"), ("w1", "mr-worker")] {
            is(role, Launch { node: node.to_owned(), ..launch() });
        }
    }

    #[test]
    fn hints_have_defaults_and_the_rest_is_needed() {
        let minimal = [("DS_NODE", "n1"), ("DS_LISTEN", "127.0.0.1:1"), ("DS_DATA", "/d")]
            .map(|(name, value)| (name, value.to_owned()));
        let launch = read(&minimal).unwrap();
        assert_eq!(launch.members, ["n1"]);
        assert_eq!((launch.snapshot_bytes, launch.restart), (None, false));
        for missing in 0..minimal.len() {
            let mut variables = minimal.to_vec();
            let (name, _) = variables.remove(missing);
            assert!(read(&variables).unwrap_err().contains(name));
        }
    }

    #[test]
    fn a_variable_that_does_not_parse_is_named() {
        for (name, value) in [
            ("DS_LISTEN", "localhost"),
            ("DS_PEERS", "n2=1"),
            ("DS_HEARTBEAT_MS", "soon"),
            ("DS_ELECTION_MS", "-3"),
            ("DS_SHARDS", "0"),
            ("DS_TASK_MS", "0"),
            ("DS_TASK_MS", "1s"),
            ("DS_SNAPSHOT_BYTES", "64k"),
        ] {
            let mut variables = launch().to_variables();
            variables.retain(|(known, _)| *known != name);
            variables.push((name, value.to_owned()));
            let error = read(&variables).unwrap_err();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }
}
