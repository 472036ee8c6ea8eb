//! What processes do to files and directories.

use std::ffi::{OsStr, OsString};

use nix::errno::Errno;

use super::content::pages_of;
use super::data::Data;
use super::folder::Folder;
use super::names::Change;
use super::{Disk, INODE_BYTES, Ino, Kind, Node, PAGE_BYTES};

/// The largest file, as for the kernel.
const FILE_BYTES_MAX: u64 = i64::MAX as u64;

/// What is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewNode {
    /// An empty regular file.
    File,
    /// An empty directory.
    Folder,
    /// A symbolic link to this target.
    Symlink(OsString),
    /// A named pipe.
    Fifo,
    /// The name of a Unix socket.
    Socket,
}

/// What a rename does where the new name is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RenameMode {
    /// It replaces what is there.
    #[default]
    Replace,
    /// It fails.
    NoReplace,
    /// The two change places; the new name has to be in use.
    Exchange,
}

impl Disk {
    /// Makes something new.
    ///
    /// # Errors
    /// EEXIST: the name is in use. EINVAL: it is no name. ENAMETOOLONG: it is too long. ENOENT, ENOTDIR: there is no such
    /// directory. ENOSPC: the disk is full.
    pub fn make(
        &mut self,
        folder: Ino,
        name: &OsStr,
        new: NewNode,
        mode: u32,
    ) -> Result<Ino, Errno> {
        self.is_free(folder, name)?;
        self.need_room(INODE_BYTES)?;
        let node = match new {
            NewNode::File => Node::File(Data::default()),
            NewNode::Folder => Node::Folder(Folder::default()),
            NewNode::Symlink(target) => Node::Symlink(target),
            NewNode::Fifo => Node::Fifo,
            NewNode::Socket => Node::Socket,
        };
        let ino = self.add(node, mode);
        self.change(vec![Change { folder, name: name.to_owned(), to: Some(ino) }], true);
        Ok(ino)
    }

    /// Gives a second name to what is no directory.
    ///
    /// # Errors
    /// EEXIST: the name is in use. EPERM: it is a directory. ENOENT: it is not there, or has no name any more. Else as
    /// [`Disk::make`].
    pub fn link(&mut self, ino: Ino, folder: Ino, name: &OsStr) -> Result<(), Errno> {
        let inode = self.inode(ino)?;
        if inode.node.kind() == Kind::Folder {
            return Err(Errno::EPERM);
        }
        if inode.parents.is_empty() {
            return Err(Errno::ENOENT);
        }
        self.is_free(folder, name)?;
        self.change(vec![Change { folder, name: name.to_owned(), to: Some(ino) }], true);
        Ok(())
    }

    /// Removes a name of what is no directory.
    ///
    /// # Errors
    /// ENOENT: there is no such name. EISDIR: it is a directory. ENOTDIR: `folder` is none.
    pub fn unlink(&mut self, folder: Ino, name: &OsStr) -> Result<(), Errno> {
        let ino = self.lookup(folder, name)?;
        if self.inode(ino)?.node.kind() == Kind::Folder {
            return Err(Errno::EISDIR);
        }
        self.change(vec![Change { folder, name: name.to_owned(), to: None }], true);
        Ok(())
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// ENOENT: there is no such name. ENOTDIR: it is no directory. ENOTEMPTY: it has entries.
    pub fn rmdir(&mut self, folder: Ino, name: &OsStr) -> Result<(), Errno> {
        let ino = self.lookup(folder, name)?;
        if !self.folder(ino)?.live.is_empty() {
            return Err(Errno::ENOTEMPTY);
        }
        self.change(vec![Change { folder, name: name.to_owned(), to: None }], true);
        Ok(())
    }

    /// Moves what has one name to another, atomically for processes.
    ///
    /// # Errors
    /// ENOENT: there is no such name. EEXIST, ENOTEMPTY, EISDIR, ENOTDIR: what is there cannot be replaced. EINVAL: a
    /// directory would lie in itself.
    pub fn rename(
        &mut self,
        from: (Ino, &OsStr),
        to: (Ino, &OsStr),
        mode: RenameMode,
    ) -> Result<(), Errno> {
        let moved = self.lookup(from.0, from.1)?;
        let moves_folder = self.inode(moved)?.node.kind() == Kind::Folder;
        let target = match self.is_free(to.0, to.1) {
            Ok(()) => None,
            Err(Errno::EEXIST) => Some(self.lookup(to.0, to.1)?),
            Err(error) => return Err(error),
        };
        match (mode, target) {
            (RenameMode::NoReplace, Some(_)) => return Err(Errno::EEXIST),
            (RenameMode::Exchange, None) => return Err(Errno::ENOENT),
            // Two names of one file: POSIX has both stay.
            (_, Some(target)) if target == moved => return Ok(()),
            _ => {}
        }
        let target_moves = mode == RenameMode::Exchange;
        let target_folder = target.filter(|target| self.folder(*target).is_ok());
        if moves_folder && self.lies_in(to.0, moved)
            || target_moves && target_folder.is_some_and(|target| self.lies_in(from.0, target))
        {
            return Err(Errno::EINVAL);
        }
        if !target_moves && let Some(target) = target {
            self.may_replace(target, moves_folder)?;
        }
        let folders_move = moves_folder || target_moves && target_folder.is_some();
        if folders_move && from.0 != to.0 {
            // Otherwise two directories might each lie in the other one, and neither in the root.
            self.settle_all();
        }
        let left = target.filter(|_| target_moves);
        let changes = vec![
            Change { folder: to.0, name: to.1.to_owned(), to: Some(moved) },
            Change { folder: from.0, name: from.1.to_owned(), to: left },
        ];
        self.change(changes, moves_folder || target_moves);
        Ok(())
    }

    fn may_replace(&self, target: Ino, by_folder: bool) -> Result<(), Errno> {
        match (by_folder, self.folder(target)) {
            (true, Err(error)) => Err(error),
            (false, Ok(_)) => Err(Errno::EISDIR),
            (true, Ok(folder)) if !folder.live.is_empty() => Err(Errno::ENOTEMPTY),
            _ => Ok(()),
        }
    }

    /// The target of a symbolic link.
    ///
    /// # Errors
    /// ENOENT: there is no such inode. EINVAL: it is no symbolic link.
    pub fn read_link(&self, ino: Ino) -> Result<&OsStr, Errno> {
        match &self.inode(ino)?.node {
            Node::Symlink(target) => Ok(target),
            Node::File(_) | Node::Folder(_) | Node::Fifo | Node::Socket => Err(Errno::EINVAL),
        }
    }

    /// Reads `length` bytes of a file from `offset` on; fewer only where it ends before.
    ///
    /// # Errors
    /// ENOENT: there is no such inode. EISDIR, EINVAL: it is no regular file.
    pub fn read(&self, ino: Ino, offset: u64, length: usize) -> Result<Vec<u8>, Errno> {
        Ok(self.data(ino)?.live().read(offset, length))
    }

    /// Writes all of these bytes to a file.
    ///
    /// # Errors
    /// Then nothing was written. ENOENT: there is no such inode. EISDIR, EINVAL: it is no regular file. ENOSPC: the disk
    /// is full. EFBIG: the file would be larger than a file can be.
    pub fn write(&mut self, ino: Ino, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
        self.change_data(ino, offset, bytes.len(), |data| data.write(offset, bytes))
    }

    /// Makes sure that writes to this range will find room, and grows the file to hold it.
    ///
    /// # Errors
    /// As [`Disk::write`].
    pub fn allocate(&mut self, ino: Ino, offset: u64, length: usize) -> Result<(), Errno> {
        self.change_data(ino, offset, length, |data| data.allocate(offset, length))
    }

    /// Sets the size of a file. What is new reads as zeros, and takes no room.
    ///
    /// # Errors
    /// ENOENT: there is no such inode. EISDIR, EINVAL: it is no regular file. EFBIG: no file can be so large.
    pub fn resize(&mut self, ino: Ino, size_bytes: u64) -> Result<(), Errno> {
        self.change_data(ino, size_bytes, 0, |data| data.resize(size_bytes))
    }

    /// Changes a file, which may take memory for the pages of this range.
    fn change_data(
        &mut self,
        ino: Ino,
        offset: u64,
        length: usize,
        change: impl FnOnce(&mut Data) -> u64,
    ) -> Result<(), Errno> {
        let end = offset.checked_add(length as u64).filter(|end| *end <= FILE_BYTES_MAX);
        if end.is_none() {
            return Err(Errno::EFBIG);
        }
        let missing = self.data(ino)?.live().missing(pages_of(offset, length));
        self.need_room(missing * PAGE_BYTES as u64)?;
        let inode = self.inode_mut(ino)?;
        let before = inode.bytes();
        let Node::File(data) = &mut inode.node else { return Err(Errno::EINVAL) };
        let pending_bytes = change(data);
        inode.metadata.touch();
        let after = inode.bytes();
        self.used_bytes = self.used_bytes + after - before;
        self.pending_bytes += pending_bytes;
        self.bound_unsynced();
        Ok(())
    }

    fn data(&self, ino: Ino) -> Result<&Data, Errno> {
        match &self.inode(ino)?.node {
            Node::File(data) => Ok(data),
            Node::Folder(_) => Err(Errno::EISDIR),
            Node::Symlink(_) | Node::Fifo | Node::Socket => Err(Errno::EINVAL),
        }
    }
}
