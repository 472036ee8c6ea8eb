//! What is known of the order of versions, and the edges that follow.

use rustc_hash::FxHashMap;

use super::lives::COMPARED;
use super::overwriters::overwriters;
use super::sessions::Sessions;
use crate::Order;
use crate::buckets::Buckets;
use crate::budget::Budget;
use crate::graph::Edges;
use crate::history::{History, Micro};
use crate::ids::{Txn, Version, id};
use crate::links::{Dependency, Link, Mask};
use crate::registers::Lives;
use crate::writers::Writers;

/// Who read each version.
#[derive(Debug)]
pub(crate) struct Readers(Buckets<Txn>);

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

    /// What they take at most, and what finding them takes.
    pub(crate) fn bytes(history: &History) -> usize {
        let micros = history.micros.len();
        let pairs = micros * size_of::<(Version, Txn)>();
        pairs + Buckets::<Txn>::bytes(history.names.versions(), micros)
    }

    /// Adds every ww, wr and rw edge that data and real time show, as far as memory allows. A key of which not all
    /// versions were compared in time.
    pub(crate) fn add_edges(
        &self,
        history: &History,
        writers: &Writers,
        lives: &Lives,
        edges: &mut Edges,
        budget: &mut Budget<'_>,
    ) -> Option<u32> {
        // Overwriters are as many as writes, at most.
        let beside = Self::bytes(history) + Lives::sweep_bytes(history);
        if !budget.allows(edges.bytes() + beside) {
            return None;
        }
        let overwriters = overwriters(history, writers);
        self.add_shown_by_data(history, writers, &overwriters, edges);
        let mut missed = Missed::new(self, Order::Realtime);
        lives.sweep(history, |earlier, later, found_by| {
            if !budget.allows(edges.bytes() + beside) {
                return;
            }
            let writer = writers.txn(history, later);
            let shown = Shown { order: Order::Realtime, earlier, writer, found_by };
            shown.add_ww(history, writers, edges);
            // What data shows needs no time.
            if overwriters.of(earlier).binary_search(&writer).is_err() {
                missed.add(earlier, writer, edges);
            }
        })
    }

    fn add_shown_by_data(
        &self,
        history: &History,
        writers: &Writers,
        overwriters: &Buckets<Txn>,
        edges: &mut Edges,
    ) {
        // Each once.
        let (mut missed_it, mut overwrote) = (Vec::new(), Vec::new());
        for version in 0..id(history.names.versions()) {
            let writer = writers.txn(history, version);
            let readers = self.0.of(version);
            for &reader in readers {
                edges.add(writer, reader, Mask::WR);
            }
            let others = overwriters.of(version);
            if readers.is_empty() || others.is_empty() {
                continue;
            }
            for (all, once) in [(readers, &mut missed_it), (others, &mut overwrote)] {
                once.clear();
                once.extend_from_slice(all);
                once.dedup();
            }
            edges.add_rw(&missed_it, &overwrote, Mask::RW);
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
        budget: &mut Budget<'_>,
    ) {
        const ORDER: Order = Order::Process;
        let mask = Mask::of(Link::shown_by(ORDER, Dependency::Rw));
        for same in sessions.pairs().chunk_by(|a, b| a.earlier == b.earlier) {
            let earlier = same[0].earlier;
            let readers = || self.0.of(earlier).iter().filter(|&&txn| concerned[txn as usize]);
            for pair in same.iter().take(COMPARED) {
                if !budget.allows(edges.bytes()) {
                    return;
                }
                let writer = writers.txn(history, pair.later);
                let found_by = pair.by.1;
                Shown { order: ORDER, earlier, writer, found_by }.add_ww(history, writers, edges);
                readers().for_each(|&reader| edges.add(reader, writer, mask));
            }
        }
    }
}

/// Leads those who read a version to those who wrote later ones, one by one: from a few directly, from many through a
/// hub.
struct Missed<'a> {
    readers: &'a Readers,
    mask: Mask,
    hubs: FxHashMap<Version, u32>,
}

impl<'a> Missed<'a> {
    /// So many readers are a few.
    const FEW: usize = 4;

    fn new(readers: &'a Readers, order: Order) -> Self {
        let mask = Mask::of(Link::shown_by(order, Dependency::Rw));
        Self { readers, mask, hubs: FxHashMap::default() }
    }

    fn add(&mut self, earlier: Version, writer: Txn, edges: &mut Edges) {
        let (readers, mask) = (self.readers.0.of(earlier), self.mask);
        if readers.len() <= Self::FEW {
            readers.iter().for_each(|&reader| edges.add(reader, writer, mask));
            return;
        }
        let hub = *self.hubs.entry(earlier).or_insert_with(|| {
            let hub = edges.node();
            readers.iter().for_each(|&reader| edges.add(reader, hub, mask));
            hub
        });
        edges.add(hub, writer, mask);
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
