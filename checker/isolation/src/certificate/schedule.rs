//! A serial order, tried as a store would carry the transactions out: one after the other, each as soon as what it read
//! is there, none over a version that somebody is still to read.
//!
//! Where nobody can go on, somebody came too early: then so much is taken back, and another one goes first. What remains
//! stuck is placed anyway. So the order may be wrong; it is only as good as its replay, or as a guess to go on from.

mod circle;
mod start_over;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::instance::{Instance, Slot, in_order};
use super::level::{LEVELS, Level, Shape};
use super::waits::Waits;
use crate::Order;
use crate::budget::Budget;
use crate::ids::{NONE, Txn, id};

/// An order, and where it is known to be wrong.
pub(crate) struct Guess {
    pub(crate) txns: Vec<Txn>,
    pub(crate) forced: Vec<usize>,
}

/// The transactions in the order that was tried.
pub(crate) fn schedule(instance: &Instance<'_>, order: Order, budget: &mut Budget<'_>) -> Guess {
    Schedule::new(instance, order).run(budget)
}

/// The same, if nobody had to be placed too early; given up where that is known to happen.
pub(crate) fn schedule_unforced(
    instance: &Instance<'_>,
    order: Order,
    budget: &mut Budget<'_>,
) -> Option<Vec<Txn>> {
    let mut schedule = Schedule { looks_max: 2, ..Schedule::new(instance, order) };
    schedule.advance(budget, |schedule| schedule.forced.is_empty());
    schedule.forced.is_empty().then_some(schedule.placed)
}

struct Schedule<'a> {
    instance: &'a Instance<'a>,
    /// Serial, with the order of time.
    level: Level,
    order: Order,
    urgencies: Vec<u64>,
    /// What is known from the start of who comes before whom, beside who read from whom.
    waits: Waits,
    /// What was learned where nobody could go on, both ways.
    learned: [FxHashMap<Txn, Vec<Txn>>; 2],
    /// How often something was learned: what was tried in vain may be right later, but not for ever.
    tries: FxHashMap<(Txn, Txn), u8>,
    /// What may be wrong of it: one of several ways out.
    tentative: FxHashSet<(Txn, Txn)>,
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
    /// Who need not wait for time, where it is only a guess.
    is_exempt: Vec<bool>,
    /// How many were invoked before the first return of somebody who is not placed.
    opened: usize,
    ready: BinaryHeap<Reverse<(u64, Txn)>>,
    /// By key, those who wait until its current version was read.
    parked: Vec<Vec<Txn>>,
    /// How many may still be taken back.
    patience: usize,
    /// Where it was started over, and how often.
    stuck_at: usize,
    attempts: u32,
    /// Where those around were looked at, and how often.
    looked_at: usize,
    looks: u32,
    /// So often they may be in one place, each time further around.
    looks_max: u32,
    /// Where somebody was placed too early.
    forced: Vec<usize>,
}

impl<'a> Schedule<'a> {
    fn new(instance: &'a Instance<'a>, order: Order) -> Self {
        let history = instance.history;
        let waits = Waits::new(instance, order);

        let is_serial = |level: &&Level| level.shape == Shape::Serial && level.order == order;
        let level = LEVELS.iter().find(is_serial).copied().unwrap_or(LEVELS[0]);
        let mut waiting = vec![0; history.len()];
        let mut pending = vec![0; instance.slots()];
        for &txn in &instance.txns {
            let reads = instance.reads(txn);
            let read = reads.iter().filter(|&&slot| instance.writer(slot) != NONE).count();
            waiting[txn as usize] = id(read + waits.before(txn).len());
            reads.iter().for_each(|&slot| pending[slot as usize] += 1);
        }
        let by_return = in_order(&history.returns, instance.txns.iter().copied());
        Self {
            instance,
            level,
            order,
            urgencies: urgencies(instance),
            waits,
            learned: [FxHashMap::default(), FxHashMap::default()],
            tries: FxHashMap::default(),
            tentative: FxHashSet::default(),
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
            parked: vec![Vec::new(); history.keys()],
            patience: 1000 + 4 * instance.txns.len(),
            stuck_at: 0,
            attempts: 0,
            looked_at: 0,
            looks: 0,
            looks_max: 3,
            forced: Vec::new(),
        }
    }

    fn run(mut self, budget: &mut Budget<'_>) -> Guess {
        self.advance(budget, |_| true);
        Guess { txns: self.placed, forced: self.forced }
    }

    /// Places one after the other, while there are any and it `goes_on`.
    fn advance(&mut self, budget: &mut Budget<'_>, goes_on: impl Fn(&Self) -> bool) {
        self.open();
        while self.placed.len() < self.instance.txns.len() && goes_on(self) {
            match self.ready.pop() {
                Some(Reverse((_, txn))) => self.consider(txn),
                None => self.resolve(budget),
            }
        }
    }

    fn consider(&mut self, txn: Txn) {
        let is_next = !self.is_placed(txn) && self.waiting[txn as usize] == 0 && self.is_open(txn);
        if !is_next {
            return;
        }
        match self.read_by_others(txn) {
            None => self.place(txn),
            Some(slot) => self.parked[self.instance.key(slot) as usize].push(txn),
        }
    }

    fn is_placed(&self, txn: Txn) -> bool {
        self.places[txn as usize] != NONE
    }

    /// Whether the transaction need not wait for time.
    fn is_open(&self, txn: Txn) -> bool {
        self.is_exempt[txn as usize] || self.is_in_time(txn)
    }

    /// Whether nobody is left who returned before it was invoked.
    fn is_in_time(&self, txn: Txn) -> bool {
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
        if !self.learned[0].is_empty() {
            for later in self.learned[0].get(&txn).cloned().unwrap_or_default() {
                self.release(later);
            }
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
        let urgency = self.urgencies[txn as usize];
        // Where it was started over, another order of those that are close to each other.
        let noise = txn.wrapping_mul(0x9e37_79b9).rotate_left(self.attempts) >> 16;
        let is_noisy = urgency > 0 && self.attempts > 0;
        let noise = if is_noisy { u64::from(noise) % 32 } else { 0 };
        self.ready.push(Reverse((urgency + noise, txn)));
    }

    fn wake(&mut self, key: u32) {
        while let Some(txn) = self.parked[key as usize].pop() {
            self.push(txn);
        }
    }

    /// Lets in who was invoked before the first return of those that are left.
    fn open(&mut self) {
        while let Some(&first) = self.by_return.get(self.first)
            && self.is_placed(first)
        {
            self.first += 1;
        }
        while let Some(&txn) = self.instance.txns.get(self.opened)
            && self.is_in_time(txn)
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

    /// Takes back all but so many.
    fn take_back_to(&mut self, len: usize) {
        while self.placed.len() > len {
            self.take_back();
        }
        self.forced.retain(|&at| at < len);
        let open = self.instance.txns.partition_point(|&txn| self.is_in_time(txn));
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
