//! What brings changes to the disk, and the power failure that leaves some of them.

use std::collections::BTreeSet;
use std::time::Duration;

use nix::errno::Errno;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::names::OPERATION_BYTES;
use super::{Disk, Durability, Ino, Loss, Node, ROOT, UNSYNCED_LIMIT_BYTES};

/// What a sync has to bring to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncScope {
    /// Content, permissions and times: fsync.
    All,
    /// The content, with the size of a file: fdatasync.
    Data,
}

impl Disk {
    /// Brings a file or a directory to the disk, as [`Durability`] says.
    ///
    /// # Errors
    /// ENOENT: there is no such inode. EIO: [`super::Faults::fail_next_fsync`] was on.
    pub fn fsync(&mut self, ino: Ino, scope: SyncScope) -> Result<(), Errno> {
        let fails = self.faults.fail_next_fsync;
        let inode = self.inode_mut(ino)?;
        let is_folder = matches!(inode.node, Node::Folder(_));
        if let Node::File(data) = &mut inode.node {
            let pending_bytes = data.pending_bytes();
            let failed = fails && !data.is_synced();
            let lost_bytes = if failed { data.fail_sync() } else { 0 };
            data.sync();
            self.pending_bytes -= pending_bytes;
            if failed {
                self.faults.fail_next_fsync = false;
                self.counters.failed_fsyncs += 1;
                self.counters.falsely_clean_bytes += lost_bytes;
                return Err(Errno::EIO);
            }
        }
        let inode = self.inode_mut(ino)?;
        if scope == SyncScope::All {
            inode.durable_metadata = inode.metadata;
        }
        if self.names.len() > 0 {
            let named = match self.durability {
                Durability::Ext4Like => self.with_folders_above(ino),
                Durability::Strict => Vec::new(),
            };
            let operations = self.names.take_up_to(is_folder.then_some(ino), &named);
            self.settle(operations);
        }
        self.counters.fsyncs += 1;
        Ok(())
    }

    /// How long the next fsync has to take; each call draws anew.
    pub fn fsync_latency(&mut self) -> Duration {
        let latency = self.faults.fsync_latency;
        let random_us = match latency.random_max_us {
            0 => 0,
            max_us => {
                let (seed, drawn) = &mut self.latencies;
                *drawn += 1;
                ChaCha8Rng::seed_from_u64(seed.wrapping_add(*drawn)).random_range(0..=max_us)
            }
        };
        let latency = Duration::from_micros(latency.fixed_us.saturating_add(random_us));
        self.counters.latency = self.counters.latency.saturating_add(latency);
        latency
    }

    /// Makes of the disk one of the states that it may be in after a power failure, and of memory the same. To be called
    /// when nobody serves it any more: the caches of the kernel would not learn of it.
    pub fn power_failure(&mut self, rng: &mut ChaCha8Rng) -> Loss {
        let mut loss = Loss::default();
        for (ino, inode) in &mut self.inodes {
            let reachable = inode.is_reachable(*ino);
            if let Node::File(data) = &mut inode.node {
                let bytes = data.power_failure(rng);
                loss.bytes += if reachable { bytes } else { 0 };
            }
            // Drawn for every inode: whether times differ depends on the clock.
            if rng.random() {
                inode.metadata = inode.durable_metadata;
            }
            inode.durable_metadata = inode.metadata;
        }
        let (left, undone) = self.names.power_failure(rng);
        self.settle(left);
        loss.entries = undone.iter().map(|operation| operation.changes.len() as u64).sum();
        self.remember_the_disk();
        self.counters.power_failures += 1;
        self.counters.lost.bytes += loss.bytes;
        self.counters.lost.entries += loss.entries;
        loss
    }

    /// Brings all directory operations to the disk.
    pub(super) fn settle_all(&mut self) {
        let operations = self.names.take_all();
        self.settle(operations);
    }

    /// Writes everything back when more is unsynced than there should be.
    pub(super) fn bound_unsynced(&mut self) {
        let operations = self.names.len() as u64 * OPERATION_BYTES;
        if self.pending_bytes + self.ghost_bytes + operations <= UNSYNCED_LIMIT_BYTES {
            return;
        }
        self.settle_all();
        for inode in self.inodes.values_mut() {
            if let Node::File(data) = &mut inode.node {
                data.sync();
            }
            inode.durable_metadata = inode.metadata;
        }
        self.pending_bytes = 0;
        self.counters.write_backs += 1;
    }

    /// This inode, and each directory on the way to it.
    fn with_folders_above(&self, ino: Ino) -> Vec<Ino> {
        let mut found = vec![ino];
        let mut next = 0;
        while let Some(ino) = found.get(next) {
            let parents = self.inodes.get(ino).map_or(&[][..], |inode| &inode.parents);
            let new: BTreeSet<Ino> =
                parents.iter().copied().filter(|parent| !found.contains(parent)).collect();
            found.extend(new);
            next += 1;
        }
        found
    }

    /// Makes memory what the disk is, and forgets what has no name there.
    fn remember_the_disk(&mut self) {
        for inode in self.inodes.values_mut() {
            inode.parents.clear();
            (inode.held, inode.pins) = (0, 0);
            if let Node::Folder(folder) = &mut inode.node {
                folder.live.clone_from(&folder.durable);
            }
        }
        let mut seen = BTreeSet::from([ROOT]);
        let mut open = vec![ROOT];
        while let Some(parent) = open.pop() {
            let entries: Vec<Ino> = match self.inodes.get(&parent).map(|inode| &inode.node) {
                Some(Node::Folder(folder)) => folder.durable.values().copied().collect(),
                _ => Vec::new(),
            };
            for ino in entries {
                if let Some(inode) = self.inodes.get_mut(&ino) {
                    inode.parents.push(parent);
                    inode.pins += 1;
                }
                if seen.insert(ino) {
                    open.push(ino);
                }
            }
        }
        self.inodes.retain(|ino, _| seen.contains(ino));
        self.used_bytes = self.inodes.values().map(super::Inode::bytes).sum();
        (self.ghost_bytes, self.pending_bytes) = (0, 0);
    }
}
