//! Depth first, with a stack of its own: histories are deeper than the system's.

use std::sync::Arc;

use super::configuration::NONE;
use super::ground::Ground;
use super::memo::Memo;
use super::walk::Walk;
use super::{Clock, Found, Running, Spent};
use crate::Model;
use crate::limits::{Budget, Stop};

/// A search that can be gone on with.
pub(super) struct Depth<'a, M: Model, const W: usize> {
    walk: Walk<'a, M, W>,
    memo: Memo<W>,
    /// States to begin from, the next one last.
    starts: Vec<M::State>,
    /// The child to go to where the walk stands; [`NONE`] for back, and nothing for a state to begin from.
    next: Option<u32>,
    spent: Spent,
}

impl<'a, M: Model, const W: usize> Depth<'a, M, W> {
    pub(super) fn new(ground: Ground<'a, M>, mut starts: Vec<M::State>) -> Self {
        starts.reverse();
        let walk = Walk::new(Arc::new(ground));
        Self { walk, memo: Memo::new(), starts, next: None, spent: Spent::default() }
    }

    /// Was an order from one of the states found?
    fn explore(&mut self, budget: &Budget<'_>) -> Result<bool, Stop> {
        let mut clock = Clock::new(budget);
        loop {
            if self.next.is_none() {
                let Some(state) = self.starts.pop() else { return Ok(false) };
                self.walk.begin(state);
                self.walk.advance();
                self.next = Some(0);
            }
            if self.explore_one(budget, &mut clock)? {
                return Ok(true);
            }
        }
    }

    /// From one of the states. It can go on after it visited as many configurations as it may, or for want of memory.
    fn explore_one(&mut self, budget: &Budget<'_>, clock: &mut Clock<'_>) -> Result<bool, Stop> {
        while let Some(next) = self.next {
            if next == 0 {
                self.check(budget, clock)?;
                self.walk.take_reads();
                if self.walk.is_done() {
                    return Ok(true);
                }
                self.spent.nodes += 1;
                let (ground, strict) = (&self.walk.ground, self.walk.strict());
                if !self.memo.is_new(&ground.uses, &self.walk.now, strict)
                    || self.walk.is_dead_end()
                {
                    self.next = Some(NONE);
                }
            }
            if self.next != Some(NONE) && self.walk.descend(next, clock)? {
                self.next = Some(0);
                continue;
            }
            let frame = self.walk.stack.pop();
            self.next = frame.map(|frame| self.walk.come_back(&frame));
        }
        Ok(false)
    }

    /// May it go on?
    fn check(&mut self, budget: &Budget<'_>, clock: &mut Clock<'_>) -> Result<(), Stop> {
        self.spent.may_go_on(budget)?;
        clock.tick()?;
        let growth_bytes = if self.memo.is_full() { self.memo.growth_bytes() } else { 0 };
        let held = self.walk.ground.bytes() + self.walk.bytes() + self.memo.bytes();
        self.spent.take(held + growth_bytes, budget)
    }
}

impl<M: Model, const W: usize> Running for Depth<'_, M, W> {
    fn run(&mut self, budget: &Budget<'_>) -> Found {
        let found = self.explore(budget);
        let order = found.map(|found| found.then_some(self.walk.order.as_slice()));
        Found::new(&self.walk.ground.problem, order, self.spent, &self.walk.furthest)
    }
}
