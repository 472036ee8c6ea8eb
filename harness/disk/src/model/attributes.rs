//! What `stat` tells of an inode, and how it is changed.

use std::time::SystemTime;

use nix::errno::Errno;

use super::{Disk, INODE_BYTES, Ino, Node, ROOT};

/// What an inode is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Folder,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// The name of a Unix socket.
    Socket,
}

/// What `stat` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// The inode.
    pub ino: Ino,
    /// What it is.
    pub kind: Kind,
    /// The size of a file, the length of a symbolic link's target, else 0.
    pub size_bytes: u64,
    /// The memory that its pages take.
    pub allocated_bytes: u64,
    /// The permission bits.
    pub mode: u32,
    /// How many names it has; 1 for every directory that has not been removed.
    pub links: u32,
    /// When it was last read, as far as it was told.
    pub accessed: SystemTime,
    /// When its content last changed.
    pub modified: SystemTime,
    /// When anything about it last changed.
    pub changed: SystemTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) mode: u32,
    pub(super) accessed: SystemTime,
    pub(super) modified: SystemTime,
    pub(super) changed: SystemTime,
}

impl Metadata {
    pub(super) fn new(mode: u32) -> Self {
        let now = SystemTime::now();
        Self { mode: mode & 0o7777, accessed: now, modified: now, changed: now }
    }

    /// The content changed just now.
    pub(super) fn touch(&mut self) {
        self.modified = SystemTime::now();
        self.changed = self.modified;
    }
}

impl Node {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Node::File(_) => Kind::File,
            Node::Folder(_) => Kind::Folder,
            Node::Symlink(_) => Kind::Symlink,
            Node::Fifo => Kind::Fifo,
            Node::Socket => Kind::Socket,
        }
    }
}

impl Disk {
    /// What `stat` tells of an inode.
    ///
    /// # Errors
    /// ENOENT: there is no such inode.
    pub fn attributes(&self, ino: Ino) -> Result<Attributes, Errno> {
        let inode = self.inode(ino)?;
        let metadata = inode.metadata;
        Ok(Attributes {
            ino,
            kind: inode.node.kind(),
            size_bytes: match &inode.node {
                Node::File(data) => data.live().size_bytes,
                Node::Symlink(target) => target.len() as u64,
                Node::Folder(_) | Node::Fifo | Node::Socket => 0,
            },
            allocated_bytes: inode.bytes() - INODE_BYTES,
            mode: metadata.mode,
            links: if ino == ROOT { 1 } else { inode.parents.len() as u32 },
            accessed: metadata.accessed,
            modified: metadata.modified,
            changed: metadata.changed,
        })
    }

    /// Sets the permission bits.
    ///
    /// # Errors
    /// ENOENT: there is no such inode.
    pub fn set_mode(&mut self, ino: Ino, mode: u32) -> Result<(), Errno> {
        let metadata = &mut self.inode_mut(ino)?.metadata;
        (metadata.mode, metadata.changed) = (mode & 0o7777, SystemTime::now());
        Ok(())
    }

    /// Sets the times of the last access and of the last change of the content, where they are given.
    ///
    /// # Errors
    /// ENOENT: there is no such inode.
    pub fn set_times(
        &mut self,
        ino: Ino,
        accessed: Option<SystemTime>,
        modified: Option<SystemTime>,
    ) -> Result<(), Errno> {
        let metadata = &mut self.inode_mut(ino)?.metadata;
        metadata.accessed = accessed.unwrap_or(metadata.accessed);
        metadata.modified = modified.unwrap_or(metadata.modified);
        metadata.changed = SystemTime::now();
        Ok(())
    }
}
