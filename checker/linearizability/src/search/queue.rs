//! Configurations to go on from, those of one event at a time.

use std::collections::BTreeMap;

use super::configuration::Configuration;
use super::order::Taken;
use super::trail::{End, Trail};

/// A configuration to go on from, and the path to it.
pub(super) struct Waiting<const W: usize> {
    pub(super) configuration: Configuration<W>,
    pub(super) end: End,
}

/// What is left to go on from.
#[derive(Default)]
pub(super) struct Queue<const W: usize> {
    /// By the return that comes next, and by how much was taken and used: what is as good as another comes first.
    waiting: BTreeMap<(u32, u32), Vec<Waiting<W>>>,
    /// As many are waiting, or are being gone on from.
    count: usize,
    trail: Trail,
    /// Those that come first, and how many of them were gone on from.
    batch: Vec<Waiting<W>>,
    begun: usize,
}

impl<const W: usize> Queue<W> {
    /// Lets a configuration wait, to which these steps lead from `end`.
    pub(super) fn push(
        &mut self,
        configuration: Configuration<W>,
        rank: u32,
        end: End,
        steps: &[Taken],
    ) {
        let end = self.trail.extend(end, steps);
        let waiting = Waiting { configuration, end };
        self.waiting.entry((configuration.blocked, rank)).or_default().push(waiting);
        self.count += 1;
    }

    /// Brings those to the front that come next, where nothing is there.
    pub(super) fn load(&mut self) {
        if self.begun == self.batch.len() {
            self.count -= self.batch.len();
            self.batch = self.waiting.pop_first().map(|(_, waiting)| waiting).unwrap_or_default();
            self.begun = 0;
            self.shorten_trail();
        }
    }

    /// At most so many of those at the front, which are equally far and equally good; empty where nothing is left.
    pub(super) fn front(&self, most: usize) -> &[Waiting<W>] {
        let rest = &self.batch[self.begun..];
        &rest[..rest.len().min(most)]
    }

    /// So many of those at the front were gone on from.
    pub(super) fn finish(&mut self, count: usize) {
        self.begun += count;
    }

    /// All steps to this end, and these.
    pub(super) fn path(&self, end: End, steps: &[Taken]) -> Vec<Taken> {
        let mut path = self.trail.path(end);
        path.extend_from_slice(steps);
        path
    }

    /// Forgets the steps that lead to nothing that is waiting, where there are many.
    fn shorten_trail(&mut self) {
        if self.trail.is_long() {
            let waiting = self.waiting.values_mut().flatten().chain(&mut self.batch);
            self.trail.shorten(waiting.map(|waiting| &mut waiting.end));
        }
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> u64 {
        // Lists have room for up to twice as many.
        (2 * self.count * size_of::<Waiting<W>>()) as u64 + self.trail.bytes()
    }
}
