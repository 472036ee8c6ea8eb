//! The walk through all configurations, one event after another.
//!
//! Depth first is quick where an order exists, but meets many a configuration before one that is as good and makes all
//! that followed superfluous. Here every configuration at one event is known before any is gone on from, and what has
//! taken and used less comes first: only those are gone on from beside which no other is as good. What lies behind is
//! forgotten. This is quick where no order exists, and slow where there are many.

use std::collections::BTreeMap;

use super::configuration::{Before, Configuration, NONE};
use super::trail::{End, Trail};
use super::{Search, Stop};
use crate::Model;

/// A configuration to go on from, and the path to it.
struct Waiting<const W: usize> {
    configuration: Configuration<W>,
    end: End,
}

/// What is left to go on from.
#[derive(Default)]
pub(super) struct Queue<const W: usize> {
    /// By the return that comes next, and by how much was taken and used: what is as good as another comes first.
    waiting: BTreeMap<(u32, u32), Vec<Waiting<W>>>,
    count: usize,
    trail: Trail,
}

impl<M: Model, const W: usize> Search<'_, '_, M, W> {
    /// Event by event. Was an order from one of these states found?
    pub(super) fn explore_all(&mut self, starts: Vec<M::State>) -> Result<bool, Stop> {
        for state in starts {
            self.begin(state);
            self.advance();
            if self.arrive(NONE)? {
                return Ok(true);
            }
        }
        while let Some((&(blocked, _), _)) = self.queue.waiting.first_key_value() {
            self.forget(blocked);
            let waiting = self.queue.waiting.pop_first().map(|(_, waiting)| waiting);
            let waiting = waiting.unwrap_or_default();
            self.queue.count -= waiting.len();
            for Waiting { configuration, end } in waiting {
                self.go_to(blocked);
                self.now = configuration;
                let beaten = !self.memo.has(&self.now, self.now.due.and(self.open.others));
                if !beaten && !self.is_dead_end() && self.go_on(end)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// To every child.
    fn go_on(&mut self, end: End) -> Result<bool, Stop> {
        let mut next = 0;
        self.order.clear();
        while self.descend(next)? {
            if self.arrive(end)? {
                return Ok(true);
            }
            let Some(frame) = self.stack.pop() else { break };
            next = self.come_back(&frame);
        }
        Ok(false)
    }

    /// Lets this configuration wait, to which the order leads from `end`. Is there nothing left to wait for?
    fn arrive(&mut self, end: End) -> Result<bool, Stop> {
        self.take_reads();
        // That an operation makes no difference says that another configuration has the same ahead of it. Depth first
        // goes through that one as well, but here it may be forgotten for being no better than this one.
        self.now.before = Before::NOTHING;
        let done = self.is_done();
        if !done && !self.is_new()? {
            return Ok(false);
        }
        let end = self.queue.trail.extend(end, &self.order);
        if done {
            self.order = self.queue.trail.path(end);
            return Ok(true);
        }
        let rank = self.now.taken.count() + self.memo.total(self.now.used);
        let waiting = Waiting { configuration: self.now, end };
        self.queue.waiting.entry((self.now.blocked, rank)).or_default().push(waiting);
        self.queue.count += 1;
        Ok(false)
    }

    /// Forgets what is behind this event, where there is much of it.
    fn forget(&mut self, event: u32) {
        if self.memo.is_full() {
            self.memo.forget_before(event);
        }
        if self.queue.trail.is_long() {
            let waiting = self.queue.waiting.values_mut().flatten();
            self.queue.trail.shorten(waiting.map(|waiting| &mut waiting.end));
        }
    }

    /// To another event, as far as the position tells.
    fn go_to(&mut self, event: u32) {
        self.rewind(event);
        while self.now.blocked < event {
            let event = self.problem.events[self.now.blocked as usize];
            if event.returns {
                self.open.leave(self.problem.required[event.op as usize].slot);
            } else {
                self.open.enter(self.problem, event.op);
            }
            self.now.blocked += 1;
        }
    }
}

impl<const W: usize> Queue<W> {
    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> u64 {
        // Lists have room for up to twice as many.
        (2 * self.count * size_of::<Waiting<W>>()) as u64 + self.trail.bytes()
    }
}
