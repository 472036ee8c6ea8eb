//! What a node may touch, enforced by Landlock where the kernel has it.
//!
//! Landlock needs no privileges and is inherited by everything the node starts. It knows no UDP, and a kernel may know
//! only part of what is asked: [`Enforced`] says which part held.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a node may touch. Reading and running files is allowed everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// The folders below which it may write; they must exist. `/dev/null` is always writable. A program that needs
    /// temporary files needs a folder for them here, and `TMPDIR` pointing to it.
    pub writable: Vec<PathBuf>,
    /// The TCP ports it may use; `None` leaves them all open.
    pub tcp: Option<TcpPorts>,
}

/// The TCP ports a node may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpPorts {
    /// To listen on.
    pub bind: Vec<u16>,
    /// To connect to.
    pub connect: Vec<u16>,
}

/// Which parts of a sandbox this kernel enforces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enforced {
    /// No writes outside the given folders.
    pub writes: bool,
    /// No TCP but on the given ports.
    pub tcp: bool,
    /// No signals, and no abstract Unix sockets, to processes outside the node.
    pub signals: bool,
}

impl Enforced {
    /// What a version of Landlock's interface can enforce (landlock(7), "VERSIONS").
    pub fn by(abi: u32) -> Enforced {
        Enforced { writes: abi >= 1, tcp: abi >= 4, signals: abi >= 6 }
    }
}

/// The version of Landlock's interface in this kernel; `None` where there is none or it is switched off.
pub fn landlock_abi() -> Option<u32> {
    #[cfg(target_os = "linux")]
    {
        const LANDLOCK_CREATE_RULESET_VERSION: libc::c_long = 1;
        // SAFETY: with this flag the call takes no memory, creates nothing and only returns a number.
        #[allow(unsafe_code)]
        let abi = unsafe {
            libc::syscall(
                libc::SYS_landlock_create_ruleset,
                std::ptr::null::<libc::c_void>(),
                0 as libc::c_long,
                LANDLOCK_CREATE_RULESET_VERSION,
            )
        };
        u32::try_from(abi).ok().filter(|&abi| abi > 0)
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// A sandbox that was set up but not entered yet.
pub(crate) struct Prepared {
    #[cfg(target_os = "linux")]
    ruleset: landlock::RulesetCreated,
}

impl Prepared {
    /// Sets up as much of a sandbox as the kernel knows; `None` when it knows nothing.
    #[cfg(target_os = "linux")]
    pub(crate) fn new(sandbox: &Sandbox) -> Result<(Option<Prepared>, Enforced), String> {
        let Some(abi) = landlock_abi() else { return Ok((None, Enforced::default())) };
        let ruleset = linux::ruleset(sandbox).map_err(|error| error.to_string())?;
        let mut enforced = Enforced::by(abi);
        enforced.tcp &= sandbox.tcp.is_some();
        Ok((Some(Prepared { ruleset }), enforced))
    }

    /// There is no sandbox here.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new(_: &Sandbox) -> Result<(Option<Prepared>, Enforced), String> {
        Ok((None, Enforced::default()))
    }

    /// Enters the sandbox, for good.
    #[cfg(target_os = "linux")]
    pub(crate) fn enter(self) -> io::Result<()> {
        let status = self.ruleset.restrict_self().map_err(io::Error::other)?;
        match status.ruleset {
            landlock::RulesetStatus::NotEnforced => {
                Err(io::Error::other("the kernel did not enforce the sandbox"))
            }
            _ => Ok(()),
        }
    }

    /// There is no sandbox here.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn enter(self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;

    use landlock::{
        ABI, Access, AccessFs, AccessNet, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr,
        RulesetCreated, RulesetCreatedAttr, Scope,
    };

    use super::Sandbox;

    /// The newest interface whose restrictions were tried; the crate leaves out what the kernel does not know.
    const TRIED: ABI = ABI::V6;

    pub(super) fn ruleset(sandbox: &Sandbox) -> Result<RulesetCreated, Box<dyn std::error::Error>> {
        let write = AccessFs::from_write(TRIED);
        let mut ruleset = Ruleset::default().handle_access(write)?.scope(Scope::from_all(TRIED))?;
        if sandbox.tcp.is_some() {
            ruleset = ruleset.handle_access(AccessNet::from_all(TRIED))?;
        }
        let mut created = ruleset.create()?;
        for folder in &sandbox.writable {
            created = created.add_rule(PathBeneath::new(open(folder)?, write))?;
        }
        let null = AccessFs::WriteFile | AccessFs::IoctlDev;
        created = created.add_rule(PathBeneath::new(open(Path::new("/dev/null"))?, null))?;
        let Some(ports) = &sandbox.tcp else { return Ok(created) };
        for &port in &ports.bind {
            created = created.add_rule(NetPort::new(port, AccessNet::BindTcp))?;
        }
        for &port in &ports.connect {
            created = created.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
        }
        Ok(created)
    }

    fn open(path: &Path) -> Result<PathFd, String> {
        PathFd::new(path).map_err(|error| format!("{}: {error}", path.display()))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::ErrorKind;
    use std::net::TcpListener;

    use super::*;
    use crate::ports;

    /// Landlock restricts the calling thread, so a thread of its own is sandbox enough.
    #[test]
    fn listening_on_other_ports_is_denied() {
        if landlock_abi().unwrap_or(0) < 4 {
            println!("SKIPPED: needs Landlock version 4");
            return;
        }
        let reserved = ports::reserve(2).unwrap();
        let [allowed, denied] = [&reserved[0], &reserved[1]].map(ports::Reservation::address);
        let tcp = TcpPorts { bind: vec![allowed.port()], connect: vec![] };
        let sandbox = Sandbox { writable: vec![], tcp: Some(tcp) };
        let restricted = std::thread::spawn(move || {
            let (prepared, enforced) = Prepared::new(&sandbox).unwrap();
            prepared.unwrap().enter().unwrap();
            assert!(enforced.tcp);
            (TcpListener::bind(allowed).is_ok(), TcpListener::bind(denied).map_err(|e| e.kind()))
        });
        let (allowed, denied) = restricted.join().unwrap();
        assert!(allowed);
        assert_eq!(denied.unwrap_err(), ErrorKind::PermissionDenied);
    }
}
