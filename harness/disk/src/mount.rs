//! Mounting, without the help of fusermount.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use nix::mount::MsFlags;
use nix::unistd::{getgid, getuid};

/// Opens `/dev/fuse` and mounts it on a folder; [`serve`](crate::serve) answers for it, in this process or another one.
/// Until then whoever uses the mount waits. The calling process needs CAP_SYS_ADMIN in the user namespace that its mount
/// namespace belongs to; being root of a namespace of its own is enough.
///
/// # Errors
/// What open(2) and mount(2) say: the kernel has no FUSE, the device may not be opened, the folder is not there, or
/// the process may not mount.
pub fn mount(at: &Path) -> io::Result<OwnedFd> {
    const S_IFDIR: u32 = 0o040_000;
    // The kernel asks that the mounting user namespace is the one in which the device was opened.
    let device: File = OpenOptions::new().read(true).write(true).open("/dev/fuse")?;
    let options = format!(
        "fd={},rootmode={S_IFDIR:o},user_id={},group_id={},default_permissions,allow_other",
        device.as_raw_fd(),
        getuid(),
        getgid(),
    );
    let flags = MsFlags::MS_NODEV | MsFlags::MS_NOSUID | MsFlags::MS_NOATIME;
    nix::mount::mount(Some("disk"), at, Some("fuse"), flags, Some(options.as_str()))?;
    Ok(device.into())
}
