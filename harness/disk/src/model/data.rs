//! One file: its bytes in memory, its bytes on the disk, and what was not yet written back.

use rand::rngs::ChaCha8Rng;

use super::content::{Content, Page, pages_of};
use super::fate::Fate;

/// A change of a file that is in memory only.
#[derive(Clone, Debug)]
enum Step {
    /// A write, or a larger size: the touched pages as they were right after it.
    Pages { pages: Vec<(u64, Page)>, size_bytes: u64 },
    /// A truncation to fewer bytes.
    Cut { size_bytes: u64 },
}

/// A regular file.
#[derive(Clone, Debug, Default)]
pub(super) struct Data {
    /// What processes see.
    live: Content,
    /// What is on the disk for certain.
    durable: Content,
    /// What happened since, oldest first.
    pending: Vec<Step>,
}

impl Data {
    pub(super) fn live(&self) -> &Content {
        &self.live
    }

    pub(super) fn is_synced(&self) -> bool {
        self.pending.is_empty()
    }

    /// The memory that pending changes hold.
    pub(super) fn pending_bytes(&self) -> u64 {
        self.pending.iter().map(Step::bytes).sum()
    }

    /// Returns the memory that this change holds until it is written back.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) -> u64 {
        self.live.write(offset, bytes);
        let page = |number| self.live.page(number).map(|page| (number, Page::clone(page)));
        let pages = pages_of(offset, bytes.len()).filter_map(page).collect();
        self.push(Step::Pages { pages, size_bytes: self.live.size_bytes })
    }

    /// Sets the size; returns the memory that this change holds until it is written back.
    pub(super) fn resize(&mut self, size_bytes: u64) -> u64 {
        let cut = size_bytes < self.live.size_bytes;
        self.live.resize(size_bytes);
        self.push(if cut {
            Step::Cut { size_bytes }
        } else {
            Step::Pages { pages: Vec::new(), size_bytes }
        })
    }

    /// Gives memory to a range, and grows the file to hold it.
    pub(super) fn allocate(&mut self, offset: u64, length: usize) -> u64 {
        self.live.allocate(pages_of(offset, length));
        self.resize(self.live.size_bytes.max(offset + length as u64))
    }

    /// Writes everything back.
    pub(super) fn sync(&mut self) {
        for step in self.pending.drain(..) {
            match step {
                Step::Pages { pages, size_bytes } => {
                    for (number, page) in pages {
                        self.durable.take_over(number, &page, u8::MAX);
                    }
                    self.durable.size_bytes = size_bytes;
                }
                Step::Cut { size_bytes } => self.durable.resize(size_bytes),
            }
        }
    }

    /// A failed fsync: what was written counts as clean, but is not on the disk. Truncations are: they are metadata.
    /// Returns how many bytes will be lost.
    pub(super) fn fail_sync(&mut self) -> u64 {
        for step in self.pending.drain(..) {
            if let Step::Cut { size_bytes } = step {
                self.durable.resize(size_bytes);
            }
        }
        self.live.differing_bytes(&self.durable)
    }

    /// Leaves what the power failure leaves, and returns how many bytes it took.
    pub(super) fn power_failure(&mut self, rng: &mut ChaCha8Rng) -> u64 {
        let mut fate = Fate::draw(self.pending.len(), rng);
        let disk = &mut self.durable;
        for (index, step) in self.pending.drain(..).enumerate() {
            match step {
                Step::Pages { pages, size_bytes } => {
                    for (number, page) in pages {
                        disk.take_over(number, &page, fate.sectors(index, rng));
                    }
                    if fate.metadata(index, rng) {
                        disk.size_bytes = size_bytes;
                    }
                }
                Step::Cut { size_bytes } if fate.metadata(index, rng) => disk.resize(size_bytes),
                // What came later cannot be there either.
                Step::Cut { .. } => break,
            }
        }
        // Pages may have arrived that the size does not cover.
        disk.resize(disk.size_bytes);
        let lost_bytes = self.live.differing_bytes(&self.durable);
        self.live = self.durable.clone();
        lost_bytes
    }

    fn push(&mut self, step: Step) -> u64 {
        let bytes = step.bytes();
        self.pending.push(step);
        bytes
    }
}

impl Step {
    fn bytes(&self) -> u64 {
        /// A guess at what one step takes beside its pages.
        const STEP_BYTES: usize = 64;
        match self {
            Step::Pages { pages, .. } => (STEP_BYTES + pages.len() * super::PAGE_BYTES) as u64,
            Step::Cut { .. } => STEP_BYTES as u64,
        }
    }
}
