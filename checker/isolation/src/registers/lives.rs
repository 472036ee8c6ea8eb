//! From when to when each version of a key was certainly not yet, and certainly no longer, the newest.
//!
//! Whoever found a version was invoked before it was replaced; whoever left it, or found it and went on, had seen it by
//! the time of the return. So one version comes before another where the return of the first to leave it precedes the
//! invocation of the last to find the other (Gibbons & Korach, SIAM J. Comput. 1997, call these ends of a zone). A sweep
//! in the order of time keeps the versions that nothing complete has followed: as many as there are clients.

use super::key_order::Visit;
use crate::history::{History, NONE, Txn, Version, id};

/// A version is compared with so many others at most: beyond, their order is left unknown.
const COMPARED: usize = 64;

/// What is known of each version.
pub(super) struct Lives(Vec<Life>);

#[derive(Clone, Copy)]
struct Life {
    key: u32,
    /// The first return of a transaction that left it.
    left: Option<Moment>,
    /// The last invocation of a transaction that found it.
    found: Option<Moment>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    rank: u32,
    txn: Txn,
}

/// An end of a version's life, in the order of a sweep through key after key.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct End {
    key: u32,
    rank: u32,
    version: Version,
    is_return: bool,
}

impl Lives {
    pub(super) fn new(history: &History) -> Self {
        Self(vec![Life { key: NONE, left: None, found: None }; history.names.versions()])
    }

    /// Takes note of a visit; those come in the order of their invocations.
    pub(super) fn note(&mut self, history: &History, visit: &Visit) {
        let Visit { txn, key, found, left } = *visit;
        let (call, ret) = (history.calls[txn as usize], history.returns[txn as usize]);
        let life = &mut self.0[found as usize];
        (life.key, life.found) = (key, Some(Moment { rank: call, txn }));
        let life = &mut self.0[left as usize];
        life.key = key;
        if ret != NONE && life.left.is_none_or(|known| ret < known.rank) {
            life.left = Some(Moment { rank: ret, txn });
        }
    }

    /// Calls with each version and one that follows it, and with the transactions that show it.
    pub(super) fn sweep(&self, mut follows: impl FnMut(Version, Version, (Txn, Txn))) {
        let ends = self.0.iter().enumerate().flat_map(|(version, life)| {
            let end = |is_return| {
                move |Moment { rank, .. }| End {
                    key: life.key,
                    rank,
                    version: id(version),
                    is_return,
                }
            };
            life.found.map(end(false)).into_iter().chain(life.left.map(end(true)))
        });
        let mut ends: Vec<End> = ends.collect();
        ends.sort_unstable();
        for of_key in ends.chunk_by(|a, b| a.key == b.key) {
            self.sweep_key(of_key, &mut follows);
        }
    }

    fn sweep_key(&self, ends: &[End], follows: &mut impl FnMut(Version, Version, (Txn, Txn))) {
        let mut latest: Vec<Version> = Vec::new();
        for &End { rank, version, is_return, .. } in ends {
            let Life { left, found, .. } = self.0[version as usize];
            if !is_return {
                for &before in latest.iter().filter(|&&before| before != version) {
                    let by = self.0[before as usize].left.zip(found);
                    let by = by.map(|(left, found)| (left.txn, found.txn));
                    by.into_iter().for_each(|by| follows(before, version, by));
                }
            }
            let other = if is_return { found } else { left };
            if other.is_none_or(|other| other.rank < rank) {
                // Complete: what it follows need not be compared with what comes now.
                let is_before = |left: Moment| found.is_some_and(|found| left.rank < found.rank);
                latest.retain(|&before| {
                    before == version || !self.0[before as usize].left.is_some_and(is_before)
                });
            }
            if is_return {
                latest.push(version);
                if latest.len() > COMPARED {
                    latest.remove(0);
                }
            }
        }
    }
}
