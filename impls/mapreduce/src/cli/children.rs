//! The nodes of a run, as child processes.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use super::progress::Progress;
use crate::launch::GUARD;

/// The coordinator's id.
const COORDINATOR: &str = "c1";

/// A coordinator and workers. They are killed when this is dropped; if this process dies before, they see their stdin close.
pub struct Children {
    /// The coordinator comes first.
    children: Vec<(String, Child)>,
    /// Where the coordinator listens.
    pub coordinator: SocketAddr,
}

impl Children {
    /// Starts them on free ports. All they write goes into `folder`.
    ///
    /// # Errors
    /// A process cannot be started, or there is no free port.
    pub fn start(workers: u16, folder: &Path, progress: &Progress) -> Result<Self, String> {
        let addresses = free_addresses(usize::from(workers) + 1)
            .map_err(|error| format!("there is no free port on 127.0.0.1: {error}"))?;
        let coordinator = addresses[0];
        let mut started = Self { children: Vec::new(), coordinator };
        let ids = (1..=workers).map(|number| format!("w{number}"));
        for (id, address) in std::iter::once(COORDINATOR.to_owned()).chain(ids).zip(addresses) {
            let mut child = started
                .command(&id, address, folder)
                .and_then(|mut command| command.spawn())
                .map_err(|error| format!("cannot start {id}: {error}"))?;
            if let Some(stderr) = child.stderr.take() {
                relay(id.clone(), stderr, progress.clone());
            }
            started.children.push((id, child));
        }
        Ok(started)
    }

    fn command(&self, id: &str, address: SocketAddr, folder: &Path) -> std::io::Result<Command> {
        let peers = BTreeMap::from([(COORDINATOR, self.coordinator)]);
        let role = if id == COORDINATOR { "mr-coordinator" } else { "mr-worker" };
        let mut command = Command::new(std::env::current_exe()?);
        command
            .env("DS_NODE", id)
            .env("DS_ROLE", role)
            .env("DS_LISTEN", address.to_string())
            .env("DS_PEERS", serde_json::to_string(&peers)?)
            .env("DS_COORDINATOR", COORDINATOR)
            .env("DS_SHARED", folder.join("shared"))
            .env("DS_DATA", folder.join(id))
            .env(GUARD, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if std::env::var_os("RUST_LOG").is_none() {
            command.env("RUST_LOG", "warn");
        }
        Ok(command)
    }

    /// Whether the coordinator and at least one worker live.
    ///
    /// # Errors
    /// They do not.
    pub fn check(&mut self) -> Result<(), String> {
        let mut lives = Vec::new();
        for (id, child) in &mut self.children {
            let ended =
                child.try_wait().map_err(|error| format!("cannot look after {id}: {error}"))?;
            lives.push(ended.is_none());
        }
        match lives.split_first() {
            Some((false, _)) | None => Err("the coordinator has ended; see above why".to_owned()),
            Some((true, workers)) if !workers.contains(&true) => {
                Err("all workers have ended; see above why".to_owned())
            }
            Some(_) => Ok(()),
        }
    }

    /// The most memory that one of the workers has taken so far, as far as the system tells.
    pub fn peak_mib(&self) -> Option<u64> {
        let peak_kib = |(_, child): &(String, Child)| {
            let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
        };
        self.children.iter().skip(1).filter_map(peak_kib).max().map(|peak_kib| peak_kib / 1024)
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        // One that cannot be killed has ended already.
        for (_, child) in &mut self.children {
            let _ = child.kill();
        }
        for (_, child) in &mut self.children {
            let _ = child.wait();
        }
    }
}

/// Shows what a node logs, with its id before it.
fn relay(id: String, stderr: impl std::io::Read + Send + 'static, progress: Progress) {
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            progress.say(&format!("{id}: {line}"));
        }
    });
}

fn free_addresses(count: usize) -> std::io::Result<Vec<SocketAddr>> {
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    listeners.iter().map(TcpListener::local_addr).collect()
}
