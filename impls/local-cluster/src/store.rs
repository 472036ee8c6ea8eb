//! A store: how its nodes are started, and how one is asked what it does.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use bytes::Bytes;
use contract::{Launch, Manifest};
use http_client::{Full, Request, header};
use serde_json::{Value, json};

use crate::Failure;

/// How often a leader shows that it lives, and how long the others wait for it: the same for all stores.
const HEARTBEAT_MS: u64 = 50;
const ELECTION_MS: u64 = 500;

/// A request to a node.
pub type Ask = Request<Full<Bytes>>;

/// A store.
#[derive(Debug)]
pub enum Store {
    /// One that speaks the contract.
    Submission {
        /// Its folder.
        folder: PathBuf,
        /// What its manifest says.
        manifest: Box<Manifest>,
    },
    /// The one on the PATH, asked through its JSON gateway.
    Etcd,
}

/// The group of the shard controllers of a sharded store.
pub const CONTROLLERS: &str = "controllers";

/// A node of a cluster: where it listens for clients, where for its peers (etcd only), and its folder.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its replica group; empty where the store is not sharded.
    pub group: String,
    /// For clients, and for all in a store that speaks the contract.
    pub client: SocketAddr,
    /// For peers.
    pub peer: SocketAddr,
    /// Its own.
    pub data: PathBuf,
}

impl Store {
    /// The store that goes by this name: `etcd`, or a folder with a `submission.toml`, which is built.
    ///
    /// # Errors
    /// There is no such store, or it does not build.
    pub fn of(name: &Path) -> Result<Self, Failure> {
        if name == Path::new("etcd") {
            let found = Command::new("etcd").arg("--version").output();
            found.map_err(|error| format!("there is no `etcd` on the PATH to measure: {error}"))?;
            return Ok(Self::Etcd);
        }
        let folder = name.canonicalize().map_err(|error| format!("{}: {error}", name.display()))?;
        let manifest = Box::new(Manifest::read(&folder)?);
        if let [program, arguments @ ..] = &manifest.build[..] {
            let built = Command::new(program).args(arguments).current_dir(&folder).status()?;
            if !built.success() {
                return Err(format!("{}: the build failed", manifest.name).into());
            }
        }
        Ok(Self::Submission { folder, manifest })
    }

    /// The one in this folder, run as this program, which is there already.
    ///
    /// # Errors
    /// There is no manifest in that folder that can be read.
    pub fn built(folder: &Path, program: &str) -> Result<Self, Failure> {
        let mut manifest = Box::new(Manifest::read(folder)?);
        program.clone_into(&mut manifest.run[0]);
        Ok(Self::Submission { folder: folder.to_owned(), manifest })
    }

    /// For people.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Submission { manifest, .. } => &manifest.name,
            Self::Etcd => "etcd",
        }
    }

    /// Starts this one of the nodes.
    pub(crate) fn command(&self, node: &Node, all: &[Node]) -> Command {
        match self {
            Self::Submission { folder, manifest } => {
                let program = match manifest.run[0].contains('/') {
                    true => folder.join(&manifest.run[0]),
                    false => PathBuf::from(&manifest.run[0]),
                };
                let mut command = Command::new(program);
                command.args(&manifest.run[1..]).current_dir(folder);
                command.envs(launch(node, all).to_variables());
                command
            }
            Self::Etcd => etcd(node, all),
        }
    }

    /// Asks a node whether it leads.
    pub(crate) fn who_leads(&self) -> Result<Ask, Failure> {
        match self {
            Self::Submission { .. } => get("/v1/status"),
            Self::Etcd => post("/v3/maintenance/status", &json!({})),
        }
    }

    /// Asks a node whether it can serve; 200 if it can.
    pub(crate) fn is_ready(&self) -> Result<Ask, Failure> {
        get(match self {
            Self::Submission { .. } => "/readyz",
            Self::Etcd => "/health",
        })
    }

    /// What a node that leads answers.
    pub(crate) fn leads(&self, answer: &Value) -> bool {
        match self {
            Self::Submission { .. } => answer["role"] == "leader",
            Self::Etcd => {
                answer["leader"].is_string() && answer["leader"] == answer["header"]["member_id"]
            }
        }
    }
}

fn get(path: &str) -> Result<Ask, Failure> {
    Ok(Request::get(path).header(header::HOST, "localhost").body(Full::default())?)
}

/// A request with a JSON body.
///
/// # Errors
/// That is no path.
pub fn post(path: &str, body: &Value) -> Result<Ask, Failure> {
    let request = Request::post(path).header(header::HOST, "localhost");
    let request = request.header(header::CONTENT_TYPE, "application/json");
    Ok(request.body(Full::from(body.to_string()))?)
}

fn launch(node: &Node, all: &[Node]) -> Launch {
    let others = all.iter().filter(|other| other.name != node.name);
    let peers: BTreeMap<_, _> = others.map(|other| (other.name.clone(), other.client)).collect();
    let of_group = |group: &str| -> Vec<String> {
        all.iter().filter(|node| node.group == group).map(|node| node.name.clone()).collect()
    };
    let is_server = ![CONTROLLERS, ""].contains(&node.group.as_str());
    Launch {
        peers,
        members: of_group(&node.group),
        group: is_server.then(|| node.group.clone()),
        controllers: of_group(CONTROLLERS),
        data: node.data.clone(),
        heartbeat: Duration::from_millis(HEARTBEAT_MS),
        election: Duration::from_millis(ELECTION_MS),
        // As etcd: no snapshot while a measurement lasts.
        snapshot_bytes: None,
        ..Launch::alone(node.name.clone(), node.client)
    }
}

fn etcd(node: &Node, all: &[Node]) -> Command {
    let url = |address: SocketAddr| format!("http://{address}");
    let cluster: Vec<String> =
        all.iter().map(|node| format!("{}={}", node.name, url(node.peer))).collect();
    let mut command = Command::new("etcd");
    command
        .args(["--name", &node.name, "--data-dir"])
        .arg(&node.data)
        .args(["--listen-client-urls", &url(node.client)])
        .args(["--advertise-client-urls", &url(node.client)])
        .args(["--listen-peer-urls", &url(node.peer)])
        .args(["--initial-advertise-peer-urls", &url(node.peer)])
        .args(["--initial-cluster", &cluster.join(",")])
        .args(["--heartbeat-interval", &HEARTBEAT_MS.to_string()])
        .args(["--election-timeout", &ELECTION_MS.to_string()])
        .args(["--snapshot-count", "100000000"])
        .args(["--logger", "zap", "--log-level", "error"]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_node_that_says_so_leads() {
        let leads = |answer: &str| Store::Etcd.leads(&serde_json::from_str(answer).unwrap());
        assert!(leads(r#"{"header":{"member_id":"7"},"leader":"7"}"#));
        assert!(!leads(r#"{"header":{"member_id":"7"},"leader":"8"}"#));
        assert!(!leads(r#"{"error":"etcdserver: no leader","code":14}"#));
    }
}
