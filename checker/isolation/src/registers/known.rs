//! What is known of the order of versions, and the edges that follow.

use super::lives::COMPARED;
use super::sessions::Sessions;
use crate::buckets::Buckets;
use crate::graph::Edges;
use crate::history::{History, Micro, NONE, Txn, Version, id};
use crate::links::{Dependency, Link, Mask};
use crate::registers::Lives;
use crate::touches::Touches;
use crate::writers::Writers;
use crate::{Order, Outcome};

/// Who read each version.
#[derive(Debug)]
pub(crate) struct Readers(Buckets<Txn>);

/// Who wrote a later version, and what shows that.
type Overwriter = (Txn, Order);

impl Readers {
    pub(crate) fn new(history: &History, writers: &Writers) -> Self {
        let mut reads = Vec::with_capacity(history.micros.len());
        for txn in history.txns().filter(|&txn| writers.happened(txn)) {
            for &micro in history.micros_of(txn) {
                if let Micro::Value { version, .. } = micro {
                    reads.push((version, txn));
                }
            }
        }
        Self(Buckets::new(history.names.versions(), &reads))
    }

    /// Adds every ww, wr and rw edge that data and real time show.
    pub(crate) fn add_edges(
        &self,
        history: &History,
        writers: &Writers,
        lives: &Lives,
        edges: &mut Edges,
    ) {
        let mut later: Vec<(Version, Overwriter)> = Vec::with_capacity(history.micros.len());
        // Who read nothing has nothing to be overwritten.
        let is_read = |version: &Version| !self.0.of(*version).is_empty();
        let initial = initial_versions(history);
        let mut touches = Touches::new(history);
        for txn in history.txns().filter(|&txn| writers.happened(txn)) {
            touches.enter(history, txn);
            for position in history.span(txn) {
                if let Micro::Write { key, .. } = history.micros[position] {
                    let before = history.micros[touches.first(position)];
                    let before = replaced(history, writers, before, initial[key as usize]);
                    let before = before.filter(is_read);
                    later.extend(before.map(|version| (version, (txn, Order::Data))));
                }
            }
        }
        lives.sweep(history, |before, after, found_by| {
            let writer = writers.txn(history, after);
            if is_read(&before) {
                later.push((before, (writer, Order::Realtime)));
            }
            let shown = Shown { order: Order::Realtime, earlier: before, writer, found_by };
            shown.add_ww(history, writers, edges);
        });
        let later = Buckets::new(history.names.versions(), &later);
        let (mut readers, mut overwriters) = (Vec::new(), Vec::new());
        for version in 0..id(history.names.versions()) {
            let writer = writers.txn(history, version);
            let reads = self.0.of(version);
            for &reader in reads {
                edges.add(writer, reader, Mask::WR);
            }
            if reads.is_empty() || later.of(version).is_empty() {
                continue;
            }
            readers.clear();
            readers.extend_from_slice(reads);
            readers.dedup();
            overwriters.clear();
            overwriters.extend_from_slice(later.of(version));
            overwriters.sort_unstable();
            // What data shows needs no time.
            overwriters.dedup_by_key(|(txn, _)| *txn);
            for order in [Order::Data, Order::Realtime] {
                let shown = overwriters.iter().filter(|(_, other)| *other == order);
                let shown: Vec<Txn> = shown.map(|&(txn, _)| txn).collect();
                edges.add_rw(&readers, &shown, Mask::of(Link::shown_by(order, Dependency::Rw)));
            }
        }
    }

    /// Adds what the order of processes shows between transactions that it may concern.
    pub(crate) fn add_sessions(
        &self,
        history: &History,
        writers: &Writers,
        sessions: &Sessions,
        concerned: &[bool],
        edges: &mut Edges,
    ) {
        const ORDER: Order = Order::Process;
        let mask = Mask::of(Link::shown_by(ORDER, Dependency::Rw));
        for same in sessions.pairs().chunk_by(|a, b| a.earlier == b.earlier) {
            let earlier = same[0].earlier;
            let readers = || self.0.of(earlier).iter().filter(|&&txn| concerned[txn as usize]);
            for pair in same.iter().take(COMPARED) {
                let writer = writers.txn(history, pair.later);
                let found_by = pair.by.1;
                Shown { order: ORDER, earlier, writer, found_by }.add_ww(history, writers, edges);
                readers().for_each(|&reader| edges.add(reader, writer, mask));
            }
        }
    }
}

/// That somebody wrote a later version than another one, as an order of time shows.
struct Shown {
    order: Order,
    earlier: Version,
    writer: Txn,
    found_by: Txn,
}

impl Shown {
    /// Adds the edge between the writers, unless who found the later version wrote it: then wr and time lead there, too.
    fn add_ww(&self, history: &History, writers: &Writers, edges: &mut Edges) {
        if self.writer != self.found_by {
            let link = Link::shown_by(self.order, Dependency::Ww);
            edges.add(writers.txn(history, self.earlier), self.writer, Mask::of(link));
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
