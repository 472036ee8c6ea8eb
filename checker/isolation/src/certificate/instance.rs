//! A history as the search for an order sees it: who installed which version, and who read it from somebody else.

use crate::Datatype;
use crate::buckets::Buckets;
use crate::history::{History, Micro};
use crate::ids::{NONE, Txn, Version, id};
use crate::lists::Orders;
use crate::writers::Writers;

/// An installed version: the last write of a transaction to a key. Behind these, each key has its initial version.
pub(crate) type Slot = u32;

#[derive(Debug)]
pub(crate) struct Instance<'a> {
    pub(crate) history: &'a History,
    /// The transactions that happened, in the order of their invocations.
    pub(crate) txns: Vec<Txn>,
    /// By slot.
    keys: Vec<u32>,
    writers: Vec<Txn>,
    versions: Vec<Version>,
    /// By slot: a version of the key that data shows to be an earlier one.
    before: Vec<Slot>,
    readers: Buckets<Txn>,
    /// Where each transaction's slots begin.
    write_starts: Vec<u32>,
    read_starts: Vec<u32>,
    reads: Vec<Slot>,
}

impl<'a> Instance<'a> {
    /// What one takes at most with what building it takes, and what trying and replaying an order takes.
    pub(crate) fn bytes(history: &History) -> usize {
        const SLOT: usize = 9 * size_of::<u32>();
        const TXN: usize = 24 * size_of::<u32>();
        let (micros, keys) = (history.micros.len(), history.keys());
        SLOT * (micros + keys) + TXN * history.len() + 4 * history.names.versions() + 52 * keys
    }

    /// Of a history without anomalies of single transactions or keys. `orders` are those of lists.
    pub(crate) fn new(history: &'a History, writers: &Writers, orders: Option<&Orders>) -> Self {
        let happened = history.txns().filter(|&txn| writers.happened(txn));
        let txns = in_order(&history.calls, happened);
        let mut instance = Self {
            history,
            txns,
            keys: Vec::new(),
            writers: Vec::new(),
            versions: Vec::new(),
            before: Vec::new(),
            readers: Buckets::new(0, &[]),
            write_starts: vec![0],
            read_starts: vec![0],
            reads: Vec::new(),
        };
        let slots = instance.add_writes(writers);
        instance.add_reads(writers, orders, &slots);
        if let Some(orders) = orders {
            instance.order_lists(orders, &slots);
        }
        instance
    }

    /// The slot of each version that has one.
    fn add_writes(&mut self, writers: &Writers) -> Vec<Slot> {
        let history = self.history;
        let mut slots = vec![NONE; history.names.versions()];
        for txn in history.txns() {
            for &micro in history.micros_of(txn) {
                if let Micro::Write { key, version } = micro
                    && writers.happened(txn)
                    && writers.txn(history, version) == txn
                    && !writers.is_intermediate(version)
                {
                    slots[version as usize] = id(self.keys.len());
                    self.keys.push(key);
                    self.writers.push(txn);
                    self.versions.push(version);
                }
            }
            self.write_starts.push(id(self.keys.len()));
        }
        self.keys.extend(0..id(history.keys()));
        self.writers.resize(self.keys.len(), NONE);
        self.before = vec![NONE; self.keys.len()];
        slots
    }

    fn add_reads(&mut self, writers: &Writers, orders: Option<&Orders>, slots: &[Slot]) {
        let history = self.history;
        let mut pairs = Vec::new();
        // Where a key was read or written last.
        let mut seen = vec![NONE; history.keys()];
        for txn in history.txns() {
            for &micro in history.micros_of(txn) {
                if !writers.happened(txn) || seen[micro.key() as usize] == txn {
                    continue;
                }
                let key = micro.key();
                let read = match micro {
                    Micro::Value { version, .. } if history.names.is_initial(version) => {
                        Some(self.initial(key))
                    }
                    Micro::Value { version, .. } => Some(slots[version as usize]),
                    Micro::Prefix { len, .. } => {
                        let is_others = |version: &&Version| writers.txn(history, **version) != txn;
                        let list = &history.order_of(key)[..len as usize];
                        let last = list.iter().rev().find(is_others);
                        Some(last.map_or(self.initial(key), |&last| {
                            self.slot_or(slots, last, writers.txn(history, last), key)
                        }))
                    }
                    Micro::Write { .. } | Micro::Divergent { .. } | Micro::Unknown { .. } => None,
                };
                let is_own = matches!(micro, Micro::Write { .. });
                // Whatever was appended before, the rest of a list is somebody else's.
                if read.is_some() || is_own && orders.is_none() {
                    seen[key as usize] = txn;
                }
                let Some(read) = read.filter(|&slot| slot != NONE) else { continue };
                self.reads.push(read);
                pairs.push((read, txn));
                let own = self.slot_of(txn, key);
                if own != NONE {
                    self.before[own as usize] = read;
                }
            }
            self.read_starts.push(id(self.reads.len()));
        }
        self.readers = Buckets::new(self.keys.len(), &pairs);
    }

    /// Lists tell the order of all versions but those that nobody saw, which come last.
    fn order_lists(&mut self, orders: &Orders, slots: &[Slot]) {
        let history = self.history;
        let mut last: Vec<Slot> = (0..id(history.keys())).map(|key| self.initial(key)).collect();
        for key in 0..id(history.keys()) {
            let order = history.order_of(key).iter();
            for (&version, &writer) in order.zip(orders.writers(history, key)) {
                let slot = self.slot_or(slots, version, writer, key);
                if slot != NONE && slot != last[key as usize] {
                    self.before[slot as usize] = last[key as usize];
                    last[key as usize] = slot;
                }
            }
        }
        for slot in slots.iter().copied().filter(|&slot| slot != NONE) {
            let last = last[self.key(slot) as usize];
            if self.before[slot as usize] == NONE && slot != last {
                self.before[slot as usize] = last;
            }
        }
    }

    /// How many slots there are.
    pub(crate) fn slots(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn is_list(&self) -> bool {
        self.history.datatype == Datatype::ListAppend
    }

    pub(crate) fn initial(&self, key: u32) -> Slot {
        id(self.versions.len()) + key
    }

    /// The slot of a version, or of the last one that its writer wrote to the key.
    fn slot_or(&self, slots: &[Slot], version: Version, writer: Txn, key: u32) -> Slot {
        match slots[version as usize] {
            NONE => self.slot_of(writer, key),
            slot => slot,
        }
    }

    fn slot_of(&self, txn: Txn, key: u32) -> Slot {
        if txn == NONE {
            return NONE;
        }
        self.writes(txn).find(|&slot| self.key(slot) == key).unwrap_or(NONE)
    }

    pub(crate) fn key(&self, slot: Slot) -> u32 {
        self.keys[slot as usize]
    }

    /// Who installed the version; `NONE` of an initial one.
    pub(crate) fn writer(&self, slot: Slot) -> Txn {
        self.writers[slot as usize]
    }

    /// What it is called; `None` of an initial one.
    pub(crate) fn version(&self, slot: Slot) -> Option<Version> {
        self.versions.get(slot as usize).copied()
    }

    /// A version that is known to be an earlier one; `NONE` where there is none but the initial one.
    pub(crate) fn before(&self, slot: Slot) -> Slot {
        self.before[slot as usize]
    }

    /// Who read the version from its writer.
    pub(crate) fn readers(&self, slot: Slot) -> &[Txn] {
        self.readers.of(slot)
    }

    /// What the transaction installed.
    pub(crate) fn writes(&self, txn: Txn) -> std::ops::Range<Slot> {
        self.write_starts[txn as usize]..self.write_starts[txn as usize + 1]
    }

    /// What the transaction read from others.
    pub(crate) fn reads(&self, txn: Txn) -> &[Slot] {
        let span = self.read_starts[txn as usize]..self.read_starts[txn as usize + 1];
        &self.reads[span.start as usize..span.end as usize]
    }
}

/// These transactions in the order of their ranks, but for those that have none.
pub(crate) fn in_order(ranks: &[u32], txns: impl Iterator<Item = Txn>) -> Vec<Txn> {
    let last = ranks.iter().filter(|&&rank| rank != NONE).max();
    let mut by_rank = vec![NONE; last.map_or(0, |&last| last as usize + 1)];
    for txn in txns {
        if let Some(place) = by_rank.get_mut(ranks[txn as usize] as usize) {
            *place = txn;
        }
    }
    by_rank.retain(|&txn| txn != NONE);
    by_rank
}
