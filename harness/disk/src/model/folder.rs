//! Directories: their entries in memory and on the disk.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use nix::errno::Errno;

use super::names::{Change, Operation};
use super::{Disk, Durability, Ino, Kind, Node};

/// The longest name.
const NAME_BYTES_MAX: usize = 255;

/// A directory.
#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    pub(super) live: BTreeMap<OsString, Ino>,
    pub(super) durable: BTreeMap<OsString, Ino>,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: OsString,
    /// What it leads to.
    pub ino: Ino,
    /// What that is.
    pub kind: Kind,
}

impl Disk {
    /// The inode that has this name in this directory.
    ///
    /// # Errors
    /// ENOENT: there is none, or no such directory. ENOTDIR: it is no directory. ENAMETOOLONG: the name is.
    pub fn lookup(&self, folder: Ino, name: &OsStr) -> Result<Ino, Errno> {
        if name.len() > NAME_BYTES_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        self.folder(folder)?.live.get(name).copied().ok_or(Errno::ENOENT)
    }

    /// The entries of a directory in the order of their names, without `.` and `..`.
    ///
    /// # Errors
    /// ENOENT: there is no such inode. ENOTDIR: it is no directory.
    pub fn entries(&self, folder: Ino) -> Result<Vec<Entry>, Errno> {
        let entry = |(name, ino): (&OsString, &Ino)| {
            let kind = self.inode(*ino).ok()?.node.kind();
            Some(Entry { name: name.clone(), ino: *ino, kind })
        };
        Ok(self.folder(folder)?.live.iter().filter_map(entry).collect())
    }

    /// The directory that a directory lies in; the root lies in itself.
    ///
    /// # Errors
    /// ENOENT: there is no such inode. ENOTDIR: it is no directory.
    pub fn parent(&self, folder: Ino) -> Result<Ino, Errno> {
        self.folder(folder)?;
        Ok(self.inode(folder)?.parents.first().copied().unwrap_or(super::ROOT))
    }

    pub(super) fn folder(&self, ino: Ino) -> Result<&Folder, Errno> {
        match &self.inode(ino)?.node {
            Node::Folder(folder) => Ok(folder),
            Node::File(_) | Node::Symlink(_) | Node::Fifo | Node::Socket => Err(Errno::ENOTDIR),
        }
    }

    /// Makes sure that something new may get this name.
    pub(super) fn is_free(&self, folder: Ino, name: &OsStr) -> Result<(), Errno> {
        let bytes = name.as_encoded_bytes();
        if bytes.is_empty() || bytes == b"." || bytes == b".." || bytes.contains(&b'/') {
            return Err(Errno::EINVAL);
        }
        match self.lookup(folder, name) {
            Ok(_) => Err(Errno::EEXIST),
            // A directory that was removed while somebody works in it.
            Err(Errno::ENOENT)
                if folder != super::ROOT && self.inode(folder)?.parents.is_empty() =>
            {
                Err(Errno::ENOENT)
            }
            Err(Errno::ENOENT) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether `inner` is `outer`, or lies somewhere below it.
    pub(super) fn lies_in(&self, inner: Ino, outer: Ino) -> bool {
        let mut at = Some(inner);
        while let Some(ino) = at {
            if ino == outer {
                return true;
            }
            at = self.inodes.get(&ino).and_then(|inode| inode.parents.first().copied());
        }
        false
    }

    /// Carries out an operation in memory, and leaves it pending. `whole` says that it cannot fall apart.
    pub(super) fn change(&mut self, changes: Vec<Change>, whole: bool) {
        let mut concerned: Vec<Ino> = Vec::new();
        let mut folders: Vec<Ino> = Vec::new();
        for change in &changes {
            let before = self.set_entry(change);
            concerned.extend(before.into_iter().chain(change.to));
            folders.push(change.folder);
        }
        for ino in changes.iter().filter_map(|change| change.to) {
            self.pin(ino);
        }
        match self.durability {
            Durability::Ext4Like => {
                let concerned = concerned.iter().chain(&folders).copied().collect();
                self.names.push(changes, &concerned);
            }
            Durability::Strict if whole => {
                self.names.push(changes, &folders.iter().copied().collect());
            }
            Durability::Strict => {
                for change in changes {
                    let folder = [change.folder].into();
                    self.names.push(vec![change], &folder);
                }
            }
        }
        for ino in concerned {
            let unreachable = |inode: &super::Inode| !inode.is_reachable(ino);
            if self.inodes.get(&ino).is_some_and(unreachable) {
                self.bury(ino);
            }
        }
        self.bound_unsynced();
    }

    /// Sets an entry in memory; returns what it led to before.
    fn set_entry(&mut self, change: &Change) -> Option<Ino> {
        let inode = self.inodes.get_mut(&change.folder)?;
        inode.metadata.touch();
        let Node::Folder(folder) = &mut inode.node else { return None };
        let before = match change.to {
            Some(ino) => folder.live.insert(change.name.clone(), ino),
            None => folder.live.remove(&change.name),
        };
        if let Some(inode) = before.and_then(|ino| self.inodes.get_mut(&ino))
            && let Some(at) = inode.parents.iter().position(|parent| *parent == change.folder)
        {
            inode.parents.swap_remove(at);
        }
        if let Some(inode) = change.to.and_then(|ino| self.inodes.get_mut(&ino)) {
            inode.parents.push(change.folder);
        }
        before
    }

    /// Brings operations to the disk.
    pub(super) fn settle(&mut self, operations: Vec<Operation>) {
        for change in operations.into_iter().flat_map(|operation| operation.changes) {
            let node = self.inodes.get_mut(&change.folder).map(|inode| &mut inode.node);
            let replaced = match (node, change.to) {
                (Some(Node::Folder(folder)), Some(ino)) => folder.durable.insert(change.name, ino),
                (Some(Node::Folder(folder)), None) => folder.durable.remove(&change.name),
                // The directory itself is gone.
                (_, to) => to,
            };
            if let Some(ino) = replaced {
                self.unpin(ino);
            }
        }
    }

    fn pin(&mut self, ino: Ino) {
        if let Some(inode) = self.inodes.get_mut(&ino) {
            inode.pins += 1;
        }
    }
}
