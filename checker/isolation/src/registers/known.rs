//! What is known of the order of versions, and the edges that follow.

use crate::Outcome;
use crate::graph::{Edges, Mask};
use crate::history::{History, Micro, NONE, Txn, Version};
use crate::registers::KeyOrder;
use crate::touches::Touches;
use crate::writers::Writers;

/// Who read each version, and who wrote a later one.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Version and reader.
    reads: Vec<(Version, Txn)>,
    /// Version and a transaction that wrote a later one.
    later: Vec<(Version, Txn)>,
}

impl Known {
    /// What reads and writes tell, and what the promised order of keys adds.
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
                        known.later.extend(before.map(|version| (version, txn)));
                    }
                    _ => {}
                }
            }
        }
        for pair in key_order.pairs() {
            let writer = writers.txn(history, pair.later);
            if writer != NONE {
                known.later.push((pair.earlier, writer));
            }
        }
        for pairs in [&mut known.reads, &mut known.later] {
            pairs.sort_unstable();
            pairs.dedup();
        }
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
            let writer = |version| writers.txn(history, version);
            edges.add(writer(pair.earlier), writer(pair.later), Mask::WW);
        }
        let mut later = self.later.as_slice();
        let (mut readers, mut overwriters) = (Vec::new(), Vec::new());
        for reads in self.reads.chunk_by(|a, b| a.0 == b.0) {
            let version = reads[0].0;
            let writer = writers.txn(history, version);
            for &(_, reader) in reads {
                edges.add(writer, reader, Mask::WR);
            }
            later = &later[later.iter().take_while(|(other, _)| *other < version).count()..];
            let own = later.iter().take_while(|(other, _)| *other == version);
            overwriters.clear();
            overwriters.extend(own.map(|&(_, txn)| txn));
            readers.clear();
            readers.extend(reads.iter().map(|&(_, txn)| txn));
            edges.add_rw(&readers, &overwriters);
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
