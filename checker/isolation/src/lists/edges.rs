//! Dependencies between the transactions of a history of lists.

use crate::graph::Edges;
use crate::history::{History, Micro};
use crate::ids::{NONE, Txn, Version, id};
use crate::links::Mask;
use crate::lists::Orders;
use crate::writers::Writers;

/// Adds every ww, wr and rw edge.
pub(crate) fn add_edges(history: &History, writers: &Writers, orders: &Orders, edges: &mut Edges) {
    for key in 0..id(history.keys()) {
        let written = history.order_of(key).iter().zip(orders.writers(history, key));
        let mut happened = written.filter(|(_, txn)| **txn != NONE);
        let Some(mut last) = happened.next() else { continue };
        for next in happened {
            edges.add(*last.1, *next.1, overwriting(writers, *last.0));
            last = next;
        }
    }
    let unobserved = Unobserved::new(history, writers, orders);
    let mut final_reads = Vec::new();
    for txn in history.committed() {
        for &micro in history.micros_of(txn) {
            let Some(list) = history.list(micro) else { continue };
            let Micro::Prefix { key, len } = micro else {
                // No order tells what follows such a list.
                let seen = list.iter().rev().map(|&version| writers.txn(history, version));
                edges.add(last_of_others(seen, txn), txn, Mask::WR);
                continue;
            };
            let seen = &orders.writers(history, key)[..len as usize];
            edges.add(last_of_others(seen.iter().rev().copied(), txn), txn, Mask::WR);
            match orders.next_writer(history, key, len) {
                Some(writer) => edges.add(txn, writer, Mask::RW),
                None if unobserved.has(key) => final_reads.push((key, txn)),
                None => {}
            }
        }
    }
    unobserved.add_edges(history, writers, orders, final_reads, edges);
}

/// How an append depends on the one before it. Only the last that a transaction appends to a key is a version in Adya's
/// sense; an append on top of an earlier one saw that rather than replaced it.
fn overwriting(writers: &Writers, version: Version) -> Mask {
    if writers.is_intermediate(version) { Mask::WR } else { Mask::WW }
}

/// The first in the row that happened and is somebody else.
fn last_of_others(mut writers: impl Iterator<Item = Txn>, txn: Txn) -> Txn {
    writers.find(|&writer| writer != NONE && writer != txn).unwrap_or(NONE)
}

/// Appends that no list shows. They happened, so that they follow the longest one.
struct Unobserved {
    /// Key and transaction, by key.
    appends: Vec<(u32, Txn)>,
    has: Vec<bool>,
}

impl Unobserved {
    fn new(history: &History, writers: &Writers, orders: &Orders) -> Self {
        let mut appends = Vec::new();
        let mut has = vec![false; history.keys()];
        for txn in history.txns().filter(|&txn| writers.happened(txn)) {
            for &micro in history.micros_of(txn) {
                let Micro::Write { key, version } = micro else { continue };
                if orders.is_unobserved(version) {
                    appends.push((key, txn));
                    has[key as usize] = true;
                }
            }
        }
        sort(&mut appends);
        Self { appends, has }
    }

    fn has(&self, key: u32) -> bool {
        self.has[key as usize]
    }

    fn add_edges(
        &self,
        history: &History,
        writers: &Writers,
        orders: &Orders,
        mut final_reads: Vec<(u32, Txn)>,
        edges: &mut Edges,
    ) {
        sort(&mut final_reads);
        let mut reads = final_reads.as_slice();
        for appends in self.appends.chunk_by(|a, b| a.0 == b.0) {
            let key = appends[0].0;
            let appenders: Vec<Txn> = appends.iter().map(|&(_, txn)| txn).collect();
            let written = history.order_of(key).iter().zip(orders.writers(history, key));
            if let Some((&version, &last)) = written.rev().find(|(_, txn)| **txn != NONE) {
                for &txn in &appenders {
                    edges.add(last, txn, overwriting(writers, version));
                }
            }
            let own = reads.iter().take_while(|(other, _)| *other == key).count();
            let (own, rest) = reads.split_at(own);
            reads = rest;
            let readers: Vec<Txn> = own.iter().map(|&(_, txn)| txn).collect();
            edges.add_rw(&readers, &appenders, Mask::RW);
        }
    }
}

/// By key, each pair once.
fn sort(pairs: &mut Vec<(u32, Txn)>) {
    pairs.sort_unstable();
    pairs.dedup();
}
