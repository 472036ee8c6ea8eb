//! How a node is started: the environment it gets.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use crate::NodeId;

/// One row of the registry of launch variables.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// The variable's name.
    pub name: &'static str,
    /// An example value.
    pub example: &'static str,
    /// What it means, in one sentence.
    pub meaning: &'static str,
}

/// Every launch variable. Reference implementations accept each as a flag of the same name as well.
pub const VARIABLES: [Variable; 14] = [
    variable("DS_NODE", "n1", "This node's id; nodes are named by id everywhere."),
    variable("DS_ROLE", "kv", "`kv`, `view`, `controller`, `mr-coordinator` or `mr-worker`."),
    variable("DS_GROUP", "g1", "The replica group, where the rung has groups."),
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
    variable("DS_CONTROLLERS", "c1,c2,c3", "The shard controllers' ids, where the rung has them."),
    variable("DS_VIEW", "v1", "The view service's id, where the rung has one."),
    variable("DS_DATA", "/a/folder", "The only place to persist."),
    variable("DS_SHARDS", "10", "The number of shards."),
    variable("DS_HEARTBEAT_MS", "50", "Timing hint: how often a leader shows that it lives."),
    variable("DS_ELECTION_MS", "300", "Timing hint: how long to wait for it before an election."),
    variable("DS_SNAPSHOT_BYTES", "65536", "Compact the log past this size; -1 means never."),
    variable("DS_RESTART", "0", "1 where DS_DATA holds an earlier life."),
];

const fn variable(name: &'static str, example: &'static str, meaning: &'static str) -> Variable {
    Variable { name, example, meaning }
}

/// What a node of a replicated rung is told at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// `DS_NODE`.
    pub node: NodeId,
    /// `DS_LISTEN`.
    pub listen: SocketAddr,
    /// `DS_PEERS`.
    pub peers: BTreeMap<NodeId, SocketAddr>,
    /// `DS_MEMBERS`, this node included.
    pub members: Vec<NodeId>,
    /// `DS_DATA`.
    pub data: PathBuf,
    /// `DS_HEARTBEAT_MS`.
    pub heartbeat: Duration,
    /// `DS_ELECTION_MS`.
    pub election: Duration,
    /// `DS_SNAPSHOT_BYTES`; `None` means never.
    pub snapshot_bytes: Option<u64>,
    /// `DS_RESTART`.
    pub restart: bool,
}

impl Launch {
    /// The variables that start a node with this launch: what the harness sets.
    #[must_use]
    pub fn to_variables(&self) -> Vec<(&'static str, String)> {
        let peers = serde_json::to_string(&self.peers).unwrap_or_default();
        vec![
            ("DS_NODE", self.node.clone()),
            ("DS_ROLE", "kv".to_owned()),
            ("DS_LISTEN", self.listen.to_string()),
            ("DS_PEERS", peers),
            ("DS_MEMBERS", self.members.join(",")),
            ("DS_DATA", self.data.display().to_string()),
            ("DS_HEARTBEAT_MS", self.heartbeat.as_millis().to_string()),
            ("DS_ELECTION_MS", self.election.as_millis().to_string()),
            (
                "DS_SNAPSHOT_BYTES",
                self.snapshot_bytes.map_or("-1".to_owned(), |bytes| bytes.to_string()),
            ),
            ("DS_RESTART", u8::from(self.restart).to_string()),
        ]
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
        let members = lookup("DS_MEMBERS").unwrap_or_else(|| node.clone());
        Ok(Self {
            listen: listen
                .parse()
                .map_err(|_| format!("DS_LISTEN={listen}: expected address:port"))?,
            peers: serde_json::from_str(&peers)
                .map_err(|error| format!("DS_PEERS={peers}: {error}"))?,
            members: members
                .split(',')
                .map(|id| id.trim().to_owned())
                .filter(|id| !id.is_empty())
                .collect(),
            data: PathBuf::from(need("DS_DATA")?),
            heartbeat: millis("DS_HEARTBEAT_MS", 50)?,
            election: millis("DS_ELECTION_MS", 300)?,
            snapshot_bytes: u64::try_from(number("DS_SNAPSHOT_BYTES", -1)?).ok(),
            restart: lookup("DS_RESTART").as_deref() == Some("1"),
            node,
        })
    }
}
