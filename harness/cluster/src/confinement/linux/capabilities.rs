//! What a node keeps of the capabilities that its namespaces came with.

use std::io;

use nix::errno::Errno;

/// CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_KILL, CAP_SETGID, CAP_SETUID (capabilities(7)): what a program of root needs to become
/// another user and to own files. They reach no other node, for its processes are not seen and its files are not there.
const OF_ROOT: u32 = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7;
/// Asking for one beyond the kernel's last ends the loop.
const ANY: libc::c_ulong = 64;

/// Takes a session keyring of its own: those of one user are shared (session-keyring(7)). Where there are none, nothing is.
pub(crate) fn leave_keyring() {
    const JOIN_SESSION_KEYRING: libc::c_long = 1;
    // SAFETY: it takes a number and no name.
    #[allow(unsafe_code)]
    unsafe {
        libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>());
    }
}

/// Gives up, for the calling process and all that it becomes, whatever could change mounts, networks or other processes: those
/// of root keep what [`OF_ROOT`] says, those of others nothing.
pub(crate) fn drop_capabilities() -> io::Result<()> {
    let kept = if nix::unistd::geteuid().is_root() { OF_ROOT } else { 0 };
    for capability in 0..ANY {
        if kept.checked_shr(u32::try_from(capability).unwrap_or(u32::MAX)).unwrap_or(0) & 1 == 1 {
            continue;
        }
        match control(libc::PR_CAPBSET_DROP, capability) {
            Err(Errno::EINVAL) => break,
            done => done?,
        }
    }
    control(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong)?;
    control(libc::PR_SET_NO_NEW_PRIVS, 1)?;
    set(kept)
}

fn control(option: libc::c_int, argument: libc::c_ulong) -> nix::Result<()> {
    // SAFETY: these options take numbers only.
    #[allow(unsafe_code)]
    let done = unsafe { libc::prctl(option, argument, 0, 0, 0) };
    Errno::result(done).map(drop)
}

/// The kernel's structures for capset(2), version 3.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

fn set(kept: u32) -> io::Result<()> {
    let header = Header { version: 0x2008_0522, pid: 0 };
    let none = Data { effective: 0, permitted: 0, inheritable: 0 };
    let data = [Data { effective: kept, permitted: kept, inheritable: 0 }, none];
    // SAFETY: both outlive the call, and version 3 takes two sets.
    #[allow(unsafe_code)]
    let done = unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) };
    Errno::result(done)?;
    Ok(())
}
