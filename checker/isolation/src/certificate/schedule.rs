//! A serial order, tried as a store would carry the transactions out: one after the other, each as soon as what it read
//! is there, none over a version that somebody is still to read.
//!
//! Where nobody can go on, somebody came too early: then so much is taken back, and another one goes first. What remains
//! stuck is placed anyway. So the order may be wrong; it is only as good as its replay, or as a guess to go on from.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::instance::{Instance, Slot};
use super::waits::Waits;
use crate::Order;
use crate::ids::{NONE, Txn, id};

/// The transactions in the order that was tried.
pub(crate) fn schedule(instance: &Instance<'_>, order: Order) -> Vec<Txn> {
    Schedule::new(instance, order).run()
}

struct Schedule<'a> {
    instance: &'a Instance<'a>,
    order: Order,
    urgencies: Vec<u64>,
    /// What is known from the start of who comes before whom, beside who read from whom.
    waits: Waits,
    /// What was learned where nobody could go on, both ways.
    learned: [FxHashMap<Txn, Vec<Txn>>; 2],
    is_learned: FxHashSet<(Txn, Txn)>,
    /// For how many others each transaction has to wait.
    waiting: Vec<u32>,
    placed: Vec<Txn>,
    places: Vec<u32>,
    /// By key.
    current: Vec<Slot>,
    /// What was current before each write.
    replaced: Vec<Slot>,
    /// By slot: how many are still to read it.
    pending: Vec<u32>,
    /// Those that returned, in that order; those before the first are placed or exempt.
    by_return: Vec<Txn>,
    first: usize,
    /// Of the order of time where it is only a guess.
    is_exempt: Vec<bool>,
    /// How many were invoked before the first return of somebody who is not placed.
    opened: usize,
    ready: BinaryHeap<Reverse<(u64, Txn)>>,
    /// By key, those who wait until its current version was read.
    parked: FxHashMap<u32, Vec<Txn>>,
    /// How many may still be taken back.
    patience: usize,
}

/// Why a transaction cannot come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// The other one comes first in any case.
    Known,
    /// The other one returned before it was invoked.
    Time,
    /// The other one is still to read a version that it would replace.
    Read(Slot),
}

impl<'a> Schedule<'a> {
    fn new(instance: &'a Instance<'a>, order: Order) -> Self {
        let history = instance.history;
        let waits = Waits::new(instance, order);
        let mut waiting = vec![0; history.len()];
        let mut pending = vec![0; instance.slots()];
        for &txn in &instance.txns {
            let reads = instance.reads(txn);
            let read = reads.iter().filter(|&&slot| instance.writer(slot) != NONE).count();
            waiting[txn as usize] = id(read + waits.before(txn).len());
            reads.iter().for_each(|&slot| pending[slot as usize] += 1);
        }
        let returned = |txn: &Txn| history.returns[*txn as usize] != NONE;
        let mut by_return: Vec<Txn> = instance.txns.iter().copied().filter(returned).collect();
        by_return.sort_unstable_by_key(|&txn| history.returns[txn as usize]);
        Self {
            instance,
            order,
            urgencies: urgencies(instance),
            waits,
            learned: [FxHashMap::default(), FxHashMap::default()],
            is_learned: FxHashSet::default(),
            waiting,
            placed: Vec::with_capacity(instance.txns.len()),
            places: vec![NONE; history.len()],
            current: (0..id(history.keys())).map(|key| instance.initial(key)).collect(),
            replaced: Vec::new(),
            pending,
            by_return,
            first: 0,
            is_exempt: vec![false; history.len()],
            opened: 0,
            ready: BinaryHeap::new(),
            parked: FxHashMap::default(),
            patience: 1000 + 4 * instance.txns.len(),
        }
    }

    fn run(mut self) -> Vec<Txn> {
        self.open();
        while self.placed.len() < self.instance.txns.len() {
            match self.ready.pop() {
                Some(Reverse((_, txn))) => self.consider(txn),
                None => self.resolve(),
            }
        }
        self.placed
    }

    fn consider(&mut self, txn: Txn) {
        let is_next = !self.is_placed(txn) && self.waiting[txn as usize] == 0 && self.is_open(txn);
        if !is_next {
            return;
        }
        match self.read_by_others(txn) {
            None => self.place(txn),
            Some(slot) => self.parked.entry(self.instance.key(slot)).or_default().push(txn),
        }
    }

    fn is_placed(&self, txn: Txn) -> bool {
        self.places[txn as usize] != NONE
    }

    /// Whether nobody is left who returned before it was invoked.
    fn is_open(&self, txn: Txn) -> bool {
        let first = self.by_return.get(self.first);
        let history = self.instance.history;
        first.is_none_or(|&first| history.calls[txn as usize] < history.returns[first as usize])
    }

    /// A version that the transaction would replace before others read it.
    fn read_by_others(&self, txn: Txn) -> Option<Slot> {
        let instance = self.instance;
        let replaced = instance.writes(txn).map(|slot| self.current[instance.key(slot) as usize]);
        let mut replaced = replaced.filter(|&slot| self.pending[slot as usize] > 0);
        replaced.find(|&slot| {
            let own = u32::from(instance.reads(txn).contains(&slot));
            self.pending[slot as usize] > own
        })
    }

    fn place(&mut self, txn: Txn) {
        let instance = self.instance;
        self.places[txn as usize] = id(self.placed.len());
        self.placed.push(txn);
        for &slot in instance.reads(txn) {
            self.pending[slot as usize] -= 1;
            // The last to read it may be the one who replaces it.
            if self.pending[slot as usize] <= 1 {
                self.wake(instance.key(slot));
            }
        }
        for slot in instance.writes(txn) {
            let key = instance.key(slot);
            self.replaced.push(std::mem::replace(&mut self.current[key as usize], slot));
            instance.readers(slot).iter().for_each(|&reader| self.release(reader));
            if self.pending[slot as usize] <= 1 {
                self.wake(key);
            }
        }
        for at in 0..self.waits.after(txn).len() {
            self.release(self.waits.after(txn)[at]);
        }
        for later in self.learned[0].get(&txn).cloned().unwrap_or_default() {
            self.release(later);
        }
        self.open();
    }

    fn release(&mut self, txn: Txn) {
        self.waiting[txn as usize] -= 1;
        if self.waiting[txn as usize] == 0 && self.is_open(txn) {
            self.push(txn);
        }
    }

    fn push(&mut self, txn: Txn) {
        self.ready.push(Reverse((self.urgencies[txn as usize], txn)));
    }

    fn wake(&mut self, key: u32) {
        for txn in self.parked.remove(&key).unwrap_or_default() {
            self.push(txn);
        }
    }

    /// Lets in who was invoked before the first return of those that are left.
    fn open(&mut self) {
        while let Some(&first) = self.by_return.get(self.first)
            && (self.is_placed(first) || self.is_exempt[first as usize])
        {
            self.first += 1;
        }
        while let Some(&txn) = self.instance.txns.get(self.opened)
            && self.is_open(txn)
        {
            self.opened += 1;
            if self.waiting[txn as usize] == 0 {
                self.push(txn);
            }
        }
    }

    /// Takes back whoever was placed last.
    fn take_back(&mut self) {
        let (instance, Some(txn)) = (self.instance, self.placed.pop()) else { return };
        self.places[txn as usize] = NONE;
        let learned = self.learned[0].get(&txn).into_iter().flatten();
        for &later in self.waits.after(txn).iter().chain(learned) {
            self.waiting[later as usize] += 1;
        }
        for slot in instance.writes(txn).rev() {
            let key = instance.key(slot);
            self.current[key as usize] = self.replaced.pop().unwrap_or(slot);
            for &reader in instance.readers(slot) {
                self.waiting[reader as usize] += 1;
            }
            self.wake(key);
        }
        for &slot in instance.reads(txn) {
            self.pending[slot as usize] += 1;
        }
        let returns = &instance.history.returns;
        let ret = returns[txn as usize];
        self.first =
            self.first.min(self.by_return.partition_point(|&other| returns[other as usize] < ret));
        self.push(txn);
    }

    /// Nobody can go on: finds out who waits for whom in a circle, and breaks it.
    fn resolve(&mut self) {
        let left = || self.instance.txns.iter().copied().find(|&txn| !self.is_placed(txn));
        let Some(start) = self.by_return.get(self.first).copied().or_else(left) else { return };
        let mut walk: Vec<(Txn, Wait)> = Vec::new();
        let mut places = FxHashMap::default();
        let mut txn = start;
        let circle = loop {
            if let Some(&at) = places.get(&txn) {
                break walk.split_off(at);
            }
            let Some((wait, other)) = self.wait(txn) else {
                // It waited for something that was taken back since.
                return self.push(txn);
            };
            places.insert(txn, walk.len());
            walk.push((txn, wait));
            txn = other;
        };
        self.break_circle(&circle);
    }

    /// Why the transaction cannot come next, and for whom it waits.
    fn wait(&self, txn: Txn) -> Option<(Wait, Txn)> {
        let instance = self.instance;
        let writers = instance.reads(txn).iter().map(|&slot| instance.writer(slot));
        let writers = writers.filter(|&writer| writer != NONE);
        let learned = self.learned[1].get(&txn).into_iter().flatten();
        let mut before = writers.chain(self.waits.before(txn).iter().chain(learned).copied());
        if let Some(other) = before.find(|&other| !self.is_placed(other)) {
            return Some((Wait::Known, other));
        }
        let time = || {
            let first = self.by_return.get(self.first).filter(|_| !self.is_open(txn))?;
            Some((Wait::Time, *first))
        };
        let read = || {
            let slot = self.read_by_others(txn)?;
            let is_left = |reader: &&Txn| **reader != txn && !self.is_placed(**reader);
            let reader = instance.readers(slot).iter().find(is_left)?;
            Some((Wait::Read(slot), *reader))
        };
        if self.order == Order::Realtime { time().or_else(read) } else { read().or_else(time) }
    }

    fn break_circle(&mut self, circle: &[(Txn, Wait)]) {
        let is_time = |(_, wait): &(Txn, Wait)| *wait == Wait::Time;
        if self.order != Order::Realtime
            && circle.iter().any(is_time)
            && let Some(&first) = self.by_return.get(self.first)
        {
            self.is_exempt[first as usize] = true;
            return self.open();
        }
        // Who came too early: the last who wrote what somebody is still to read, though another one has to write first.
        let early = |&(txn, wait): &(Txn, Wait)| match wait {
            Wait::Read(slot) => Some((self.instance.writer(slot), txn)),
            Wait::Known | Wait::Time => None,
        };
        let early = circle.iter().filter_map(early).filter(|&(writer, _)| writer != NONE);
        let early = early.max_by_key(|&(writer, _)| self.places[writer as usize]);
        let stuck = circle.iter().find(|(_, wait)| matches!(wait, Wait::Read(_)));
        let stuck = stuck.or(circle.first()).map(|&(txn, _)| txn);
        match early {
            Some((writer, txn)) if self.may_learn(txn, writer) => self.learn(txn, writer),
            _ => stuck.into_iter().for_each(|txn| self.place(txn)),
        }
    }

    fn may_learn(&mut self, txn: Txn, writer: Txn) -> bool {
        let back = self.placed.len() - self.places[writer as usize] as usize;
        let is_allowed = back <= self.patience && self.is_learned.insert((txn, writer));
        self.patience -= if is_allowed { back } else { 0 };
        is_allowed
    }

    /// The transaction comes before the writer.
    fn learn(&mut self, txn: Txn, writer: Txn) {
        self.learned[0].entry(txn).or_default().push(writer);
        self.learned[1].entry(writer).or_default().push(txn);
        self.waiting[writer as usize] += 1;
        while self.is_placed(writer) {
            self.take_back();
        }
        let open = self.instance.txns.partition_point(|&txn| self.is_open(txn));
        self.opened = self.opened.min(open);
        self.open();
    }
}

/// Smaller numbers go first: who only reads, and then whose versions must be there early and may go early. The middle
/// of a version's life is an order of versions that is in line with time, where there is one.
fn urgencies(instance: &Instance<'_>) -> Vec<u64> {
    let history = instance.history;
    let mut due = history.returns.clone();
    let mut urgencies = vec![0; history.len()];
    for &txn in instance.txns.iter().rev() {
        let mut last = history.calls[txn as usize];
        for slot in instance.writes(txn) {
            for &reader in instance.readers(slot) {
                due[txn as usize] = due[txn as usize].min(due[reader as usize]);
                last = last.max(history.calls[reader as usize]);
            }
        }
        if !instance.writes(txn).is_empty() {
            urgencies[txn as usize] = u64::from(due[txn as usize]) + u64::from(last);
        }
    }
    urgencies
}
