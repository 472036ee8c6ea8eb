//! How a node is started: the environment it gets, or flags of the same names.

use std::{collections::BTreeMap, ffi::OsString, net::SocketAddr, path::PathBuf};

/// The launch variables: name, example and meaning.
const VARIABLES: [(&str, &str, &str); 9] = [
    ("DS_NODE", "w1", "This node's id."),
    ("DS_ROLE", "mr-worker", "What the node is: `mr-coordinator` or `mr-worker`."),
    ("DS_LISTEN", "127.0.0.1:4101", "The one address to bind."),
    ("DS_PEERS", "{\"c1\":\"127.0.0.1:4100\"}", "Where a worker finds the coordinator."),
    ("DS_COORDINATOR", "c1", "The coordinator's id in DS_PEERS; not for the coordinator itself."),
    ("DS_SHARED", "/shared", "A folder of all nodes, for intermediate files and outputs."),
    ("DS_DATA", "/a/folder", "A folder of this node alone, for temporary files."),
    ("DS_TASK_MS", "10000", "A task without news for so long is given to another worker."),
    (
        "DS_GUARD",
        "/tmp/run",
        "If set: end when stdin closes, and remove this folder. `mapreduce run` sets it.",
    ),
];

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// It gives out tasks.
    Coordinator,
    /// It does tasks of the coordinator at this address.
    Worker(SocketAddr),
}

/// What a node needs to know at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// `DS_NODE`.
    pub node: String,
    /// `DS_ROLE`, with `DS_COORDINATOR` in `DS_PEERS`.
    pub role: Role,
    /// `DS_LISTEN`.
    pub listen: SocketAddr,
    /// `DS_SHARED`.
    pub shared: PathBuf,
    /// `DS_DATA`.
    pub data: PathBuf,
    /// `DS_TASK_MS`.
    pub task_ms: u64,
    /// `DS_GUARD`.
    pub guard: Option<PathBuf>,
}

impl Launch {
    /// Reads the launch from flags, and from the environment where a flag is missing.
    ///
    /// # Errors
    /// Names the flag or variable that is missing or wrong, and what was expected.
    pub fn read(arguments: &[OsString]) -> Result<Self, String> {
        let text = |argument: &OsString| {
            let text = argument.to_str().map(str::to_owned);
            text.ok_or_else(|| format!("{}: no UTF-8", argument.to_string_lossy()))
        };
        let flags = parse_flags(&arguments.iter().map(text).collect::<Result<Vec<_>, _>>()?)?;
        Self::from_lookup(|name| flags.get(name).cloned().or_else(|| std::env::var(name).ok()))
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let lookup = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let need = |name: &str| lookup(name).ok_or_else(|| format!("{name} is not set"));
        let listen = need("DS_LISTEN")?;
        let task_ms = lookup("DS_TASK_MS").unwrap_or_else(|| "10000".to_owned());
        Ok(Self {
            node: need("DS_NODE")?,
            role: match need("DS_ROLE")?.as_str() {
                "mr-coordinator" => Role::Coordinator,
                "mr-worker" => {
                    Role::Worker(coordinator(&need("DS_COORDINATOR")?, &need("DS_PEERS")?)?)
                }
                role => {
                    return Err(format!("DS_ROLE={role}: expected mr-coordinator or mr-worker"));
                }
            },
            listen: listen
                .parse()
                .map_err(|_| format!("DS_LISTEN={listen}: expected address:port"))?,
            shared: PathBuf::from(need("DS_SHARED")?),
            data: PathBuf::from(need("DS_DATA")?),
            task_ms: task_ms.parse().ok().filter(|task_ms| *task_ms > 0).ok_or_else(|| {
                format!("DS_TASK_MS={task_ms}: expected milliseconds, at least 1")
            })?,
            guard: lookup("DS_GUARD").map(PathBuf::from),
        })
    }
}

fn coordinator(id: &str, peers: &str) -> Result<SocketAddr, String> {
    let addresses: BTreeMap<String, SocketAddr> =
        serde_json::from_str(peers).map_err(|error| format!("DS_PEERS={peers}: {error}"))?;
    let address = addresses.get(id).copied();
    address.ok_or_else(|| format!("DS_PEERS={peers}: no address of the coordinator {id}"))
}

/// Reads `--NAME value` and `--NAME=value`.
fn parse_flags(arguments: &[String]) -> Result<BTreeMap<String, String>, String> {
    let mut flags = BTreeMap::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let flag = argument.strip_prefix("--").ok_or_else(|| format!("{argument}: not a flag"))?;
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (flag, None),
        };
        if !VARIABLES.iter().any(|(known, ..)| *known == name) {
            return Err(format!("--{name}: no such flag"));
        }
        let value = value.or_else(|| rest.next().map(String::as_str));
        let value = value.ok_or_else(|| format!("--{name}: its value is missing"))?;
        flags.insert(name.to_owned(), value.to_owned());
    }
    Ok(flags)
}

/// The launch variables, a line each.
#[must_use]
pub fn help() -> String {
    let lines = VARIABLES
        .iter()
        .map(|(name, example, meaning)| format!("  {name:<15} {meaning} Example: {example}\n"));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Launch, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let flags = parse_flags(&words)?;
        Launch::from_lookup(|name| flags.get(name).cloned())
    }

    fn examples() -> String {
        let flags = VARIABLES.iter().map(|(name, example, _)| format!("--{name}={example} "));
        flags.collect()
    }

    #[test]
    fn the_examples_are_a_launch() {
        let launch = read(&examples()).unwrap();
        assert_eq!(launch.role, Role::Worker("127.0.0.1:4100".parse().unwrap()));
        assert_eq!((launch.node.as_str(), launch.task_ms), ("w1", 10_000));
        assert_eq!(launch.guard, Some(PathBuf::from("/tmp/run")));
    }

    #[test]
    fn a_coordinator_needs_no_peers() {
        let line = "--DS_NODE c1 --DS_ROLE mr-coordinator --DS_LISTEN 127.0.0.1:1 --DS_SHARED /s --DS_DATA /d";
        let launch = read(line).unwrap();
        assert_eq!((launch.role, launch.task_ms, launch.guard), (Role::Coordinator, 10_000, None));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let needed = [
            "DS_NODE",
            "DS_ROLE",
            "DS_LISTEN",
            "DS_PEERS",
            "DS_COORDINATOR",
            "DS_SHARED",
            "DS_DATA",
        ];
        for name in needed {
            let error = read(&format!("{} --{name}=", examples())).unwrap_err();
            assert_eq!(error, format!("{name} is not set"));
        }
        for (flag, expected) in [
            ("--DS_ROLE kv", "DS_ROLE=kv: expected mr-coordinator or mr-worker"),
            ("--DS_LISTEN here", "DS_LISTEN=here: expected address:port"),
            ("--DS_TASK_MS 0", "DS_TASK_MS=0: expected milliseconds"),
            ("--DS_TASK_MS 1s", "DS_TASK_MS=1s: expected milliseconds"),
            ("--DS_PEERS {}", "no address of the coordinator c1"),
            ("--DS_PEERS c1", "DS_PEERS=c1: "),
            ("--DS_NOD n1", "--DS_NOD: no such flag"),
            ("n1", "n1: not a flag"),
            ("--DS_NODE", "--DS_NODE: its value is missing"),
        ] {
            let error = read(&format!("{} {flag}", examples())).unwrap_err();
            assert!(error.contains(expected), "{flag}: {error}");
        }
    }
}
