//! How a node is started: the launch of the contract, as a node of MapReduce needs it.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use contract::launch::{Launch as Launched, MapReduce};

/// If this variable is set, a node ends when its stdin closes, and removes the folder that it names. `mapreduce run` sets it.
pub const GUARD: &str = "DS_GUARD";

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
    /// `DS_COORDINATOR`, with its address from `DS_PEERS`.
    pub role: Role,
    /// `DS_LISTEN`.
    pub listen: SocketAddr,
    /// `DS_SHARED`.
    pub shared: PathBuf,
    /// `DS_DATA`.
    pub data: PathBuf,
    /// `DS_TASK_MS`.
    pub task_ms: u64,
    /// [`GUARD`].
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
        let arguments = arguments.iter().map(text).collect::<Result<Vec<_>, _>>()?;
        let guard = std::env::var_os(GUARD).map(PathBuf::from);
        Self::of(node::launch_from(&arguments)?, guard)
    }

    fn of(launch: Launched, guard: Option<PathBuf>) -> Result<Self, String> {
        let Launched { node, listen, peers, data, mapreduce, .. } = launch;
        let mapreduce = mapreduce.ok_or("DS_COORDINATOR is not set")?;
        let MapReduce { coordinator, shared, task_ms } = mapreduce;
        let role = if coordinator == node {
            Role::Coordinator
        } else {
            let address = peers.get(&coordinator).copied();
            let missing = || format!("DS_PEERS: no address of the coordinator {coordinator}");
            Role::Worker(address.ok_or_else(missing)?)
        };
        Ok(Self { node, role, listen, shared, data, task_ms, guard })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launched(node: &str) -> Launched {
        let address = "127.0.0.1:4100".parse().unwrap();
        let mapreduce = MapReduce {
            coordinator: "c1".to_owned(),
            shared: PathBuf::from("/shared"),
            task_ms: 700,
        };
        let mut launch = Launched::alone(node.to_owned(), "127.0.0.1:4101".parse().unwrap());
        launch.peers.insert("c1".to_owned(), address);
        Launched { mapreduce: Some(mapreduce), ..launch }
    }

    #[test]
    fn whoever_is_not_the_coordinator_works_for_it() {
        let role = |node| Launch::of(launched(node), None).unwrap().role;
        assert_eq!(role("c1"), Role::Coordinator);
        assert_eq!(role("w1"), Role::Worker("127.0.0.1:4100".parse().unwrap()));
    }

    #[test]
    fn what_is_missing_is_named() {
        let stranger = Launched { peers: [].into(), ..launched("w1") };
        let error = Launch::of(stranger, None).unwrap_err();
        assert_eq!(error, "DS_PEERS: no address of the coordinator c1");
        let other = Launched { mapreduce: None, ..launched("w1") };
        assert_eq!(Launch::of(other, None).unwrap_err(), "DS_COORDINATOR is not set");
    }
}
