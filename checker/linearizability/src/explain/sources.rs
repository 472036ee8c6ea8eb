//! Who may have left a value.

use crate::Call;
use crate::call::sort_by_call;

/// The operations that may have left one value, in order of their calls.
#[derive(Default)]
pub(super) struct Writers {
    all: Vec<usize>,
    /// For each place the two, of those up to there, that returned last.
    latest: Vec<[Option<usize>; 2]>,
}

/// The writers that a reader may have had its value from: neither itself nor called after it had returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sources {
    pub(super) count: usize,
    /// The one that returned last, or never.
    pub(super) last: Option<usize>,
}

impl Sources {
    /// Of a value that nobody can have left.
    pub(super) const NONE: Self = Self { count: 0, last: None };

    /// The only one.
    pub(super) fn only(self) -> Option<usize> {
        self.last.filter(|_| self.count == 1)
    }
}

impl Writers {
    /// Adds an operation, those with smaller positions first.
    pub(super) fn add(&mut self, writer: usize) {
        if self.all.last() != Some(&writer) {
            self.all.push(writer);
        }
    }

    /// All writers of several values, for values that move.
    pub(super) fn merge(&mut self, other: &Self) {
        self.all.extend_from_slice(&other.all);
    }

    /// To be called when all are there.
    pub(super) fn finish<I, O>(&mut self, calls: &[Call<I, O>]) {
        sort_by_call(calls, &mut self.all);
        let end = |at: usize| calls[at].ret.unwrap_or(u64::MAX);
        let is_later = |at: usize, than: Option<usize>| than.is_none_or(|than| end(at) > end(than));
        let mut latest = [None, None];
        self.latest.extend(self.all.iter().map(|&at| {
            if is_later(at, latest[0]) {
                latest = [Some(at), latest[0]];
            } else if is_later(at, latest[1]) {
                latest[1] = Some(at);
            }
            latest
        }));
    }

    /// What this reader may have had its value from; it has returned.
    pub(super) fn sources<I, O>(&self, calls: &[Call<I, O>], reader: usize) -> Sources {
        let key = |at: usize| (calls[at].call, at);
        let end = calls[reader].ret.unwrap_or(u64::MAX);
        let begun = self.all.partition_point(|&at| calls[at].call <= end);
        let Some(&[last, second]) = begun.checked_sub(1).and_then(|at| self.latest.get(at)) else {
            return Sources::NONE;
        };
        let itself = self.all.binary_search_by_key(&key(reader), |&at| key(at)).is_ok();
        let last = if itself && last == Some(reader) { second } else { last };
        Sources { count: begun - usize::from(itself), last }
    }

    /// The first to be called, this reader aside.
    pub(super) fn first(&self, reader: usize) -> Option<usize> {
        self.all.iter().copied().find(|&at| at != reader)
    }
}
