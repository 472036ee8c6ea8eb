//! The disk without FUSE: what processes see, what is certain to be on the disk, and what lies between the two.
//!
//! A file has its bytes in memory, its bytes on the disk, and the changes since. A directory operation is in memory at
//! once and pending until it reaches the disk. [`Disk::power_failure`] picks one of the states in which the disk may be
//! then, and memory becomes that. A killed process loses nothing: memory here is the page cache of the kernel.
//!
//! # What a power failure may leave
//!
//! POSIX promises little: data is on the disk after `fsync` or `fdatasync`, and of anything else it says nothing. What
//! file systems make of that was collected by Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014 (ALICE).
//! These rules lie between the two: a program that relies on nothing else than what its file system promises passes.
//!
//! **Data.** After fsync or fdatasync of a file its bytes and its size are on the disk. Writes since then:
//!
//! - Each page of [`PAGE_BYTES`] that was written may be there as it was after any of its writes, or as it was before
//!   them, whatever became of the others. Writes may so be lost as a whole, from some point on, or in the middle.
//! - A page may be torn between [`SECTOR_BYTES`]: each sector of it by itself is as it was after one of its page's
//!   writes, or before.
//! - The size may be that after any of the changes, or as before. It may hide bytes that are there, and it may cover
//!   bytes that are not: those are zeros.
//! - A truncation to fewer bytes is one change of metadata, and keeps its order: if it is there, so are the ones before
//!   it, and nothing that it cut is there any more; if it is not, nothing of the file is there that came later.
//!
//! **Directories.** An operation (create, mkdir, link, symlink, unlink, rmdir, rename) is there or not. Which sets of
//! operations may be there depends on [`Durability`]:
//!
//! - [`Durability::Ext4Like`]: Operations that concern a common inode keep their order: a directory whose entries change,
//!   and what an entry led or leads to. So in each directory the first so many of its operations are there. A rename is
//!   one operation, whatever it replaces and wherever it leads: the old state or the new one. fsync of a file or a
//!   directory brings with it the entries that lead to it, as journals do in fact: the operations that last gave a name
//!   to it and to each directory above it, with those that had to be there before. fsync of a directory brings all of
//!   its operations.
//! - [`Durability::Strict`]: What fsync(2) says: an entry is there after fsync of the directory that holds it, and fsync of
//!   a file brings none. Only operations in the same directory keep their order. A rename of a file is two operations,
//!   the new name (with what it replaces) and then the end of the old one: after a rename into another directory there
//!   may be both names or none, within a directory both, never none. What lies below a directory that has no name is lost
//!   with it.
//!
//! In both, renames of directories and exchanges are one operation; before a directory moves into another one, all
//! directory operations so far reach the disk. Permissions and times are there as at the last fsync, or as in memory.
//!
//! **More may be there than was asked for.** A disk may write back whenever it likes. This one writes back everything
//! when more than [`UNSYNCED_LIMIT_BYTES`] are not, so that its memory has a bound.
//!
//! Kinder than some systems: no garbage in place of zeros, no sector torn in itself, nothing once synced is damaged.
//! Harsher than ext4 with its defaults: a file that is renamed over another one without fsync may be there empty
//! (`auto_da_alloc` prevents that for the most part), and an append may show as zeros (`data=ordered` prevents that).

mod attributes;
mod content;
mod data;
mod durability;
mod export;
mod fate;
mod faults;
mod folder;
mod names;
mod operations;
mod sync;

use std::collections::BTreeMap;

use nix::errno::Errno;

pub use attributes::{Attributes, Kind};
pub use durability::Durability;
pub use faults::{Counters, Faults, Latency, Loss};
pub use folder::Entry;
pub use operations::{NewNode, RenameMode};
pub use sync::SyncScope;

use attributes::Metadata;
use data::Data;
use folder::Folder;
use names::Names;

/// The unit in which files are cached and written back.
pub const PAGE_BYTES: usize = 4096;
/// The largest unit that reaches the disk as a whole or not at all.
pub const SECTOR_BYTES: usize = 512;
/// How much a disk holds unless it is told otherwise.
pub const DEFAULT_LIMIT_BYTES: u64 = 1 << 30;
/// How much may be unsynced, or unlinked and still on the disk. More, and everything is written back.
pub const UNSYNCED_LIMIT_BYTES: u64 = 64 << 20;

/// What an inode counts for, beside its pages.
const INODE_BYTES: u64 = 512;

/// The number of an inode. No number is used twice in the life of a disk.
pub type Ino = u64;

/// The directory that everything else lies in.
pub const ROOT: Ino = 1;

/// A disk in memory. A copy shares pages until one side writes.
#[derive(Clone, Debug)]
pub struct Disk {
    durability: Durability,
    limit_bytes: u64,
    faults: Faults,
    counters: Counters,
    inodes: BTreeMap<Ino, Inode>,
    names: Names,
    next_ino: Ino,
    /// Of inodes that processes can still reach.
    used_bytes: u64,
    /// Of inodes that they cannot, but that may be on the disk.
    ghost_bytes: u64,
    /// Of pending changes of files.
    pending_bytes: u64,
    /// Of random latencies, with how many were drawn.
    latencies: (u64, u64),
}

#[derive(Clone, Debug)]
struct Inode {
    node: Node,
    metadata: Metadata,
    durable_metadata: Metadata,
    /// The directory of each of its names.
    parents: Vec<Ino>,
    /// How often somebody who serves it to processes relies on it.
    held: u64,
    /// Entries on the disk and pending operations that lead to it.
    pins: u64,
}

#[derive(Clone, Debug)]
enum Node {
    File(Data),
    Folder(Folder),
    Symlink(std::ffi::OsString),
    Fifo,
    Socket,
}

impl Disk {
    /// An empty disk that holds [`DEFAULT_LIMIT_BYTES`]. The seed is that of random latencies.
    #[must_use]
    pub fn new(durability: Durability, seed: u64) -> Self {
        let mut disk = Self {
            durability,
            limit_bytes: DEFAULT_LIMIT_BYTES,
            faults: Faults::default(),
            counters: Counters::default(),
            inodes: BTreeMap::new(),
            names: Names::default(),
            next_ino: ROOT,
            used_bytes: 0,
            ghost_bytes: 0,
            pending_bytes: 0,
            latencies: (seed, 0),
        };
        disk.add(Node::Folder(Folder::default()), 0o755);
        disk
    }

    /// Sets how many bytes the disk holds, counted in whole pages and 512 bytes for each file or directory. What is
    /// there beyond it stays.
    pub fn set_limit_bytes(&mut self, limit_bytes: u64) {
        self.limit_bytes = limit_bytes;
    }

    /// How many bytes the disk holds.
    #[must_use]
    pub fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    /// How many of them are in use.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.used_bytes
    }

    /// The faults that are on.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Switches faults on and off.
    pub fn faults_mut(&mut self) -> &mut Faults {
        &mut self.faults
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Keeps an inode usable after its last name is gone, as an open file does, until it is released as often.
    ///
    /// # Errors
    /// ENOENT: there is no such inode.
    pub fn hold(&mut self, ino: Ino) -> Result<(), Errno> {
        self.inode_mut(ino)?.held += 1;
        Ok(())
    }

    /// Undoes so many holds. An inode without holds and names is gone.
    pub fn release(&mut self, ino: Ino, holds: u64) {
        let Ok(inode) = self.inode_mut(ino) else { return };
        inode.held = inode.held.saturating_sub(holds);
        if !self.is_reachable(ino) {
            self.bury(ino);
        }
    }

    /// Undoes all holds: nobody serves the disk any more.
    pub fn release_all(&mut self) {
        let held = |(ino, inode): (&Ino, &Inode)| (inode.held > 0).then_some(*ino);
        let held: Vec<Ino> = self.inodes.iter().filter_map(held).collect();
        for ino in held {
            self.release(ino, u64::MAX);
        }
    }

    fn inode(&self, ino: Ino) -> Result<&Inode, Errno> {
        self.inodes.get(&ino).filter(|inode| inode.is_reachable(ino)).ok_or(Errno::ENOENT)
    }

    fn inode_mut(&mut self, ino: Ino) -> Result<&mut Inode, Errno> {
        self.inodes.get_mut(&ino).filter(|inode| inode.is_reachable(ino)).ok_or(Errno::ENOENT)
    }

    fn is_reachable(&self, ino: Ino) -> bool {
        self.inode(ino).is_ok()
    }

    /// A new inode, without a name as yet.
    fn add(&mut self, node: Node, mode: u32) -> Ino {
        let ino = self.next_ino;
        self.next_ino += 1;
        let metadata = Metadata::new(mode);
        let inode = Inode {
            node,
            metadata,
            durable_metadata: metadata,
            parents: Vec::new(),
            held: 0,
            pins: 0,
        };
        self.used_bytes += inode.bytes();
        self.inodes.insert(ino, inode);
        ino
    }

    /// An inode that processes cannot reach any more: it stays only for what may be on the disk.
    fn bury(&mut self, ino: Ino) {
        let Some(inode) = self.inodes.get(&ino) else { return };
        let bytes = inode.bytes();
        self.used_bytes -= bytes;
        self.ghost_bytes += bytes;
        self.forget_unpinned(ino);
    }

    /// Something that led to this inode on the disk, or might have, does not any more.
    fn unpin(&mut self, ino: Ino) {
        if let Some(inode) = self.inodes.get_mut(&ino) {
            inode.pins -= 1;
            self.forget_unpinned(ino);
        }
    }

    fn forget_unpinned(&mut self, ino: Ino) {
        let gone = |inode: &Inode| inode.pins == 0 && !inode.is_reachable(ino);
        if !self.inodes.get(&ino).is_some_and(gone) {
            return;
        }
        let Some(inode) = self.inodes.remove(&ino) else { return };
        self.ghost_bytes -= inode.bytes();
        match inode.node {
            Node::File(data) => self.pending_bytes -= data.pending_bytes(),
            Node::Folder(folder) => {
                for ino in folder.durable.into_values() {
                    self.unpin(ino);
                }
            }
            Node::Symlink(_) | Node::Fifo | Node::Socket => {}
        }
    }

    /// Makes sure that so much more fits.
    fn need_room(&mut self, bytes: u64) -> Result<(), Errno> {
        if bytes > 0 && (self.faults.full || self.used_bytes + bytes > self.limit_bytes) {
            self.counters.refused_for_space += 1;
            return Err(Errno::ENOSPC);
        }
        Ok(())
    }
}

impl Inode {
    fn is_reachable(&self, ino: Ino) -> bool {
        ino == ROOT || self.held > 0 || !self.parents.is_empty()
    }

    fn bytes(&self) -> u64 {
        INODE_BYTES + if let Node::File(data) = &self.node { data.live().bytes() } else { 0 }
    }
}
