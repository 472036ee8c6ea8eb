//! What data alone shows of the order of versions: who replaced what was there before all writes, or what they had read.

use crate::buckets::Buckets;
use crate::history::{History, Micro};
use crate::ids::{NONE, Txn, Version};
use crate::touches::Touches;
use crate::writers::Writers;

/// Who wrote a later version than each, in the order of the history.
pub(super) fn overwriters(history: &History, writers: &Writers) -> Buckets<Txn> {
    let initial = initial_versions(history, writers);
    let mut touches = Touches::new(history);
    let mut pairs = Vec::with_capacity(history.micros.len());
    for txn in history.txns().filter(|&txn| writers.happened(txn)) {
        touches.enter(history, txn);
        for position in history.span(txn) {
            if let Micro::Write { key, .. } = history.micros[position] {
                let first = history.micros[touches.first(position)];
                let before = replaced(history, writers, first, initial[key as usize]);
                pairs.extend(before.map(|version| (version, txn)));
            }
        }
    }
    Buckets::new(history.names.versions(), &pairs)
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
fn initial_versions(history: &History, writers: &Writers) -> Vec<Version> {
    let mut initial = vec![NONE; history.keys()];
    for txn in history.txns().filter(|&txn| writers.happened(txn)) {
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
