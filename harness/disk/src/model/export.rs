//! The tree as files of the machine, for people who look at it after a run.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};

use super::{Disk, Ino, Node, PAGE_BYTES, ROOT};

impl Disk {
    /// Copies the tree, as processes last saw it, into a folder, which is made if it is not there. Permissions, times,
    /// pipes and sockets are left out.
    ///
    /// # Errors
    /// The machine cannot write it, or something is there already that the tree has too.
    pub fn export(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut copies = BTreeMap::new();
        let mut open = vec![(ROOT, folder.to_owned())];
        while let Some((ino, to)) = open.pop() {
            for entry in self.entries(ino)? {
                let to = to.join(&entry.name);
                if self.export_one(entry.ino, &to, &mut copies)? {
                    open.push((entry.ino, to));
                }
            }
        }
        Ok(())
    }

    /// Copies one inode without what lies in it, and says whether something may.
    fn export_one(
        &self,
        ino: Ino,
        to: &Path,
        copies: &mut BTreeMap<Ino, PathBuf>,
    ) -> io::Result<bool> {
        match &self.inode(ino)?.node {
            Node::Folder(_) => {
                fs::create_dir(to)?;
                return Ok(true);
            }
            Node::File(data) => {
                if let Some(copy) = copies.get(&ino) {
                    fs::hard_link(copy, to)?;
                    return Ok(false);
                }
                let file = fs::File::create_new(to)?;
                file.set_len(data.live().size_bytes)?;
                for (number, page) in data.live().pages() {
                    let at = number * PAGE_BYTES as u64;
                    let rest = data.live().size_bytes.saturating_sub(at);
                    let length = rest.min(PAGE_BYTES as u64) as usize;
                    file.write_all_at(&page[..length], at)?;
                }
                copies.insert(ino, to.to_owned());
            }
            Node::Symlink(target) => symlink(target, to)?,
            Node::Fifo | Node::Socket => {}
        }
        Ok(false)
    }
}
