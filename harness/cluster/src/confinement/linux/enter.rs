//! Entering a node's network, and processes of its own, on the way from guardian to shim.

use std::fs::File;
use std::io;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::Pid;

use super::mounts;

/// Moves the calling process, which must have one thread, into the network that this keeper lives in; the children that it
/// forks from now on see no processes but those below the first of them.
pub(crate) fn enter_network_and_unshare(keeper: u32) -> io::Result<()> {
    let namespace = |name: &str| File::open(format!("/proc/{keeper}/ns/{name}"));
    let (user, network) = (namespace("user")?, namespace("net")?);
    setns(user, CloneFlags::CLONE_NEWUSER)?;
    setns(network, CloneFlags::CLONE_NEWNET)?;
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC)?;
    mounts::detach_from_the_machine()
}

/// Shows the calling process, the first of its kind, and all below it only themselves in `/proc`; gives the id by which it is
/// known outside.
pub(crate) fn mount_own_processes() -> io::Result<Pid> {
    // What is mounted there until now shows it as the others see it.
    let outside = std::fs::read_link("/proc/self")?;
    let outside = outside.to_str().and_then(|id| id.parse().ok());
    let outside = outside.ok_or_else(|| io::Error::other("/proc/self names no process"))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>).map_err(|error| {
        io::Error::other(format!("this machine allows no /proc in a PID namespace ({error})"))
    })?;
    Ok(Pid::from_raw(outside))
}
