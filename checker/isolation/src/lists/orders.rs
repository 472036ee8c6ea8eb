//! Where each version stands in its key's order, and what is wrong with the orders themselves.

use rustc_hash::FxHashSet;

use crate::Anomaly;
use crate::findings::Findings;
use crate::history::{History, Micro};
use crate::ids::{NONE, Txn, Version, id};
use crate::writers::{Writer, Writers};

/// The orders of all keys.
#[derive(Debug)]
pub(crate) struct Orders {
    /// By version: its position in its key's order, or one of the two below.
    positions: Vec<u32>,
    /// The transaction that wrote each version of `History::order`, where it happened.
    writers: Vec<Txn>,
    /// The first that happened from each version on, within the key.
    next: Vec<Txn>,
}

/// No list shows the version.
const UNOBSERVED: u32 = NONE;
/// Only lists that are no prefix of the order show it.
const DIVERGENT: u32 = NONE - 1;

impl Orders {
    pub(crate) fn new(history: &History, writers: &Writers) -> Self {
        let mut positions = vec![UNOBSERVED; history.names.versions()];
        for &version in history.divergent.iter().flatten() {
            positions[version as usize] = DIVERGENT;
        }
        for key in 0..id(history.keys()) {
            // Backwards: of an element that is there twice the first place counts.
            for (position, &version) in history.order_of(key).iter().enumerate().rev() {
                positions[version as usize] = id(position);
            }
        }
        let txn = |&version: &Version| writers.txn(history, version);
        let writers: Vec<Txn> = history.order.iter().map(txn).collect();
        let mut next = writers.clone();
        for key in 0..id(history.keys()) {
            let mut following = NONE;
            for next in next[history.order_span(key)].iter_mut().rev() {
                if *next == NONE {
                    *next = following;
                }
                following = *next;
            }
        }
        Self { positions, writers, next }
    }

    /// What they take.
    pub(crate) fn bytes(&self) -> usize {
        (self.positions.len() + self.writers.len() + self.next.len()) * size_of::<u32>()
    }

    /// Who wrote the first version that a prefix of this length lacks, and happened.
    pub(crate) fn next_writer(&self, history: &History, key: u32, len: u32) -> Option<Txn> {
        let next = self.next[history.order_span(key)].get(len as usize)?;
        Some(*next).filter(|&txn| txn != NONE)
    }

    /// The place of a version in its key's order, if it has one.
    pub(crate) fn position(&self, version: Version) -> Option<u32> {
        Some(self.positions[version as usize]).filter(|&position| position < DIVERGENT)
    }

    /// Whether no list shows the version: then it follows all that are shown.
    pub(crate) fn is_unobserved(&self, version: Version) -> bool {
        self.positions[version as usize] == UNOBSERVED
    }

    /// The writers of a key's order, `NONE` where nobody is known to have written the version.
    pub(crate) fn writers(&self, history: &History, key: u32) -> &[Txn] {
        &self.writers[history.order_span(key)]
    }

    /// Elements that nobody wrote, that never happened, that are there twice; lists that contradict each other.
    pub(crate) fn scan(&self, history: &History, writers: &Writers, findings: &mut Findings<'_>) {
        for key in 0..id(history.keys()) {
            self.scan_order(history, writers, findings, key);
        }
        if history.divergent.is_empty() {
            return;
        }
        for txn in history.committed() {
            for &micro in history.micros_of(txn) {
                if let Micro::Divergent { key, list } = micro {
                    let list = &history.divergent[list as usize];
                    let read = Read { txn, key, list };
                    incompatible(history, findings, read);
                    scan_list(history, writers, findings, read);
                }
            }
        }
    }

    fn scan_order(
        &self,
        history: &History,
        writers: &Writers,
        findings: &mut Findings<'_>,
        key: u32,
    ) {
        let mut aborted = None;
        for (position, &version) in history.order_of(key).iter().enumerate() {
            let writer = writers.writer(history, version);
            let is_twice = self.positions[version as usize] as usize != position;
            if !is_twice && aborted.is_none() && matches!(writer, Writer::Happened(_)) {
                continue;
            }
            // Looked for only where the anomaly will be listed.
            let place = Place { version, position, read: &|| first_read(history, key, position) };
            if is_twice {
                twice(history, writers, findings, &place);
            } else {
                element(history, writers, findings, &place);
            }
            match writer {
                Writer::Aborted(txn) => aborted = Some((txn, version)),
                Writer::Happened(txn) => {
                    if let Some(aborted) = aborted.take() {
                        dirty_update(history, findings, &place, txn, aborted);
                    }
                }
                Writer::Nobody | Writer::Unclear => {}
            }
        }
    }
}

/// An element of a list that somebody read.
struct Place<'a> {
    version: Version,
    position: usize,
    read: &'a dyn Fn() -> Read<'a>,
}

/// A read and its list.
#[derive(Clone, Copy)]
pub(super) struct Read<'a> {
    pub(super) txn: Txn,
    key: u32,
    pub(super) list: &'a [Version],
}

/// The first read that shows the element at this position of the key's order.
pub(super) fn first_read(history: &History, key: u32, position: usize) -> Read<'_> {
    let shows = |&micro: &Micro| matches!(micro, Micro::Prefix { key: other, len } if other == key && len as usize > position);
    let found = history.micros.iter().position(shows).unwrap_or_default();
    let txn = history.starts.partition_point(|&start| start as usize <= found) - 1;
    let list = history.list(history.micros[found]).unwrap_or_default();
    Read { txn: id(txn), key, list }
}

fn scan_list(history: &History, writers: &Writers, findings: &mut Findings<'_>, read: Read<'_>) {
    let mut seen = FxHashSet::default();
    for (position, &version) in read.list.iter().enumerate() {
        let place = Place { version, position, read: &|| read };
        if seen.insert(version) {
            element(history, writers, findings, &place);
        } else {
            twice(history, writers, findings, &place);
        }
    }
}

/// Whether the element may be there at all.
fn element(history: &History, writers: &Writers, findings: &mut Findings<'_>, place: &Place<'_>) {
    let value = || history.value_name(place.version);
    match writers.writer(history, place.version) {
        Writer::Aborted(txn) => findings.add(Anomaly::G1a, || {
            let read = (place.read)();
            let saw = saw(history, read, place.position);
            (vec![read.txn, txn], format!("{saw}, but T2, which appended {}, failed.", value()))
        }),
        Writer::Nobody => findings.add(Anomaly::GarbageRead, || {
            let read = (place.read)();
            let saw = saw(history, read, place.position);
            (vec![read.txn], format!("{saw}, but nobody appended {}.", value()))
        }),
        Writer::Happened(_) | Writer::Unclear => {}
    }
}

fn saw(history: &History, read: Read<'_>, position: usize) -> String {
    let list = history.list_words(read.list, Some(position));
    format!("T1 read {list} in {}", history.key_name(read.key))
}

fn twice(history: &History, writers: &Writers, findings: &mut Findings<'_>, place: &Place<'_>) {
    let writer = match writers.writer(history, place.version) {
        Writer::Happened(txn) | Writer::Aborted(txn) => Some(txn),
        Writer::Nobody => None,
        // Somebody else appended it, too.
        Writer::Unclear => return,
    };
    findings.add(Anomaly::DuplicateElements, || {
        let read = (place.read)();
        let (saw, value) = (saw(history, read, place.position), history.value_name(place.version));
        let (txns, who) = match writer {
            Some(txn) if txn == read.txn => (vec![txn], ", which it appended once"),
            Some(txn) => (vec![read.txn, txn], ", which T2 appended once"),
            None => (vec![read.txn], ""),
        };
        (txns, format!("{saw}, with {value} in it twice{who}."))
    });
}

fn dirty_update(
    history: &History,
    findings: &mut Findings<'_>,
    place: &Place<'_>,
    txn: Txn,
    (failed, lost): (Txn, Version),
) {
    findings.add(Anomaly::DirtyUpdate, || {
        let read = (place.read)();
        let list = history.list_words(read.list, Some(place.position));
        let (mine, theirs) =
            (history.wrote_words(read.key, place.version), history.value_name(lost));
        let sentence = format!(
            "T1 {mine} on top of {theirs}, which T2 appended, though T2 failed: T3 read {list}."
        );
        (vec![txn, failed, read.txn], sentence)
    });
}

fn incompatible(history: &History, findings: &mut Findings<'_>, read: Read<'_>) {
    let order = history.order_of(read.key);
    let same = order.iter().zip(read.list).take_while(|(a, b)| a == b).count();
    findings.add(Anomaly::IncompatibleOrder, || {
        let other = first_read(history, read.key, same);
        let key = history.key_name(read.key);
        let (mine, theirs) =
            (history.list_words(read.list, Some(same)), history.list_words(other.list, Some(same)));
        let (txns, who) = if other.txn == read.txn {
            (vec![read.txn], "T1")
        } else {
            (vec![read.txn, other.txn], "T2")
        };
        let sentence = format!(
            "T1 read {mine} in {key} and {who} read {theirs}: neither is a prefix of the other."
        );
        (txns, sentence)
    });
}
