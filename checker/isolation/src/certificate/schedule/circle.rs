//! Transactions that wait for each other in a circle, and which of them goes first.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::Schedule;
use crate::Order;
use crate::budget::Budget;
use crate::certificate::instance::Slot;
use crate::ids::{NONE, Txn};

/// Why a transaction cannot come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// The other one comes first in any case.
    Known,
    /// The other one comes first if what was tried is right.
    Tried,
    /// The other one returned before it was invoked.
    Time,
    /// The other one is still to read a version that it would replace.
    Read(Slot),
}

impl Schedule<'_> {
    /// Nobody can go on: finds out who waits for whom in a circle, and breaks it.
    pub(super) fn resolve(&mut self, budget: &mut Budget<'_>) {
        if !budget.goes_on() {
            self.patience = 0;
        }
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
        self.break_circle(&circle, budget);
    }

    /// Why the transaction cannot come next, and for whom it waits.
    fn wait(&self, txn: Txn) -> Option<(Wait, Txn)> {
        let instance = self.instance;
        let writers = instance.reads(txn).iter().map(|&slot| instance.writer(slot));
        let writers = writers.filter(|&writer| writer != NONE);
        let learned = self.learned[1].get(&txn).into_iter().flatten();
        let mut before = writers.chain(self.waits.before(txn).iter().chain(learned).copied());
        if let Some(other) = before.find(|&other| !self.is_placed(other)) {
            let is_tried = self.tentative.contains(&(other, txn));
            return Some((if is_tried { Wait::Tried } else { Wait::Known }, other));
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
        time().or_else(read)
    }

    fn break_circle(&mut self, circle: &[(Txn, Wait)], budget: &mut Budget<'_>) {
        /// So often one way out is tried.
        const TRIES: u8 = 4;
        // Who came too early: the last who wrote what somebody is still to read, though another one has to write first.
        let early = |&(txn, wait): &(Txn, Wait)| match wait {
            Wait::Read(slot) => Some((txn, self.instance.writer(slot))),
            Wait::Known | Wait::Tried | Wait::Time => None,
        };
        let early: Vec<(Txn, Txn)> = circle.iter().filter_map(early).collect();
        let is_guess = |wait: Wait| match wait {
            Wait::Tried => true,
            Wait::Time => self.order != Order::Realtime,
            Wait::Known | Wait::Read(_) => false,
        };
        let is_sure = early.len() == 1 && !circle.iter().any(|&(_, wait)| is_guess(wait));
        let tries = |pair: &(Txn, Txn)| self.tries.get(pair).copied().unwrap_or(0);
        // Where time is only a guess, it is given up sooner.
        let most = if circle.iter().any(|&(_, wait)| is_guess(wait)) { 1 } else { TRIES };
        let is_new = |pair: &&(Txn, Txn)| pair.1 != NONE && tries(pair) < most;
        let place = |pair: &(Txn, Txn)| self.places[pair.1 as usize];
        let last =
            early.iter().filter(is_new).min_by_key(|pair| (tries(pair), Reverse(place(pair))));
        if let Some(&pair) = last
            && self.may_take_back(pair.1)
        {
            return self.learn(pair, is_sure);
        }
        let tried = circle.iter().enumerate().find(|(_, (_, wait))| *wait == Wait::Tried);
        if let Some((at, &(txn, _))) = tried {
            return self.forget((circle[(at + 1) % circle.len()].0, txn));
        }
        let late = circle.iter().find(|(_, wait)| *wait == Wait::Time);
        if let Some(&(txn, _)) = late
            && self.order != Order::Realtime
        {
            self.is_exempt[txn as usize] = true;
            return self.push(txn);
        }
        if self.start_over(budget) {
            return;
        }
        self.forced.push(self.placed.len());
        let stuck = circle.iter().find(|(_, wait)| matches!(wait, Wait::Read(_)));
        stuck.or(circle.first()).into_iter().for_each(|&(txn, _)| self.place(txn));
    }

    fn may_take_back(&mut self, txn: Txn) -> bool {
        let back = self.placed.len() - self.places[txn as usize] as usize;
        let is_allowed = back <= self.patience;
        self.patience -= if is_allowed { back } else { 0 };
        is_allowed
    }

    /// Nothing was tried.
    pub(super) fn forget_all(&mut self) {
        for pair in std::mem::take(&mut self.tentative) {
            self.forget(pair);
        }
        self.tries.clear();
    }

    /// What was tried led nowhere.
    fn forget(&mut self, (first, second): (Txn, Txn)) {
        self.tentative.remove(&(first, second));
        for (map, key, value) in [(0, first, second), (1, second, first)] {
            if let Some(others) = self.learned[map].get_mut(&key) {
                others.retain(|&other| other != value);
            }
        }
        if !self.is_placed(first) {
            self.release(second);
        }
    }

    /// The transaction comes before the writer.
    fn learn(&mut self, (txn, writer): (Txn, Txn), is_sure: bool) {
        if self.learned[0].get(&txn).is_some_and(|later| later.contains(&writer)) {
            return;
        }
        *self.tries.entry((txn, writer)).or_default() += 1;
        if self.tentative.contains(&(writer, txn)) {
            self.forget((writer, txn));
        }
        if !is_sure {
            self.tentative.insert((txn, writer));
        }
        self.learned[0].entry(txn).or_default().push(writer);
        self.learned[1].entry(writer).or_default().push(txn);
        self.waiting[writer as usize] += 1;
        let place = self.places[writer as usize];
        if place != NONE {
            self.take_back_to(place as usize);
        }
    }
}
