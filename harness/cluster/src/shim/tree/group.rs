//! Systems without subreapers: the node's process group, all that can be had portably. A process that leaves the
//! group escapes; [`crate::probe`] says so.

use std::io;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// The process group that the node leads.
pub(crate) struct Tree(Pid);

impl Tree {
    /// There is no such thing here.
    pub(crate) fn adopt_orphans() -> io::Result<()> {
        Ok(())
    }

    /// The tree of a node that the calling process started.
    pub(crate) fn of(node: Pid) -> Tree {
        Tree(node)
    }

    /// The tree of a node that has these supervisors.
    pub(crate) fn below(_supervisors: &[Pid], node: Pid) -> Tree {
        Tree(node)
    }

    /// Sends a signal to the group.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = killpg(self.0, signal);
    }

    /// At least one process lives, or none.
    pub(crate) fn alive(&self) -> u32 {
        u32::from(killpg(self.0, None).is_ok())
    }

    /// Not known of a group.
    #[allow(clippy::unused_self)] // As on Linux.
    pub(crate) fn memory_bytes(&self) -> Option<u64> {
        None
    }

    /// Stops the group; true when the main process could be signalled.
    pub(crate) fn pause(&self) -> bool {
        self.signal(Signal::SIGSTOP);
        kill(self.0, None).is_ok()
    }

    /// Continues the group.
    pub(crate) fn resume(&self) -> bool {
        self.signal(Signal::SIGCONT);
        true
    }
}
