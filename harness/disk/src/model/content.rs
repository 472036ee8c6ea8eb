//! The bytes of a file, in pages that copies share.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{PAGE_BYTES, SECTOR_BYTES};

/// One page of a file; a copy shares it until one side writes.
pub(super) type Page = Arc<[u8; PAGE_BYTES]>;

/// How many sectors a page has.
pub(super) const SECTORS: usize = PAGE_BYTES / SECTOR_BYTES;

/// The bytes of a file. A page that is not there reads as zeros.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    pub(super) size_bytes: u64,
    pages: BTreeMap<u64, Page>,
}

/// The pages that some bytes lie on.
pub(super) fn pages_of(offset: u64, length: usize) -> std::ops::Range<u64> {
    let page = PAGE_BYTES as u64;
    if length == 0 { 0..0 } else { offset / page..(offset + length as u64).div_ceil(page) }
}

impl Content {
    /// The memory that its pages take, shared or not.
    pub(super) fn bytes(&self) -> u64 {
        (self.pages.len() * PAGE_BYTES) as u64
    }

    pub(super) fn page(&self, number: u64) -> Option<&Page> {
        self.pages.get(&number)
    }

    /// Its pages with their numbers, but those that read as zeros.
    pub(super) fn pages(&self) -> impl Iterator<Item = (u64, &Page)> {
        self.pages.iter().map(|(number, page)| (*number, page))
    }

    /// How many of these pages have no memory yet.
    pub(super) fn missing(&self, pages: std::ops::Range<u64>) -> u64 {
        let present = self.pages.range(pages.clone()).count() as u64;
        pages.end.saturating_sub(pages.start) - present
    }

    /// Up to `length` bytes from `offset` on: fewer only at the end of the file.
    pub(super) fn read(&self, offset: u64, length: usize) -> Vec<u8> {
        let length = self.size_bytes.saturating_sub(offset).min(length as u64) as usize;
        let mut bytes = Vec::with_capacity(length);
        for number in pages_of(offset, length) {
            let from = offset.saturating_sub(number * PAGE_BYTES as u64) as usize;
            let to = PAGE_BYTES.min(from + length - bytes.len());
            match self.pages.get(&number) {
                Some(page) => bytes.extend_from_slice(&page[from..to]),
                None => bytes.resize(bytes.len() + to - from, 0),
            }
        }
        bytes
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        let mut rest = bytes;
        for number in pages_of(offset, bytes.len()) {
            let from = offset.saturating_sub(number * PAGE_BYTES as u64) as usize;
            let (now, later) = rest.split_at(rest.len().min(PAGE_BYTES - from));
            self.page_mut(number)[from..from + now.len()].copy_from_slice(now);
            rest = later;
        }
        self.size_bytes = self.size_bytes.max(offset + bytes.len() as u64);
    }

    /// Sets the size. What lies behind it is gone for good: growing again brings zeros.
    pub(super) fn resize(&mut self, size_bytes: u64) {
        self.size_bytes = size_bytes;
        let whole = size_bytes / PAGE_BYTES as u64;
        let keep = (size_bytes % PAGE_BYTES as u64) as usize;
        self.pages.split_off(&(whole + u64::from(keep > 0)));
        if keep > 0
            && let Some(page) = self.pages.get_mut(&whole)
            && page[keep..].iter().any(|byte| *byte != 0)
        {
            Arc::make_mut(page)[keep..].fill(0);
        }
    }

    /// Gives memory to those of these pages that have none.
    pub(super) fn allocate(&mut self, pages: std::ops::Range<u64>) {
        for number in pages {
            self.page_mut(number);
        }
    }

    /// Takes over the sectors of a page whose bit is set in `sectors`.
    pub(super) fn take_over(&mut self, number: u64, page: &Page, sectors: u8) {
        if sectors == u8::MAX {
            self.pages.insert(number, Arc::clone(page));
            return;
        }
        for sector in (0..SECTORS).filter(|sector| sectors & (1 << sector) != 0) {
            let range = sector * SECTOR_BYTES..(sector + 1) * SECTOR_BYTES;
            self.page_mut(number)[range.clone()].copy_from_slice(&page[range]);
        }
    }

    /// How many bytes of this file `other` has not, or has otherwise.
    pub(super) fn differing_bytes(&self, other: &Content) -> u64 {
        let numbers = self.pages.keys().chain(other.pages.keys());
        let numbers: std::collections::BTreeSet<u64> = numbers.copied().collect();
        let mut differing = 0;
        for number in numbers {
            let (mine, others) = (self.pages.get(&number), other.pages.get(&number));
            if let (Some(mine), Some(others)) = (mine, others)
                && Arc::ptr_eq(mine, others)
                && self.size_bytes == other.size_bytes
            {
                continue;
            }
            let start = number * PAGE_BYTES as u64;
            for at in 0..self.size_bytes.saturating_sub(start).min(PAGE_BYTES as u64) {
                let byte = |page: Option<&Page>| page.map_or(0, |page| page[at as usize]);
                let there = start + at < other.size_bytes;
                differing += u64::from(!there || byte(mine) != byte(others));
            }
        }
        differing
    }

    fn page_mut(&mut self, number: u64) -> &mut [u8; PAGE_BYTES] {
        let page = self.pages.entry(number).or_insert_with(|| Arc::new([0; PAGE_BYTES]));
        Arc::make_mut(page)
    }
}
