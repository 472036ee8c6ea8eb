//! The last resort against a shim that does not answer: from outside, the harness does what the shim should have done.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::shim::tree::Tree;

/// After this long without an answer a shim may have been stopped, so it is continued.
pub(crate) const PROMPT: Duration = Duration::from_secs(2);
/// How long killing may take. Only a process in an uninterruptible system call should need that.
const PATIENCE: Duration = Duration::from_secs(5);
const NAP: Duration = Duration::from_millis(5);

/// A node and the processes above it. Their ids stay theirs as long as the harness has not waited for the guardian,
/// which in turn buries the shim.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Supervisors {
    pub(crate) guardian: Pid,
    /// The guardian again, on systems that have none.
    pub(crate) shim: Pid,
    pub(crate) node: Pid,
}

impl Supervisors {
    /// Continues stopped supervisors.
    pub(crate) fn resume(self) {
        self.signal(Signal::SIGCONT);
    }

    /// Kills the node's tree, then its supervisors; true when every process of the tree was seen gone. Blocks.
    ///
    /// In this order, since processes whose supervisors are gone are found by nobody.
    pub(crate) fn kill(self) -> bool {
        let tree = Tree::below(&[self.guardian, self.shim], self.node);
        let deadline = Instant::now() + PATIENCE;
        // A scan of `/proc` is no snapshot: one that forked may have been passed by.
        let mut clean_looks = 0;
        while clean_looks < 2 && Instant::now() < deadline {
            if tree.alive() == 0 {
                clean_looks += 1;
            } else {
                clean_looks = 0;
                tree.signal(Signal::SIGKILL);
                thread::sleep(NAP);
            }
        }
        self.signal(Signal::SIGKILL);
        clean_looks == 2
    }

    fn signal(self, signal: Signal) {
        for pid in [self.shim, self.guardian] {
            // One that is gone needs none.
            let _ = kill(pid, signal);
        }
    }
}
