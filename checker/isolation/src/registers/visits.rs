//! Transactions as single keys see them.

use crate::history::{History, Micro};
use crate::ids::{NONE, Txn, Version, id};
use crate::writers::Writers;

/// What a transaction found and left at a key. Versions whose writer is not known count for nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    pub(super) txn: Txn,
    pub(super) key: u32,
    pub(super) found: Version,
    pub(super) left: Version,
}

/// Goes through the visits of these transactions, in their order.
pub(super) fn for_each_visit(
    history: &History,
    writers: &Writers,
    txns: impl Iterator<Item = Txn>,
    mut act: impl FnMut(&Visit),
) {
    let mut visits: Vec<Visit> = Vec::new();
    let mut places = vec![NONE; history.keys()];
    for txn in txns.filter(|&txn| writers.happened(txn)) {
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
