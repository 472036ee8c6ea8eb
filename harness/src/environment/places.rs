//! Where each process of a run listens, and how it is reached: on this machine, or in a world of its own.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use cluster::{Confinement, Files, OwnNetwork, ports};
use contract::NodeId;
use network::{End, Sockets};
use socket2::Socket;

use super::door::Door;

/// The first node listens at the port after this one. In networks of their own, ports clash with nobody's.
const PORT_BEFORE: u16 = 7000;

/// Where processes listen.
pub struct Places {
    listens: HashMap<NodeId, SocketAddr>,
    /// Empty where they share this machine's network.
    networks: HashMap<NodeId, Arc<OwnNetwork>>,
    doors: HashMap<NodeId, Door>,
    /// Whose networks are known to be gone.
    lost: Mutex<HashSet<NodeId>>,
    /// Where programs that speak for nodes serve clients.
    speakers: HashMap<NodeId, SocketAddr>,
    /// Kept from everyone else.
    _ports: Vec<ports::Reservation>,
}

impl Places {
    /// Ports of this machine.
    ///
    /// # Errors
    /// When there are not so many.
    pub fn on_this_machine<'a>(ids: impl Iterator<Item = &'a NodeId>) -> io::Result<Self> {
        let ids: Vec<&NodeId> = ids.collect();
        let ports = ports::reserve(ids.len())?;
        let addresses = ports.iter().map(ports::Reservation::address);
        let listens = ids.into_iter().cloned().zip(addresses).collect();
        Ok(Self {
            listens,
            networks: HashMap::new(),
            doors: HashMap::new(),
            speakers: HashMap::new(),
            lost: Mutex::default(),
            _ports: ports,
        })
    }

    /// A network for each: node i has 127.0.0.i and a port of its own, or this one, and all others know it by that address.
    ///
    /// # Errors
    /// What this machine does not allow.
    pub async fn of_their_own<'a>(
        ids: impl Iterator<Item = &'a NodeId>,
        port: Option<u16>,
        shim: &Path,
    ) -> io::Result<Self> {
        let (mut listens, mut networks, mut doors) =
            (HashMap::new(), HashMap::new(), HashMap::new());
        for (number, id) in (1..).zip(ids) {
            let port = port.unwrap_or(PORT_BEFORE + u16::from(number));
            let shim = shim.to_owned();
            let opening = tokio::task::spawn_blocking(move || OwnNetwork::open(&shim));
            let network = Arc::new(opening.await.map_err(io::Error::other)??);
            let address = (Ipv4Addr::new(127, 0, 0, number), port).into();
            doors.insert(id.clone(), Door::open(within(&network, address)).await?);
            listens.insert(id.clone(), address);
            networks.insert(id.clone(), network);
        }
        Ok(Self {
            listens,
            networks,
            doors,
            speakers: HashMap::new(),
            lost: Mutex::default(),
            _ports: Vec::new(),
        })
    }

    /// Finds ports of this machine for the programs that speak for these nodes.
    ///
    /// # Errors
    /// When there are not so many.
    pub fn add_speakers<'a>(&mut self, ids: impl Iterator<Item = &'a NodeId>) -> io::Result<()> {
        for id in ids {
            let port = ports::reserve(1)?;
            self.speakers.extend(port.iter().map(|port| (id.clone(), port.address())));
            self._ports.extend(port);
        }
        Ok(())
    }

    /// Where the program that speaks for a node serves clients; `None` where the node speaks for itself.
    #[must_use]
    pub fn speaker(&self, id: &NodeId) -> Option<SocketAddr> {
        self.speakers.get(id).copied()
    }

    /// `DS_LISTEN`.
    #[must_use]
    pub fn listen(&self, id: &NodeId) -> SocketAddr {
        self.listens[id]
    }

    /// Where it listens with this port, or its first.
    #[must_use]
    pub fn listen_at(&self, id: &NodeId, port: Option<u16>) -> SocketAddr {
        let listen = self.listens[id];
        SocketAddr::new(listen.ip(), port.unwrap_or(listen.port()))
    }

    /// Where the bench asks it, or the program that speaks for it, past all links.
    #[must_use]
    pub fn door(&self, id: &NodeId) -> SocketAddr {
        let door = || self.doors.get(id).map_or(self.listens[id], Door::address);
        self.speaker(id).unwrap_or_else(door)
    }

    /// Where this port of it is reached.
    #[must_use]
    pub fn upstream(&self, id: &NodeId, port: Option<u16>) -> End {
        let address = self.listen_at(id, port);
        match self.networks.get(id) {
            Some(network) => within(network, address),
            None => End::here(address),
        }
    }

    /// Where `from`, which may be no node, dials this port of `to`.
    #[must_use]
    pub fn downstream(&self, from: &str, to: &NodeId, port: Option<u16>) -> End {
        match self.networks.get(from) {
            Some(network) => within(network, self.listen_at(to, port)),
            None => End::any_port(),
        }
    }

    /// The nodes whose networks are gone, although nobody ended them; each said once.
    pub fn lost(&self) -> Vec<NodeId> {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = self.networks.iter().filter(|(_, network)| !network.is_there());
        gone.filter(|(id, _)| lost.insert((*id).clone())).map(|(id, _)| id.clone()).collect()
    }

    /// What a node is kept to, if it is.
    #[must_use]
    pub fn confinement(&self, id: &NodeId, files: impl FnOnce() -> Files) -> Option<Confinement> {
        let network = Arc::clone(self.networks.get(id)?);
        Some(Confinement { network, files: files() })
    }
}

/// What a node sees of the machine's files: not what the bench writes about the run, no other node's data, and of this user's
/// home only the submission, what its command names and where programs are.
#[must_use]
pub fn files(submission: &Path, argv: &[OsString], run: &Path, writable: Vec<PathBuf>) -> Files {
    let real = |path: PathBuf| path.canonicalize().ok();
    let home = home();
    let temporary = ["/tmp", "/var/tmp", "/dev/shm", "/run"].map(PathBuf::from);
    let hidden = temporary.into_iter().chain([std::env::temp_dir(), run.to_owned()]);
    let hidden: Vec<PathBuf> = hidden.filter_map(real).chain(home.clone()).collect();
    let hides_below = |folder: &Path| hidden.iter().any(|hidden| hidden.starts_with(folder));
    let named = argv.iter().filter_map(|word| {
        let named = real(submission.join(word))?;
        // What lies beside a program, too, but nothing that is to be hidden.
        let beside = named.parent().filter(|beside| named.is_file() && !hides_below(beside));
        let seen = beside.map_or(named.clone(), Path::to_owned);
        (!hides_below(&seen)).then_some(seen)
    });
    let project = home.iter().filter_map(|home| project_below(home, submission));
    let visible = [submission.to_owned()].into_iter().filter_map(real).chain(project).chain(named);
    let visible = visible.chain(programs_below(&hidden)).collect();
    Files { writable: writable.into_iter().filter_map(real).collect(), hidden, visible }
}

/// This user's home, without links; `None` of one who has no other than the whole machine.
fn home() -> Option<PathBuf> {
    let home = std::env::home_dir()?.canonicalize().ok()?;
    home.parent().is_some().then_some(home)
}

/// The checkout that a submission is part of: what it needs may lie beside it.
fn project_below(home: &Path, submission: &Path) -> Option<PathBuf> {
    let mut above =
        submission.ancestors().take_while(|folder| folder.starts_with(home) && *folder != home);
    above.find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

/// What lies in hidden folders and holds programs, or what programs are told to look at: what a variable names, such as PATH or
/// JAVA_HOME.
fn programs_below(hidden: &[PathBuf]) -> Vec<PathBuf> {
    let variables = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        ["PATH", "_HOME", "ROOT", "_ENV"].iter().any(|end| name.ends_with(end))
            && !name.starts_with("XDG_")
    });
    let paths = variables.flat_map(|(_, value)| std::env::split_paths(&value).collect::<Vec<_>>());
    let paths = paths.filter_map(|path| path.canonicalize().ok());
    // Programs there may be links to what lies beside their folder: all of it is shown.
    let tops = paths.flat_map(|path| {
        let top = |hidden: &PathBuf| {
            Some(hidden.join(path.strip_prefix(hidden).ok()?.components().next()?))
        };
        hidden.iter().filter_map(top).collect::<Vec<_>>()
    });
    // A program of Rust's package manager finds its compiler there by itself.
    let compilers = hidden.iter().map(|hidden| hidden.join(".rustup"));
    let mut tops: Vec<PathBuf> = tops.chain(compilers).filter(|path| path.exists()).collect();
    tops.sort();
    tops.dedup();
    tops
}

fn within(network: &Arc<OwnNetwork>, address: SocketAddr) -> End {
    End::within(Arc::new(Within(Arc::clone(network))), address)
}

/// A node's network, as links see it.
struct Within(Arc<OwnNetwork>);

impl Sockets for Within {
    fn socket(&self) -> io::Result<Socket> {
        self.0.socket()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_and_what_is_shared_are_hidden_and_the_data_and_the_store_are_not() {
        let place = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = place.path().canonicalize().unwrap().join(name);
            std::fs::create_dir_all(&folder).unwrap();
            folder
        };
        let (store, run, data) = (folder("store"), folder("run"), folder("run/nodes/n1/data"));
        std::fs::write(store.join("program"), "").unwrap();
        let argv = ["./program", "--flag", "/tmp", "/"].map(OsString::from);
        let files = files(&store, &argv, &run, vec![data.clone()]);
        assert_eq!(files.writable, [data]);
        for hidden in [&run, Path::new("/tmp"), Path::new("/dev/shm"), &home().unwrap()] {
            assert!(files.hidden.iter().any(|folder| folder == hidden), "{files:?}");
        }
        assert!(files.visible.contains(&store));
        let is_seen = |path: &Path| {
            files.visible.iter().any(|seen| path.starts_with(seen) && seen != Path::new("/"))
        };
        assert!(!is_seen(&run) && !is_seen(&place.path().join("other")), "{files:?}");
    }
}
