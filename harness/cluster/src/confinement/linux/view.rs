//! Entering what a node sees of the machine's files.

use std::io;
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
        allow(Path::new("/"), Access::ReadOnly, true)?;
        // Of its own processes only.
        allow(Path::new("/proc"), Access::ReadWrite, false)?;
        let is_hidden = |folder: &&PathBuf| folder.is_dir() && !self.visible.contains(folder);
        let mut hidden: Vec<&PathBuf> = self.hidden.iter().filter(is_hidden).collect();
        // What lies below another one comes first: it stays hidden where what is between them is to be seen.
        hidden.sort_by(|one, other| other.cmp(one));
        for folder in hidden {
            hide(folder, HIDDEN_LIMIT_BYTES)?;
        }
        for kept in &visible {
            if self.hidden.iter().any(|hidden| kept.path().starts_with(hidden)) {
                kept.show()?;
            }
        }
        for kept in &writable {
            kept.show()?;
            allow(kept.path(), Access::ReadWrite, true)?;
        }
        std::env::set_current_dir(folder)
    }
}

fn kept(paths: &[PathBuf]) -> io::Result<Vec<Kept>> {
    let kept = paths.iter().map(|path| Kept::open(path));
    kept.filter_map(Result::transpose).collect()
}
