//! Depth first, with a stack of its own: histories are deeper than the system's.

use std::ops::Range;
use std::sync::Arc;

use super::configuration::NONE;
use super::context::SearchContext;
use super::cursor::Cursor;
use super::memo::Memo;
use super::{Clock, Found, Running, Spent};
use crate::limits::{Budget, Stop};

/// A search that can be gone on with.
pub(super) struct Depth<'a, const W: usize> {
    cursor: Cursor<'a, W>,
    memo: Memo<W>,
    /// States to begin from.
    starts: Range<usize>,
    /// The child to go to from where the cursor is; [`NONE`] for back, and nothing for a state to begin from.
    next: Option<u32>,
    spent: Spent,
}

impl<'a, const W: usize> Depth<'a, W> {
    pub(super) fn new(context: SearchContext<'a>) -> Self {
        let starts = 0..context.object.starts();
        let cursor = Cursor::new(Arc::new(context));
        Self { cursor, memo: Memo::new(), starts, next: None, spent: Spent::default() }
    }

    /// Was an order from one of the states found?
    fn explore(&mut self, budget: &Budget<'_>) -> Result<bool, Stop> {
        let mut clock = Clock::new(budget);
        loop {
            if self.next.is_none() {
                let Some(start) = self.starts.next() else { return Ok(false) };
                self.cursor.begin(start);
                self.cursor.advance();
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
                self.cursor.take_reads();
                if self.cursor.is_done() {
                    return Ok(true);
                }
                self.spent.nodes += 1;
                let (context, strict) = (&self.cursor.context, self.cursor.strict());
                if !self.memo.is_new(&context.uses, &self.cursor.now, strict)
                    || self.cursor.is_dead_end()
                {
                    self.next = Some(NONE);
                }
            }
            if self.next != Some(NONE) && self.cursor.descend(next, clock)? {
                self.next = Some(0);
                continue;
            }
            let frame = self.cursor.stack.pop();
            self.next = frame.map(|frame| self.cursor.come_back(&frame));
        }
        Ok(false)
    }

    /// May it go on?
    fn check(&mut self, budget: &Budget<'_>, clock: &mut Clock<'_>) -> Result<(), Stop> {
        self.spent.may_go_on(budget)?;
        clock.tick()?;
        let growth_bytes = if self.memo.is_full() { self.memo.growth_bytes() } else { 0 };
        let held = self.cursor.context.bytes() + self.cursor.bytes() + self.memo.bytes();
        self.spent.take(held + growth_bytes, budget)
    }
}

impl<const W: usize> Running for Depth<'_, W> {
    fn run(&mut self, budget: &Budget<'_>) -> Found {
        let found = self.explore(budget);
        let order = found.map(|found| found.then_some(self.cursor.order.as_slice()));
        Found::new(&self.cursor.context.problem, order, self.spent, &self.cursor.furthest)
    }
}
