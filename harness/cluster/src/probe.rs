//! What this machine lets the bench do, and what a lack means: nothing is skipped in silence.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use nix::sys::resource::{Resource, getrlimit};
use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};

use crate::ports;
use crate::sandbox::{Enforced, landlock_abi};

/// Below this much free space a run may end with a full disk.
const COMFORTABLE_DISK_BYTES: u64 = 1 << 30;
/// Below this many descriptors a run with many clients may run out of them.
const COMFORTABLE_OPEN_FILES: u64 = 1024;
/// Fewer cores let nodes, clients and faults starve each other.
const COMFORTABLE_CORES: usize = 2;

/// Something the bench can use, if it is there.
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
    vec![
        loopback_ports(),
        process_trees(),
        landlock(),
        namespaces(),
        cgroups(),
        fuse(),
        browser(),
        disk(folder),
        open_files(),
        cores(),
    ]
}

fn loopback_ports() -> Ability {
    let reserved = ports::reserve(8);
    Ability {
        name: "loopback ports",
        available: reserved.is_ok(),
        detail: match reserved {
            Ok(ports) => format!("reserved {} for a moment", ports.len()),
            Err(error) => error.to_string(),
        },
        means: "no node can be started",
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

fn landlock() -> Ability {
    let abi = landlock_abi();
    let enforced = Enforced::by(abi.unwrap_or(0));
    let parts =
        [(enforced.writes, "writes"), (enforced.tcp, "TCP ports"), (enforced.signals, "signals")];
    let parts: Vec<&str> = parts.iter().filter(|(held, _)| *held).map(|(_, name)| *name).collect();
    Ability {
        name: "sandbox (Landlock)",
        available: abi.is_some(),
        detail: match abi {
            Some(abi) => format!("interface version {abi}: {}", parts.join(", ")),
            None => "not in this kernel, or switched off".into(),
        },
        means: "nodes can write anywhere and connect around the fault proxy; only run code you trust",
    }
}

fn namespaces() -> Ability {
    let tried = try_namespaces();
    Ability {
        name: "user and network namespaces",
        available: tried.is_ok(),
        detail: tried.map_or_else(|why| why, |()| "a process of its own got both".into()),
        means: "programs that cannot be told proxy addresses cannot be partitioned",
    }
}

/// Lets a child enter both; this process stays where it is.
#[cfg(target_os = "linux")]
fn try_namespaces() -> Result<(), String> {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    let mut child = Command::new("/bin/true");
    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: between fork and exec the child makes a single system call, which takes no memory and no locks.
    #[allow(unsafe_code)]
    unsafe {
        child.pre_exec(|| match libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        });
    }
    child.status().map(drop).map_err(|error| error.to_string())
}

#[cfg(not(target_os = "linux"))]
fn try_namespaces() -> Result<(), String> {
    Err("this system has none".into())
}

fn cgroups() -> Ability {
    let found = own_cgroup();
    let (available, detail) = match &found {
        None => (false, "no cgroup v2".into()),
        Some(group) => {
            let writable = ["cgroup.procs", "cgroup.subtree_control"]
                .iter()
                .all(|file| access(&group.join(file), AccessFlags::W_OK).is_ok());
            let controllers =
                fs::read_to_string(group.join("cgroup.controllers")).unwrap_or_default();
            let controllers: Vec<&str> = controllers.split_ascii_whitespace().collect();
            let usable =
                writable && ["cpu", "memory"].iter().all(|name| controllers.contains(name));
            let state = if writable { "writable" } else { "not delegated to this user" };
            (
                usable,
                format!("{} is {state}; controllers: {}", group.display(), controllers.join(" ")),
            )
        }
    };
    Ability {
        name: "cgroup v2 delegation",
        available,
        detail,
        means: "memory and processor time of a node as a whole are not limited, only those of each process",
    }
}

/// The folder of this process' cgroup in the unified hierarchy.
fn own_cgroup() -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let mount = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let folder = fields.next()?;
        (fields.next()? == "cgroup2").then(|| PathBuf::from(folder))
    })?;
    Some(mount.join(path))
}

fn fuse() -> Ability {
    let device = OpenOptions::new().read(true).write(true).open("/dev/fuse");
    let helper = on_path("fusermount3");
    Ability {
        name: "FUSE",
        available: device.is_ok() && helper.is_some(),
        detail: match (device, helper) {
            (Ok(_), Some(helper)) => format!("/dev/fuse and {}", helper.display()),
            (Ok(_), None) => "/dev/fuse, but no fusermount3 on PATH".into(),
            (Err(error), _) => format!("/dev/fuse: {error}"),
        },
        means: "disk faults are off: lost, torn and failing writes are not tried",
    }
}

fn browser() -> Ability {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let found = names.iter().find_map(|name| on_path(name));
    Ability {
        name: "browser",
        available: found.is_some(),
        detail: found.map_or_else(
            || "no Chromium or Chrome on PATH".into(),
            |path| path.display().to_string(),
        ),
        means: "reports are written all the same, but cannot be rendered to an image or tested here",
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

/// An executable on PATH.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file() && access(file, AccessFlags::X_OK).is_ok())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::abilities;

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
