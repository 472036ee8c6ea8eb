//! Changing what is mounted where, for the calling process and those below it.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};

/// From now on no mount of this process shows elsewhere.
pub(super) fn detach_from_the_machine() -> io::Result<()> {
    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    Ok(mount(None::<&str>, "/", None::<&str>, flags, None::<&str>)?)
}

/// Something of the file system that is to be seen again after what is above it was hidden.
pub(super) struct Kept {
    path: PathBuf,
    /// Names the file itself, whatever comes to lie over its path.
    file: File,
}

impl Kept {
    /// `None` of a path where nothing is.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(path);
        match file {
            Ok(file) => Ok(Some(Self { path: path.to_owned(), file })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Shows it at its path, where an empty file or folder is made for it if need be.
    pub(super) fn show(&self) -> io::Result<()> {
        if !self.path.exists() {
            if self.file.metadata()?.is_dir() {
                std::fs::create_dir_all(&self.path)?;
            } else {
                self.path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
                File::create(&self.path)?;
            }
        }
        let itself = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
        Ok(mount(Some(itself.as_str()), &self.path, None::<&str>, flags, None::<&str>)?)
    }
}

/// Lays an empty folder in memory over this one.
pub(super) fn hide(folder: &Path, limit_bytes: u64) -> io::Result<()> {
    let options = format!("size={limit_bytes},mode=1777");
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    Ok(mount(Some("tmpfs"), folder, Some("tmpfs"), flags, Some(options.as_str()))?)
}

/// Whether what is mounted here may be written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    ReadOnly,
    ReadWrite,
}

/// Sets it for the mount at this path and for all below it (mount_setattr(2)).
pub(super) fn allow(path: &Path, access: Access) -> io::Result<()> {
    let (set, clear) = match access {
        Access::ReadOnly => (libc::MOUNT_ATTR_RDONLY, 0),
        Access::ReadWrite => (0, libc::MOUNT_ATTR_RDONLY),
    };
    let attributes =
        libc::mount_attr { attr_set: set, attr_clr: clear, propagation: 0, userns_fd: 0 };
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: path and attributes outlive the call, which only reads them, and the size is theirs.
    #[allow(unsafe_code)]
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    Errno::result(done)?;
    Ok(())
}
