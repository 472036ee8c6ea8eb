//! What is known of the order of versions, and the edges that follow.

use crate::graph::{Dependency, Edges, Link, Mask};
use crate::history::{History, Micro, NONE, Txn, Version};
use crate::registers::KeyOrder;
use crate::registers::key_order::Pair;
use crate::touches::Touches;
use crate::writers::Writers;
use crate::{Order, Outcome};

/// Who read each version, and who wrote a later one.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Version and reader.
    reads: Vec<(Version, Txn)>,
    /// Version, a transaction that wrote a later one, and what shows that: the data, or an order of time.
    later: Vec<(Version, Txn, Order)>,
}

impl Known {
    /// What reads and writes tell, and what the order of time adds.
    pub(crate) fn new(history: &History, writers: &Writers, key_order: &KeyOrder) -> Self {
        let mut known = Self::default();
        let initial = initial_versions(history);
        let mut touches = Touches::new(history);
        for txn in history.txns().filter(|&txn| writers.happened(txn)) {
            touches.enter(history, txn);
            for position in history.span(txn) {
                match history.micros[position] {
                    Micro::Value { version, .. } => known.reads.push((version, txn)),
                    Micro::Write { key, .. } => {
                        let before = history.micros[touches.first(position)];
                        let before = replaced(history, writers, before, initial[key as usize]);
                        known.later.extend(before.map(|version| (version, txn, Order::Data)));
                    }
                    _ => {}
                }
            }
        }
        let pairs = key_order.pairs().iter();
        let later = |pair: &Pair| (pair.earlier, writers.txn(history, pair.later), pair.order);
        known.later.extend(pairs.map(later));
        known.reads.sort_unstable();
        known.reads.dedup();
        known.later.sort_unstable();
        // What data shows needs no time.
        known.later.dedup_by_key(|(version, txn, _)| (*version, *txn));
        known.later.sort_unstable_by_key(|&(version, txn, order)| (version, order, txn));
        known
    }

    /// Adds every ww, wr and rw edge.
    pub(crate) fn add_edges(
        &self,
        history: &History,
        writers: &Writers,
        key_order: &KeyOrder,
        edges: &mut Edges,
    ) {
        for pair in key_order.pairs() {
            let (earlier, later) =
                (writers.txn(history, pair.earlier), writers.txn(history, pair.later));
            // Where the second transaction wrote the version itself, wr and time lead there, too.
            if later != pair.by.1 {
                edges.add(earlier, later, Mask::of(Link::shown_by(pair.order, Dependency::Ww)));
            }
        }
        let mut later = self.later.as_slice();
        let (mut readers, mut overwriters) = (Vec::new(), Vec::new());
        for reads in self.reads.chunk_by(|a, b| a.0 == b.0) {
            let version = reads[0].0;
            let writer = writers.txn(history, version);
            for &(_, reader) in reads {
                edges.add(writer, reader, Mask::WR);
            }
            readers.clear();
            readers.extend(reads.iter().map(|&(_, txn)| txn));
            later = &later[later.iter().take_while(|(other, ..)| *other < version).count()..];
            let own = &later[..later.iter().take_while(|(other, ..)| *other == version).count()];
            for same in own.chunk_by(|a, b| a.2 == b.2) {
                overwriters.clear();
                overwriters.extend(same.iter().map(|&(_, txn, _)| txn));
                let link = Link::shown_by(same[0].2, Dependency::Rw);
                edges.add_rw(&readers, &overwriters, Mask::of(link));
            }
        }
    }
}

/// The version that a transaction's writes to a key certainly replaced, if not directly: the one that it read first, or
/// the initial one. Where it read something that leads to no writer, only the initial one is certain.
fn replaced(
    history: &History,
    writers: &Writers,
    first: Micro,
    initial: Version,
) -> Option<Version> {
    match first {
        Micro::Value { version, .. }
            if version == initial || writers.txn(history, version) != NONE =>
        {
            Some(version)
        }
        _ => Some(initial).filter(|&version| version != NONE),
    }
}

/// The initial version of each key, where anyone read it.
fn initial_versions(history: &History) -> Vec<Version> {
    let mut initial = vec![NONE; history.keys()];
    for txn in history.txns().filter(|&txn| history.outcome(txn) == Outcome::Ok) {
        for &micro in history.micros_of(txn) {
            if let Micro::Value { key, version } = micro
                && history.names.is_initial(version)
            {
                initial[key as usize] = version;
            }
        }
    }
    initial
}
