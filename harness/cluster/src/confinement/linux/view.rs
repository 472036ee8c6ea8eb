//! Entering what a node sees of the machine's files.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, unshare};

use super::mounts::{Access, Kept, allow, hide};
use crate::confinement::Files;

/// How much a node may write to each folder that is hidden from it, which occupies memory.
const HIDDEN_LIMIT_BYTES: u64 = 1 << 30;

impl Files {
    /// Sees nothing else from now on, which only a process with a mount namespace that it may change can do; `folder` becomes the
    /// working folder.
    pub(crate) fn enter(&self, folder: &Path) -> io::Result<()> {
        unshare(CloneFlags::CLONE_NEWNS)?;
        let (writable, visible) = (kept(&self.writable)?, kept(&self.visible)?);
        allow(Path::new("/"), Access::ReadOnly)?;
        let is_hidden = |folder: &&PathBuf| folder.is_dir() && !self.visible.contains(folder);
        let mut hidden: Vec<&PathBuf> = self.hidden.iter().filter(is_hidden).collect();
        // What lies below another one comes first: it stays hidden where what is between them is to be seen.
        hidden.sort_by(|one, other| other.cmp(one));
        for folder in hidden {
            hide(folder, HIDDEN_LIMIT_BYTES)?;
        }
        own_devices()?;
        for kept in &visible {
            if self.hidden.iter().any(|hidden| kept.path().starts_with(hidden)) {
                kept.show()?;
            }
        }
        for kept in &writable {
            kept.show()?;
            allow(kept.path(), Access::ReadWrite)?;
        }
        std::env::set_current_dir(folder)
    }
}

/// Devices that belong to nobody, for a program of root could write to all others.
fn own_devices() -> io::Result<()> {
    const HARMLESS: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
    let folder = Path::new("/dev");
    let devices = kept(&HARMLESS.map(|name| folder.join(name)))?;
    hide(folder, HIDDEN_LIMIT_BYTES)?;
    devices.iter().try_for_each(Kept::show)?;
    std::fs::create_dir(folder.join("shm"))?;
    std::fs::set_permissions(folder.join("shm"), std::fs::Permissions::from_mode(0o1777))?;
    for (name, descriptor) in
        [("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")]
    {
        std::os::unix::fs::symlink(Path::new("/proc/self").join(descriptor), folder.join(name))?;
    }
    Ok(())
}

fn kept(paths: &[PathBuf]) -> io::Result<Vec<Kept>> {
    let kept = paths.iter().map(|path| Kept::open(path));
    kept.filter_map(Result::transpose).collect()
}
