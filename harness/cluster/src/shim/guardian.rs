//! The guardian: the shim's parent, for nodes that turn against their shim.
//!
//! A node that is not confined runs as the same user as its shim and sees it, so it can stop or kill it. The guardian sleeps in
//! one `waitpid`. A stopped shim it continues at once; of a killed one it inherits the whole tree, as the next subreaper up,
//! and kills it. Against itself being attacked:
//!
//! - stopped, it is continued by the kernel when the harness dies (the parent-death signal), and by the harness when the
//!   shim does not answer (see [`crate::last_resort`]);
//! - killed, it is missed by the shim, which the kernel wakes, and which then kills the tree as if the harness had died.
//!
//! What is left to a node: to attack both at once, in a loop or within microseconds, and the harness
//! too, which then cannot help any more.

use std::io;
#[cfg(target_os = "linux")]
use std::{thread, time::Duration};

use nix::unistd::{Pid, getpid, getppid};
#[cfg(target_os = "linux")]
use nix::{
    errno::Errno,
    sys::{
        prctl,
        signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{ForkResult, fork},
};

#[cfg(target_os = "linux")]
use super::tree::Tree;

/// How the guardian ends when the shim was lost and it has seen every process of the tree gone.
pub(crate) const CLEARED: i32 = 3;

/// Where a shim stands among the processes.
pub(super) struct Place {
    /// The parent that it must have, as it sees it: one that has another has lost it.
    pub(super) guardian: Pid,
    /// Its own id, as the harness knows it.
    pub(super) shim: Pid,
}

/// Splits the calling process, which must have one thread: it stays behind as the guardian, for good, and a child
/// returns as the shim. With the keeper of a network, both enter that network, and the shim is the first process of a PID
/// namespace: nothing below it sees or reaches what is above it, and all of it ends with it.
#[cfg(target_os = "linux")]
pub(super) fn stay_behind(network: Option<u32>) -> io::Result<Place> {
    if let Some(keeper) = network {
        crate::confinement::enter_network_and_unshare(keeper)?;
    }
    Tree::adopt_orphans()?;
    // An ignored SIGCHLD, which outlives exec, would reap the shim unseen.
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code of ours.
    #[allow(unsafe_code)]
    unsafe { sigaction(Signal::SIGCHLD, &default) }?;
    SigSet::all().thread_set_mask()?;
    prctl::set_pdeathsig(Signal::SIGCONT)?;
    let guardian = getpid();
    // SAFETY: there is one thread, so the child inherits no lock that nobody will release.
    #[allow(unsafe_code)]
    match unsafe { fork() }? {
        ForkResult::Parent { child } => std::process::exit(guard(child)),
        ForkResult::Child if network.is_some() => {
            prctl::set_pdeathsig(Signal::SIGKILL)?;
            let shim = crate::confinement::mount_own_processes()?;
            // A parent in another PID namespace has no id in this one.
            return Ok(Place { guardian: getppid(), shim });
        }
        ForkResult::Child => prctl::set_pdeathsig(Signal::SIGCONT)?,
    }
    if getppid() == guardian {
        Ok(Place { guardian, shim: getpid() })
    } else {
        Err(io::Error::other("the guardian died during the start"))
    }
}

/// Without subreapers there is nothing to inherit, so there is no guardian: the shim's parent is the harness.
#[cfg(not(target_os = "linux"))]
pub(super) fn stay_behind(_: Option<u32>) -> io::Result<Place> {
    Ok(Place { guardian: getppid(), shim: getpid() })
}

/// Keeps the shim going until it ends; gives the code to end with.
#[cfg(target_os = "linux")]
fn guard(shim: Pid) -> i32 {
    loop {
        match waitpid(shim, Some(WaitPidFlag::WUNTRACED)) {
            Ok(WaitStatus::Stopped(..)) => {
                // Fails only for one that is gone, which the next turn sees.
                let _ = kill(shim, Signal::SIGCONT);
            }
            Ok(WaitStatus::Exited(_, 0)) => return 0,
            Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) => break,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => break,
        }
    }
    clear();
    CLEARED
}

/// Kills what the shim left, until no child is left.
#[cfg(target_os = "linux")]
fn clear() {
    let tree = Tree::of(getpid());
    let mut nap = Duration::from_millis(1);
    loop {
        tree.signal(Signal::SIGKILL);
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => break,
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
        thread::sleep(nap);
        nap = (nap * 2).min(Duration::from_millis(100));
    }
}
