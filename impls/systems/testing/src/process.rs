//! A process with all its descendants, which end with it.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::Path,
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// A running process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts it. What it prints goes to the end of `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> io::Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        let errors = log.try_clone()?;
        Ok(Self(command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn()?))
    }

    /// Stops it and all its descendants where they are.
    pub(crate) fn stop(&self) {
        self.freeze();
    }

    /// What is stopped starts no more processes: whoever was started meanwhile is found in the next round.
    fn freeze(&self) -> BTreeSet<u32> {
        let mut stopped = BTreeSet::new();
        loop {
            let tree = descendants(self.0.id());
            let new: Vec<u32> = tree.difference(&stopped).copied().collect();
            if new.is_empty() {
                return stopped;
            }
            for id in new {
                signal(id, Signal::SIGSTOP);
                stopped.insert(id);
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        for id in self.freeze() {
            signal(id, Signal::SIGKILL);
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn signal(id: u32, signal: Signal) {
    // Whoever has ended meanwhile needs no signal.
    let _ = i32::try_from(id).map(|id| kill(Pid::from_raw(id), signal));
}

/// The process with all that descend from it, by what `/proc` tells.
fn descendants(root: u32) -> BTreeSet<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|id: u32| Some((id, parent(id)?)))
        .collect();
    let mut tree = BTreeSet::from([root]);
    loop {
        let before = tree.len();
        tree.extend(
            parents
                .iter()
                .filter(|(_, parent)| tree.contains(parent))
                .map(|(id, _)| *id)
                .collect::<Vec<_>>(),
        );
        if tree.len() == before {
            return tree;
        }
    }
}

fn parent(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may hold anything; behind it come the state and the parent.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
