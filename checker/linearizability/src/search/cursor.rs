//! One thread's place among the configurations, and how it gets to another.

use std::sync::Arc;

use super::configuration::{Before, Configuration, Open};
use super::context::SearchContext;
use super::order::Taken;
use super::steps::Steps;
use crate::mask::Mask;
use crate::problem::{Nature, Required};

/// Where a thread stands.
pub(super) struct Cursor<'a, const W: usize> {
    pub(super) context: Arc<SearchContext<'a>>,
    pub(super) now: Configuration<W>,
    pub(super) open: Open<W>,
    /// Configurations to come back to.
    pub(super) stack: Vec<Frame<W>>,
    /// What was taken on the way.
    pub(super) order: Vec<Taken>,
    /// Open operations that can be taken, reads excepted, in the order in which they are tried.
    pub(super) candidates: Vec<u32>,
    /// The position that they are for, and what was taken there.
    pub(super) sorted_at: Option<(u32, Mask<W>)>,
    pub(super) furthest: Furthest,
    pub(super) steps: Steps,
}

/// How far a cursor came.
#[derive(Clone, Default)]
pub(super) struct Furthest {
    /// The return that could not be reached.
    pub(super) event: u32,
    /// What was left behind there.
    pub(super) suspects: Vec<u32>,
}

/// The most suspects worth remembering.
const SUSPECTS_MAX: usize = 8;

impl Furthest {
    /// The further of both, or what was left behind by either.
    pub(super) fn join(&mut self, other: Self) {
        if other.event > self.event {
            *self = other;
        } else if other.event == self.event {
            other.suspects.into_iter().for_each(|op| self.suspect(op));
        }
    }

    /// This was left behind.
    pub(super) fn suspect(&mut self, op: u32) {
        if self.suspects.len() < SUSPECTS_MAX && !self.suspects.contains(&op) {
            self.suspects.push(op);
        }
    }
}

/// A configuration to come back to, and which of its children is next.
pub(super) struct Frame<const W: usize> {
    configuration: Configuration<W>,
    next: u32,
    order_length: u32,
}

impl<'a, const W: usize> Cursor<'a, W> {
    pub(super) fn new(context: Arc<SearchContext<'a>>) -> Self {
        Self {
            now: Configuration::START,
            open: Open::new(context.problem.slots),
            stack: Vec::new(),
            order: Vec::new(),
            candidates: Vec::new(),
            sorted_at: None,
            furthest: Furthest::default(),
            steps: Steps::default(),
            context,
        }
    }

    /// Back to the first event, in this one of the states to begin from.
    pub(super) fn begin(&mut self, start: usize) {
        self.rewind(0);
        let state = self.context.object.start(start);
        self.now = Configuration { state, ..Configuration::START };
        self.stack.clear();
        self.order.clear();
    }

    /// Back to where something is left, and to which child.
    pub(super) fn come_back(&mut self, frame: &Frame<W>) -> u32 {
        self.rewind(frame.configuration.blocked);
        self.now = frame.configuration;
        self.order.truncate(frame.order_length as usize);
        frame.next
    }

    pub(super) fn is_done(&self) -> bool {
        self.now.blocked as usize == self.context.problem.events.len()
    }

    /// Goes on to the next return at which there is something to decide: of an operation that is due, or of one
    /// that could still be used.
    pub(super) fn advance(&mut self) {
        while let Some(&event) = self.context.problem.events.get(self.now.blocked as usize) {
            let &Required { slot, must, .. } = self.required(event.op);
            if !event.returns {
                self.open.enter(&self.context.problem, event.op);
                if must {
                    self.now.due.insert(slot);
                }
            } else {
                let gone = self.now.taken.contains(slot) || self.open.reads.contains(slot);
                if self.now.due.contains(slot) || !gone {
                    break;
                }
                self.open.leave(slot);
                self.now.taken.remove(slot);
                self.now.committed = false;
            }
            self.now.blocked += 1;
        }
        if self.now.blocked > self.now.before.until {
            self.now.before = Before::NOTHING;
        }
        if self.now.blocked > self.furthest.event {
            self.furthest.event = self.now.blocked;
            self.furthest.suspects.clear();
        }
    }

    pub(super) fn required(&self, op: u32) -> &Required {
        &self.context.problem.required[op as usize]
    }

    /// Is it a blind write?
    pub(super) fn overwrites(&self, class: u32) -> bool {
        self.context.problem.classes[class as usize].nature == Nature::Write
    }

    /// Comes back to this configuration, for the child with this number.
    pub(super) fn push(&mut self, next: u32) {
        let order_length = self.order.len() as u32;
        self.stack.push(Frame { configuration: self.now, next, order_length });
    }

    /// To this configuration, wherever it is.
    pub(super) fn go_to(&mut self, configuration: Configuration<W>) {
        self.rewind(configuration.blocked);
        while self.now.blocked < configuration.blocked {
            let event = self.context.problem.events[self.now.blocked as usize];
            if event.returns {
                self.open.leave(self.required(event.op).slot);
            } else {
                self.open.enter(&self.context.problem, event.op);
            }
            self.now.blocked += 1;
        }
        self.now = configuration;
    }

    /// Operations that are due and no read or blind write.
    pub(super) fn strict(&self) -> Mask<W> {
        self.now.due.and(self.open.others)
    }

    /// Undoes [`Self::advance`] as far as the position tells.
    pub(super) fn rewind(&mut self, to: u32) {
        while self.now.blocked > to {
            self.now.blocked -= 1;
            let event = self.context.problem.events[self.now.blocked as usize];
            if event.returns {
                self.open.enter(&self.context.problem, event.op);
            } else {
                self.open.leave(self.context.problem.required[event.op as usize].slot);
            }
        }
    }

    /// Takes every open read that is legal in this state.
    pub(super) fn take_reads(&mut self) {
        loop {
            let mut taken = false;
            for slot in self.open.reads.and(self.now.due).iter() {
                let &Required { class, source, .. } = self.required(self.open.op(slot));
                if self.steps.step(&self.context, self.now.state, class).is_some() {
                    self.now.due.remove(slot);
                    self.note(source, false);
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

    /// Nothing that could come next makes the blocking operation legal.
    pub(super) fn is_dead_end(&mut self) -> bool {
        let problem = &self.context.problem;
        let blocker = problem.events[self.now.blocked as usize].op;
        let &Required { slot, class, .. } = self.required(blocker);
        if !self.now.due.contains(slot)
            || self.steps.step(&self.context, self.now.state, class).is_some()
        {
            return false;
        }
        let by_open = self.available().iter().any(|slot| {
            let op = self.open.op(slot);
            op != blocker && self.context.may_enable(self.required(op).class, class)
        });
        let by_optional = || {
            (0..self.begun()).any(|group| {
                let of_group = problem.optional[group as usize].class;
                self.context.may_enable(of_group, class) && self.is_left(group)
            })
        };
        !by_open && !by_optional()
    }

    /// How much memory the way back takes.
    pub(super) fn bytes(&self) -> u64 {
        let stack = self.stack.capacity() * size_of::<Frame<W>>();
        (stack + self.order.capacity() * size_of::<Taken>()) as u64
    }
}
