//! What this machine lets the bench do, and what a lack means: nothing is skipped in silence.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit};
use nix::sys::statvfs::statvfs;

use crate::ports;

/// Below this much free space a run may end with a full disk.
const COMFORTABLE_DISK_BYTES: u64 = 1 << 30;
/// Below this many descriptors a run with many clients may run out of them.
const COMFORTABLE_OPEN_FILES: u64 = 1024;
/// Fewer cores let nodes, clients and faults starve each other.
const COMFORTABLE_CORES: usize = 2;

/// A machine that does not reach itself within this time has no loopback.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// Something that every run uses, if it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ability {
    /// Its name.
    pub name: &'static str,
    /// Whether it is there, tried where it can be tried.
    pub available: bool,
    /// What was found.
    pub detail: String,
    /// What the lack of it means for a run and its verdict.
    pub means: &'static str,
}

/// Tries everything; `folder` is where results will be written. Blocks for some milliseconds.
pub fn abilities(folder: &Path) -> Vec<Ability> {
    vec![loopback_ports(), process_trees(), disk(folder), open_files(), cores()]
}

/// Whether a program on this machine reaches another one through 127.0.0.1, as clients and nodes do.
///
/// # Errors
/// What the system says where it does not.
pub fn loopback() -> io::Result<()> {
    reaches_itself(Ipv4Addr::LOCALHOST.into())
}

fn reaches_itself(address: IpAddr) -> io::Result<()> {
    let listener = TcpListener::bind(SocketAddr::new(address, 0))?;
    TcpStream::connect_timeout(&listener.local_addr()?, CONNECT_LIMIT).map(drop)
}

fn loopback_ports() -> Ability {
    let reserved = ports::reserve(8).and_then(|ports| loopback().map(|()| ports));
    Ability {
        name: "loopback ports",
        available: reserved.is_ok(),
        detail: match reserved {
            Ok(ports) => format!("reserved {} for a moment, connected to one", ports.len()),
            Err(error) => error.to_string(),
        },
        means: "no node can be started or reached",
    }
}

fn process_trees() -> Ability {
    let proc = Path::new("/proc/self/task").is_dir();
    let linux = cfg!(target_os = "linux");
    Ability {
        name: "whole process trees",
        available: linux && proc,
        detail: match (linux, proc) {
            (true, true) => "child subreaper and /proc".into(),
            (true, false) => "/proc is not mounted".into(),
            (false, _) => "this system has process groups only".into(),
        },
        means: "kill and pause miss processes that leave the node's process group, and such processes survive the run",
    }
}

fn disk(folder: &Path) -> Ability {
    // A folder that does not exist yet will be made on its parent's disk.
    let existing = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    #[allow(clippy::useless_conversion)] // Blocks are 32 bits wide on macOS.
    let free = statvfs(existing)
        .map(|stats| u64::from(stats.blocks_available()).saturating_mul(stats.fragment_size()));
    Ability {
        name: "free disk",
        available: free.is_ok_and(|bytes| bytes >= COMFORTABLE_DISK_BYTES),
        detail: match free {
            Ok(bytes) => format!("{} MiB in {}", bytes >> 20, existing.display()),
            Err(error) => error.to_string(),
        },
        means: "a run may fill the disk and end inconclusive",
    }
}

fn open_files() -> Ability {
    let limit = getrlimit(Resource::RLIMIT_NOFILE);
    Ability {
        name: "open files",
        available: limit.is_ok_and(|(soft, _)| soft >= COMFORTABLE_OPEN_FILES),
        detail: match limit {
            Ok((soft, hard)) => format!("{soft}, can be raised to {hard}"),
            Err(error) => error.to_string(),
        },
        means: "many nodes and clients may run out of descriptors; raise it with `ulimit -n`",
    }
}

fn cores() -> Ability {
    let cores = std::thread::available_parallelism();
    Ability {
        name: "cores",
        available: cores.as_ref().is_ok_and(|cores| cores.get() >= COMFORTABLE_CORES),
        detail: cores.map_or_else(|error| error.to_string(), |cores| cores.to_string()),
        means: "nodes starve each other: latencies say little and liveness checks become inconclusive",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{abilities, loopback, reaches_itself};

    #[test]
    fn an_address_that_is_not_here_is_not_reached() {
        loopback().unwrap();
        // TEST-NET-1, which no machine has (RFC 5737).
        assert!(reaches_itself("192.0.2.1".parse().unwrap()).is_err());
    }

    #[test]
    fn every_ability_says_what_was_found_and_what_its_lack_means() {
        let abilities = abilities(Path::new("/nowhere/yet"));
        for ability in &abilities {
            println!("{ability:?}");
            assert!(!ability.detail.is_empty() && !ability.means.is_empty(), "{ability:?}");
        }
        let names: std::collections::HashSet<_> = abilities.iter().map(|a| a.name).collect();
        assert_eq!(names.len(), abilities.len());
    }
}
