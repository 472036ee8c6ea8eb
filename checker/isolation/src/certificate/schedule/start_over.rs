//! Another order of those that were placed last, where no way out of a circle is left.

use rustc_hash::FxHashSet;

use super::Schedule;
use crate::budget::Budget;
use crate::certificate::part::Part;
use crate::certificate::solve::{Solved, solve};
use crate::ids::{NONE, Txn};

impl Schedule<'_> {
    /// Takes more and more back and tries it in another order, unless that was done here too often.
    pub(super) fn start_over(&mut self, budget: &mut Budget<'_>) -> bool {
        const ATTEMPTS: u32 = 6;
        const FIRST: usize = 16;
        if self.placed.len() > self.stuck_at + FIRST {
            self.attempts = 0;
        }
        self.stuck_at = self.stuck_at.max(self.placed.len());
        let back = (FIRST << self.attempts).min(self.placed.len());
        if self.attempts > ATTEMPTS || back > self.patience {
            return false;
        }
        if self.attempts == ATTEMPTS {
            let has_changed = self.look_around(budget);
            self.attempts = if has_changed { 0 } else { ATTEMPTS + 1 };
            return has_changed;
        }
        self.attempts += 1;
        self.patience -= back;
        self.forget_all();
        self.take_back_to(self.placed.len() - back);
        true
    }

    /// Orders those around by themselves, and goes on behind them.
    fn look_around(&mut self, budget: &mut Budget<'_>) -> bool {
        /// So many on each side, at first.
        const SIDE: usize = 128;
        self.looks = if self.placed.len() > self.looked_at + SIDE { 0 } else { self.looks + 1 };
        self.looked_at = self.looked_at.max(self.placed.len());
        if self.looks >= self.looks_max {
            return false;
        }
        let side = SIDE << self.looks;
        let instance = self.instance;
        let from = self.placed.len().saturating_sub(side);
        let mut around = self.placed[from..].to_vec();
        let invoked = self.opened.saturating_sub(8 * side)..instance.txns.len();
        let left = instance.txns[invoked].iter().copied().filter(|&txn| !self.is_placed(txn));
        around.extend(self.self_contained(left.take(side).collect()));
        let part = Part::new(instance, self.level, &around).behind_others();
        let solved = solve(&part, budget);
        let Solved::Order(events) = solved else { return false };
        self.take_back_to(from);
        self.forget_all();
        // The last of them do not see who comes behind.
        let enough = side + side / 2;
        for txn in events.into_iter().take(enough).map(|event| part.txn(event)) {
            let is_next = self.waiting[txn as usize] == 0 && self.is_open(txn);
            if !is_next || self.read_by_others(txn).is_some() {
                break;
            }
            self.place(txn);
        }
        true
    }

    /// Of these those that need nobody who is not among them.
    fn self_contained(&self, mut txns: Vec<Txn>) -> Vec<Txn> {
        let (instance, history) = (self.instance, self.instance.history);
        let mut is_among: FxHashSet<Txn> = txns.iter().copied().collect();
        loop {
            let mut returned = NONE;
            let before = txns.len();
            txns.retain(|&txn| {
                let mut writers = instance.reads(txn).iter().map(|&slot| instance.writer(slot));
                let is_there = writers.all(|writer| {
                    writer == NONE || self.is_placed(writer) || is_among.contains(&writer)
                });
                let stays = is_there && history.calls[txn as usize] < returned;
                if !stays {
                    is_among.remove(&txn);
                    returned = returned.min(history.returns[txn as usize]);
                }
                stays
            });
            if txns.len() == before {
                return txns;
            }
        }
    }
}
