//! The walk through the configurations.

use super::configuration::{Before, Configuration, NONE};
use super::{Search, Stop};
use crate::Model;
use crate::mask::Mask;
use crate::problem::Nature;

/// A configuration to come back to, and which of its children is next.
pub(super) struct Frame<const W: usize> {
    configuration: Configuration<W>,
    next: u32,
    order_length: u32,
}

impl<const W: usize> Configuration<W> {
    pub(super) const START: Self = Self {
        blocked: 0,
        state: NONE,
        used: 0,
        due: Mask::EMPTY,
        taken: Mask::EMPTY,
        committed: false,
        producer: NONE,
        before: Before::NOTHING,
    };
}

impl<M: Model, const W: usize> Search<'_, '_, M, W> {
    /// Back to the first event, in this state.
    pub(super) fn begin(&mut self, state: M::State) {
        self.rewind(0);
        self.now = Configuration { state: self.states.number(state), ..Configuration::START };
        self.stack.clear();
        self.order.clear();
    }

    /// Depth first. Was an order from one of these states found?
    pub(super) fn explore(&mut self, starts: Vec<M::State>) -> Result<bool, Stop> {
        for state in starts {
            self.begin(state);
            if self.explore_one()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// With a stack of its own: histories are deeper than the system's.
    fn explore_one(&mut self) -> Result<bool, Stop> {
        self.advance();
        let mut next = 0;
        loop {
            if next == 0 {
                self.take_reads();
                if self.is_done() {
                    return Ok(true);
                }
                if !self.is_new()? || self.is_dead_end() {
                    next = NONE;
                }
            }
            if next != NONE && self.descend(next)? {
                next = 0;
                continue;
            }
            let Some(frame) = self.stack.pop() else { return Ok(false) };
            next = self.come_back(&frame);
        }
    }

    /// Back to where something is left, and to which child.
    pub(super) fn come_back(&mut self, frame: &Frame<W>) -> u32 {
        self.rewind(frame.configuration.blocked);
        self.now = frame.configuration;
        self.order.truncate(frame.order_length as usize);
        frame.next
    }

    pub(super) fn is_done(&self) -> bool {
        self.now.blocked as usize == self.problem.events.len()
    }

    /// Goes on to the next return at which there is something to decide: of an operation that is due, or of one
    /// that could still be used.
    pub(super) fn advance(&mut self) {
        while let Some(event) = self.problem.events.get(self.now.blocked as usize) {
            let op = &self.problem.required[event.op as usize];
            if !event.returns {
                self.open.enter(self.problem, event.op);
                if op.must {
                    self.now.due.insert(op.slot);
                }
            } else {
                let gone = self.now.taken.contains(op.slot) || self.open.reads.contains(op.slot);
                if self.now.due.contains(op.slot) || !(gone || self.is_useless(op.class)) {
                    break;
                }
                self.open.leave(op.slot);
                self.now.taken.remove(op.slot);
                self.now.committed = false;
            }
            self.now.blocked += 1;
        }
        if self.now.blocked > self.now.before.until {
            self.now.before = Before::NOTHING;
        }
        if self.now.blocked as usize > self.furthest {
            self.furthest = self.now.blocked as usize;
            self.suspects.clear();
        }
    }

    /// With nothing due, would it only leave the state that is there?
    fn is_useless(&mut self, class: u32) -> bool {
        self.now.due.is_empty()
            && !self.now.committed
            && self.problem.classes[class as usize].nature == Nature::Write
            && self.states.step(self.now.state, class) == Some(self.now.state)
    }

    /// Comes back to this configuration, for the child with this number.
    pub(super) fn push(&mut self, next: u32) {
        let order_length = self.order.len() as u32;
        self.stack.push(Frame { configuration: self.now, next, order_length });
    }

    /// Undoes [`Self::advance`] as far as the position tells.
    pub(super) fn rewind(&mut self, to: u32) {
        while self.now.blocked > to {
            self.now.blocked -= 1;
            let event = self.problem.events[self.now.blocked as usize];
            if event.returns {
                self.open.enter(self.problem, event.op);
            } else {
                self.open.leave(self.problem.required[event.op as usize].slot);
            }
        }
    }

    /// Takes every open read that is legal in this state.
    pub(super) fn take_reads(&mut self) {
        loop {
            let mut taken = false;
            for slot in self.open.reads.and(self.now.due).iter() {
                let op = &self.problem.required[self.open.op(slot) as usize];
                if self.states.step(self.now.state, op.class).is_some() {
                    self.now.due.remove(slot);
                    self.note(op.source, false);
                    taken = true;
                }
            }
            if !taken {
                return;
            }
            // A read that was not legal before proves the operation before it useful.
            self.now.before = Before::NOTHING;
            self.advance();
        }
    }

    /// Notes this configuration; false where it, or a better one, was here before.
    pub(super) fn is_new(&mut self) -> Result<bool, Stop> {
        self.nodes += 1;
        if self.nodes > self.budget.nodes {
            return Err(Stop::Nodes);
        }
        self.tick()?;
        self.check_memory()?;
        Ok(self.memo.is_new(&self.now, self.now.due.and(self.open.others)))
    }

    /// Nothing that could come next makes the blocking operation legal.
    pub(super) fn is_dead_end(&mut self) -> bool {
        let problem = self.problem;
        let blocker = problem.events[self.now.blocked as usize].op;
        let blocked = problem.class_of(blocker);
        let slot = problem.required[blocker as usize].slot;
        if !self.now.due.contains(slot)
            || self.states.step(self.now.state, problem.required[blocker as usize].class).is_some()
        {
            return false;
        }
        let by_open = self.available().iter().any(|slot| {
            let op = self.open.op(slot);
            let effect = &problem.class_of(op).effect;
            op != blocker && effect.may_enable(problem.model, &blocked.effect)
        });
        let by_optional = || {
            (0..self.begun()).any(|group| {
                let effect = &problem.class_of_group(group).effect;
                effect.may_enable(problem.model, &blocked.effect) && self.is_left(group)
            })
        };
        !by_open && !by_optional()
    }
}
