//! Directory operations that are in memory only, and which of them a disk may have without the others.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use rand::{RngExt, rngs::ChaCha8Rng};

use super::Ino;

/// One entry of a directory is set, or removed.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) folder: Ino,
    pub(super) name: OsString,
    pub(super) to: Option<Ino>,
}

/// Changes that reach the disk together.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) changes: Vec<Change>,
    /// Operations that are on the disk whenever this one is.
    needs: Vec<u64>,
}

/// The pending operations, numbered in the order in which they were made.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pending: BTreeMap<u64, Operation>,
    /// The latest operation that concerns an inode; it need not be pending any more.
    latest: BTreeMap<Ino, u64>,
    /// The latest operation that gave an inode a name; it need not be pending any more.
    naming: BTreeMap<Ino, u64>,
    next: u64,
}

/// A guess at the memory that a pending operation takes.
pub(super) const OPERATION_BYTES: u64 = 256;

impl Names {
    /// Adds an operation that keeps its order with all others that concern one of these inodes.
    pub(super) fn push(&mut self, changes: Vec<Change>, concerned: &BTreeSet<Ino>) {
        let latest = concerned.iter().filter_map(|ino| self.latest.get(ino)).copied();
        let needs = latest.filter(|number| self.pending.contains_key(number)).collect();
        self.latest.extend(concerned.iter().map(|ino| (*ino, self.next)));
        self.naming.extend(changes.iter().filter_map(|change| Some((change.to?, self.next))));
        self.pending.insert(self.next, Operation { changes, needs });
        self.next += 1;
    }

    /// How many operations are pending.
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Takes out what has to reach the disk for all of this directory to be there, and the names of these inodes, in
    /// order.
    pub(super) fn take_up_to(&mut self, folder: Option<Ino>, named: &[Ino]) -> Vec<Operation> {
        let folder = folder.and_then(|folder| self.latest.get(&folder));
        let named = named.iter().filter_map(|ino| self.naming.get(ino));
        let mut open: Vec<u64> = folder.into_iter().chain(named).copied().collect();
        let mut wanted = BTreeSet::new();
        while let Some(number) = open.pop() {
            if let Some(operation) = self.pending.get(&number)
                && wanted.insert(number)
            {
                open.extend(&operation.needs);
            }
        }
        let taken = wanted.iter().filter_map(|number| self.pending.remove(number)).collect();
        self.forget_numbers();
        taken
    }

    /// Takes out everything, in order.
    pub(super) fn take_all(&mut self) -> Vec<Operation> {
        let taken = std::mem::take(&mut self.pending).into_values().collect();
        self.forget_numbers();
        taken
    }

    /// Takes out those that a power failure leaves, in order, and those that it undoes.
    pub(super) fn power_failure(
        &mut self,
        rng: &mut ChaCha8Rng,
    ) -> (Vec<Operation>, Vec<Operation>) {
        // Either the first so many, as a journal would have it, or each with some chance where it needs no other.
        let first = rng.random_range(0..=self.pending.len());
        let chance = rng.random_range(0.2..=0.95);
        let journal = rng.random();
        let pending: BTreeSet<u64> = self.pending.keys().copied().collect();
        let mut left_numbers = BTreeSet::new();
        let (mut left, mut undone) = (Vec::new(), Vec::new());
        for (index, (number, operation)) in
            std::mem::take(&mut self.pending).into_iter().enumerate()
        {
            let stays = if journal { index < first } else { rng.random_bool(chance) };
            let lacks = |need: &u64| pending.contains(need) && !left_numbers.contains(need);
            if stays && !operation.needs.iter().any(lacks) {
                left_numbers.insert(number);
                left.push(operation);
            } else {
                undone.push(operation);
            }
        }
        self.forget_numbers();
        (left, undone)
    }

    /// Keeps the tables about as small as what is pending.
    fn forget_numbers(&mut self) {
        const SLACK: usize = 1024;
        for table in [&mut self.latest, &mut self.naming] {
            if self.pending.is_empty() {
                table.clear();
            } else if table.len() > SLACK + 4 * self.pending.len() {
                table.retain(|_, number| self.pending.contains_key(number));
            }
        }
    }
}
