//! The order of versions that real time gives: of two transactions that touch a key one after the other, what the first
//! left there is not newer than what the second found.
//!
//! So one version comes before another where the first return of a transaction that left it precedes the last invocation
//! of one that found the other (Gibbons & Korach, SIAM J. Comput. 1997, call these the ends of a zone). A sweep in the
//! order of time keeps the versions that nothing complete has followed: as many as there are clients.

use std::collections::VecDeque;

use super::visits::{Visit, for_each_visit};
use crate::buckets::Buckets;
use crate::history::History;
use crate::ids::{NONE, Txn, Version, id};
use crate::writers::Writers;

/// A version is compared with so many others at most, the latest: beyond, their order is left unknown.
pub(crate) const COMPARED: usize = 64;

/// When each version was left and found.
#[derive(Debug)]
pub(crate) struct Lives(Vec<Life>);

#[derive(Clone, Copy, Debug)]
struct Life {
    key: u32,
    /// The first return of a transaction that left it.
    left: Option<Moment>,
    /// The last invocation of a transaction that found it.
    found: Option<Moment>,
}

#[derive(Clone, Copy, Debug)]
struct Moment {
    rank: u32,
    txn: Txn,
}

/// An end of a version's life, in the order of a sweep.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    rank: u32,
    version: Version,
    is_return: bool,
}

impl Lives {
    /// What they take.
    pub(crate) fn bytes(history: &History) -> usize {
        history.names.versions() * size_of::<Life>()
    }

    /// The lives of all versions but the initial ones, which come before all others in any case.
    pub(crate) fn new(history: &History, writers: &Writers) -> Self {
        let unknown = Life { key: NONE, left: None, found: None };
        let mut lives = Self(vec![unknown; history.names.versions()]);
        for_each_visit(history, writers, history.txns(), |visit| lives.note(history, visit));
        lives
    }

    fn note(&mut self, history: &History, visit: &Visit) {
        let Visit { txn, key, found, left } = *visit;
        let (call, ret) = (history.calls[txn as usize], history.returns[txn as usize]);
        if !history.names.is_initial(found) {
            let life = &mut self.0[found as usize];
            life.key = key;
            if life.found.is_none_or(|known| call > known.rank) {
                life.found = Some(Moment { rank: call, txn });
            }
        }
        if ret != NONE && !history.names.is_initial(left) {
            let life = &mut self.0[left as usize];
            life.key = key;
            if life.left.is_none_or(|known| ret < known.rank) {
                life.left = Some(Moment { rank: ret, txn });
            }
        }
    }

    /// Who shows that one version of a key comes before another one.
    pub(super) fn precedes(&self, earlier: Version, later: Version) -> Option<(Txn, Txn)> {
        let (left, found) = (self.0[earlier as usize].left?, self.0[later as usize].found?);
        (earlier != later && left.rank < found.rank).then_some((left.txn, found.txn))
    }

    /// What a sweep takes at most.
    pub(super) fn sweep_bytes(history: &History) -> usize {
        let ends = 2 * history.names.versions();
        ends * size_of::<(u32, End)>() + Buckets::<End>::bytes(history.keys(), ends)
    }

    /// Calls with versions and those that follow them next, and with the transaction that found the second. The first
    /// key of which a version followed more than [`COMPARED`] at once.
    pub(super) fn sweep(
        &self,
        history: &History,
        mut follows: impl FnMut(Version, Version, Txn),
    ) -> Option<u32> {
        let mut ends = Vec::with_capacity(2 * self.0.len());
        for (version, Life { key, left, found }) in self.0.iter().enumerate() {
            let end = |is_return| {
                move |&Moment { rank, .. }: &Moment| End { rank, version: id(version), is_return }
            };
            ends.extend(found.iter().map(end(false)).map(|end| (*key, end)));
            ends.extend(left.iter().map(end(true)).map(|end| (*key, end)));
        }
        let ends = Buckets::new(history.keys(), &ends);
        let (mut of_key, mut crowded) = (Vec::new(), None);
        for key in 0..id(history.keys()) {
            of_key.clear();
            of_key.extend_from_slice(ends.of(key));
            of_key.sort_unstable();
            if self.sweep_key(&of_key, &mut follows) {
                crowded.get_or_insert(key);
            }
        }
        crowded
    }

    /// Whether a version followed so many at once that it was compared with the latest of them only.
    fn sweep_key(&self, ends: &[End], follows: &mut impl FnMut(Version, Version, Txn)) -> bool {
        let mut is_crowded = false;
        // What nothing complete has followed, in the order of the returns.
        let mut latest: VecDeque<Version> = VecDeque::new();
        for &End { rank, version, is_return } in ends {
            let Life { left, found, .. } = self.0[version as usize];
            if let Some(found) = found.filter(|_| !is_return) {
                let mut others = latest.iter().rev().filter(|&&before| before != version);
                others
                    .by_ref()
                    .take(COMPARED)
                    .for_each(|&before| follows(before, version, found.txn));
                is_crowded |= others.next().is_some();
            }
            if let (Some(left), Some(found)) = (left, found)
                && left.rank.max(found.rank) == rank
            {
                // Complete, and among the latest: what it follows need not be compared with what comes now.
                let is_before = |left: Moment| left.rank < found.rank;
                let mut is_among_them = false;
                while let Some(&before) = latest.front()
                    && self.0[before as usize].left.is_some_and(is_before)
                {
                    is_among_them |= before == version;
                    latest.pop_front();
                }
                if is_among_them {
                    latest.push_front(version);
                }
            }
            if is_return {
                latest.push_back(version);
            }
        }
        is_crowded
    }
}
