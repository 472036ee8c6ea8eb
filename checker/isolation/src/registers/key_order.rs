//! The order of versions that time gives: of two transactions that touch a key one after the other, what the first left
//! there is not newer than what the second found.
//!
//! Levels without an order of time let a store answer from the past. Strong snapshot isolation and all above do not:
//! were the versions the other way round, whoever found the older one would have missed a newer one that was seen
//! before, which is a G-single with real time. The same holds of the order of each process and strong-session snapshot
//! isolation. So each pair keeps the order of time that it follows from, and counts only in cycles that rule out levels
//! with that order, from G-single on.

use rustc_hash::FxHashMap;

use super::lives::Lives;
use crate::Order;
use crate::history::{History, Micro, NONE, Txn, Version, id};
use crate::writers::Writers;

/// One version before another, and the transactions that show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair {
    pub(crate) earlier: Version,
    pub(crate) later: Version,
    /// In which time the second transaction came after the first.
    pub(crate) order: Order,
    pub(crate) by: (Txn, Txn),
}

/// The pairs of all keys, by the earlier version.
#[derive(Debug)]
pub(crate) struct KeyOrder {
    pairs: Vec<Pair>,
}

/// A transaction as one key sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    pub(super) txn: Txn,
    pub(super) key: u32,
    pub(super) found: Version,
    pub(super) left: Version,
}

impl KeyOrder {
    pub(crate) fn new(history: &History, writers: &Writers) -> Self {
        let mut pairs = Vec::new();
        let mut lives = Lives::new(history);
        let mut previous: FxHashMap<(u64, u32), Visit> = FxHashMap::default();
        for_each_visit(history, writers, |visit| {
            lives.note(history, visit);
            let process = history.header(visit.txn).process;
            if let Some(before) = previous.insert((process, visit.key), *visit) {
                let by = (before.txn, visit.txn);
                let (earlier, later) = (before.left, visit.found);
                pairs.push(Pair { earlier, later, order: Order::Process, by });
            }
        });
        lives.sweep(|earlier, later, by| {
            pairs.push(Pair { earlier, later, order: Order::Realtime, by });
        });
        // The initial version comes before all others in any case.
        let initial = |version| history.names.is_initial(version);
        pairs.retain(|&Pair { earlier, later, .. }| {
            earlier != later && !initial(earlier) && !initial(later)
        });
        pairs.sort_unstable();
        // The order of a process is one of real time, too.
        pairs.dedup_by_key(|pair| (pair.earlier, pair.later));
        Self { pairs }
    }

    pub(crate) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// The pairs with this earlier version.
    pub(crate) fn after(&self, earlier: Version) -> impl Iterator<Item = &Pair> {
        let start = self.pairs.partition_point(|pair| pair.earlier < earlier);
        self.pairs[start..].iter().take_while(move |pair| pair.earlier == earlier)
    }
}

/// What each transaction found and left at each key, in the order of invocations. Versions whose writer is not known
/// count for nothing.
fn for_each_visit(history: &History, writers: &Writers, mut act: impl FnMut(&Visit)) {
    let mut txns: Vec<Txn> = history.txns().filter(|&txn| writers.happened(txn)).collect();
    txns.sort_unstable_by_key(|&txn| history.calls[txn as usize]);
    let mut visits: Vec<Visit> = Vec::new();
    let mut places = vec![NONE; history.keys()];
    for txn in txns {
        visits.clear();
        for &micro in history.micros_of(txn) {
            let (Micro::Value { key, version } | Micro::Write { key, version }) = micro else {
                continue;
            };
            if !history.names.is_initial(version) && writers.txn(history, version) == NONE {
                continue;
            }
            let place = &mut places[key as usize];
            match visits.get_mut(*place as usize).filter(|visit| visit.key == key) {
                Some(visit) => visit.left = version,
                None => {
                    *place = id(visits.len());
                    visits.push(Visit { txn, key, found: version, left: version });
                }
            }
        }
        visits.iter().for_each(&mut act);
    }
}
