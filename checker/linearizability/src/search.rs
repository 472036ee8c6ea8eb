//! Wing & Gong's search with Lowe's memory ("Testing for linearizability", CCPE 2017, section 4), kept small.
//!
//! A configuration is the return that comes next (every earlier one is behind us), what of the open operations is
//! due and what is taken, the state, and which optional operations have been used: a few words, however long the
//! history. What keeps the tree narrow, each sound by an exchange argument:
//!
//! - A read that is legal now is taken now: it changes nothing for the others.
//! - A blind write may be hidden right before any operation that overwrites it, so that one such operation
//!   discharges all blind writes that are open. From then on they are only there to be used, until they return.
//! - What may be left out is taken only where the next step tells the difference.
//! - Of open operations with equal input and output only the one that returns first is tried.
//! - Of two configurations that differ only in what is due, taken and used, the one with less has every
//!   continuation of the other.
//! - Where nothing that is left can make the blocking operation legal, there is nothing to try.
//! - A state is left only when everything that depends on the operation that made it has taken effect: of a
//!   register, all reads of a value that was written once.

mod breadth;
mod configuration;
mod explore;
mod memo;
mod moves;
mod order;
mod states;
mod trail;

use crate::Model;
use crate::limits::{Budget, Explained, Stop};
use crate::problem::{Event, Problem};
use breadth::Queue;
use configuration::{Configuration, Open};
use explore::Frame;
use memo::Memo;
use order::Taken;
use states::States;

/// What came out, and what it took.
pub(crate) struct Found {
    /// The sources in a legal order, or `None` where no order exists.
    pub(crate) answer: Result<Option<Vec<u32>>, Stop>,
    pub(crate) nodes: u64,
    pub(crate) memory_bytes: u64,
    /// How far the best configuration came.
    pub(crate) explained: Explained,
    /// The required operations that could not be had at the furthest point, the one that blocks there first.
    pub(crate) suspects: Vec<u32>,
}

/// The most suspects worth remembering.
const SUSPECTS_MAX: usize = 8;

/// Which configurations come first. Both ways find an order where there is one, and only there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Those that follow the last: quick where there are many orders.
    Depth,
    /// Those at the first event, all of them: quick where there is no order.
    Breadth,
}

/// Looks for a legal order, depth first.
pub(crate) fn search<M: Model>(problem: &Problem<'_, M>, budget: &Budget<'_>) -> Found {
    search_from(problem, vec![problem.model.initial()], Way::Depth, budget)
}

/// Looks for an order that is legal from one of these states.
pub(crate) fn search_from<M: Model>(
    problem: &Problem<'_, M>,
    starts: Vec<M::State>,
    way: Way,
    budget: &Budget<'_>,
) -> Found {
    match problem.slots {
        0..=64 => Search::<M, 1>::new(problem, way, budget).run(starts),
        65..=128 => Search::<M, 2>::new(problem, way, budget).run(starts),
        129..=512 => Search::<M, 8>::new(problem, way, budget).run(starts),
        open => Found {
            answer: Err(Stop::TooConcurrent(open)),
            nodes: 0,
            memory_bytes: 0,
            explained: Explained::default(),
            suspects: Vec::new(),
        },
    }
}

struct Search<'p, 'a, M: Model, const W: usize> {
    problem: &'p Problem<'a, M>,
    way: Way,
    budget: &'p Budget<'p>,
    states: States<'p, 'a, M>,
    memo: Memo<W>,
    now: Configuration<W>,
    open: Open<W>,
    /// Configurations to come back to.
    stack: Vec<Frame<W>>,
    order: Vec<Taken>,
    queue: Queue<W>,
    /// Open operations that can be taken, reads excepted, in the order in which they are tried.
    candidates: Vec<u32>,
    nodes: u64,
    work: u32,
    furthest: usize,
    /// What was left behind at `furthest`.
    suspects: Vec<u32>,
    memory_bytes: u64,
}

impl<'p, 'a, M: Model, const W: usize> Search<'p, 'a, M, W> {
    fn new(problem: &'p Problem<'a, M>, way: Way, budget: &'p Budget<'p>) -> Self {
        Self {
            problem,
            way,
            budget,
            states: States::new(problem),
            memo: Memo::new(),
            now: Configuration::START,
            open: Open::new(problem.slots),
            stack: Vec::new(),
            order: Vec::new(),
            queue: Queue::default(),
            candidates: Vec::new(),
            nodes: 0,
            work: 0,
            furthest: 0,
            suspects: Vec::new(),
            memory_bytes: 0,
        }
    }

    fn run(mut self, starts: Vec<M::State>) -> Found {
        let found = match self.way {
            Way::Depth => self.explore(starts),
            Way::Breadth => self.explore_all(starts),
        };
        let answer = found.map(|found| found.then(|| order::complete(self.problem, &self.order)));
        let blocker = self.problem.events.get(self.furthest).map(|event| event.op);
        Found {
            answer,
            nodes: self.nodes,
            memory_bytes: self.memory_bytes.max(self.memory()),
            explained: self.explained(),
            suspects: blocker.into_iter().chain(self.suspects).collect(),
        }
    }

    fn explained(&self) -> Explained {
        let returns = |events: &[Event]| events.iter().filter(|event| event.returns).count() as u64;
        let events = &self.problem.events;
        Explained { first: returns(&events[..self.furthest]), of: returns(events) }
    }

    /// Looks at the clock now and then.
    fn tick(&mut self) -> Result<(), Stop> {
        self.work = self.work.wrapping_add(1);
        if !self.work.is_multiple_of(16) {
            return Ok(());
        }
        self.budget.spent().map_or(Ok(()), Err)
    }

    fn memory(&self) -> u64 {
        let stack = self.stack.capacity() * size_of::<Frame<W>>();
        let order = self.order.capacity() * size_of::<Taken>();
        (stack + order) as u64 + self.queue.bytes() + self.memo.bytes() + self.states.bytes()
    }

    /// Where the memo is about to double, both are there for a moment.
    fn check_memory(&mut self) -> Result<(), Stop> {
        let needed = self.memory() + self.memo.growth_bytes().unwrap_or(0);
        if needed > self.budget.memory_bytes {
            return Err(Stop::Memory);
        }
        self.memory_bytes = self.memory_bytes.max(needed);
        Ok(())
    }
}
