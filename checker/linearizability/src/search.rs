//! Wing & Gong's search with Lowe's memory ("Testing for linearizability", CCPE 2017, section 4), kept small.
//!
//! A configuration is the return that comes next (every earlier one is behind us), what of the open operations is
//! due and what is taken, the state, and which optional operations have been used: a few words, however long the
//! history. What keeps the tree narrow, each sound by an exchange argument, and how many times as many configurations a
//! row of `cargo run --example hard` visits without it:
//!
//! - A read that is legal now is taken now: it changes nothing for the others. (`register 1000/25 right`: 94; most rows
//!   stay undecided.)
//! - A blind write may be hidden right before any operation that overwrites it, so that one such operation
//!   discharges all blind writes that are open. From then on they are only there to be used, until they return.
//!   (`cas 10000/50 flipped cas`: 81.)
//! - What may be left out is taken only where the next step tells the difference. (`cas 10000/50 flipped cas`: 3.9;
//!   `register 10000/50 lost write` stays undecided.)
//! - Of open operations with equal input and output only the one that returns first is tried. (`cas 10000/50 stale`: 11.)
//! - Of two configurations that differ only in what is due, taken and used, the one with less has every
//!   continuation of the other. (`kv 1000/25 5 swapped reads`: 4.1; `cas 10000/50 right` stays undecided.)
//! - Where nothing that is left can make the blocking operation legal, there is nothing to try.
//!   (`kv 1000/50 right`: 1.5.)
//! - A state is left only when everything that depends on the operation that made it has taken effect: of a
//!   register, all reads of a value that was written once. (`kv 1000/50 right`, seed 3: 1.9.)

mod breadth;
mod configuration;
mod context;
mod cursor;
mod depth;
mod memo;
mod moves;
mod object;
mod order;
mod queue;
mod steps;
#[cfg(test)]
mod tests;
mod trail;
mod uses;

use std::sync::Arc;

use crate::Model;
use crate::limits::{Budget, Explained, Stop};
use crate::problem::{Event, Prepared, Problem};
use breadth::Breadth;
use context::SearchContext;
use cursor::Furthest;
use depth::Depth;
use object::{Object, States};
use order::Taken;

/// What came out, and what it took.
pub(crate) struct Found {
    /// The sources in a legal order, or `None` where no order exists.
    pub(crate) answer: Result<Option<Vec<u32>>, Stop>,
    pub(crate) spent: Spent,
    /// How far the best configuration came.
    pub(crate) explained: Explained,
    /// The required operations that could not be had at the furthest point, the one that blocks there first.
    pub(crate) suspects: Vec<u32>,
}

/// What a search took until now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    /// Configurations that were visited.
    pub(crate) nodes: u64,
    /// At the most.
    pub(crate) memory_bytes: u64,
}

/// Which configurations come first. Both ways find an order where there is one, and only there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Those that follow the last: quick where there are many orders.
    Depth,
    /// Those at the first event, all of them: quick where there is no order.
    Breadth,
}

/// A search that can be gone on with.
pub(crate) trait Running: Send {
    /// Goes on until it is decided, or until the budget is spent. What was visited before counts.
    fn run(&mut self, budget: &Budget<'_>) -> Found;
}

/// Looks for a legal order, depth first.
pub(crate) fn search<M: Model>(prepared: Prepared<'_, M>, budget: &Budget<'_>) -> Found {
    let initial = prepared.model.initial();
    start(Arc::new(prepared), vec![initial], Strategy::Depth).run(budget)
}

/// A search for an order that is legal from one of these states.
pub(crate) fn start<'a, M: Model>(
    prepared: Arc<Prepared<'a, M>>,
    starts: Vec<M::State>,
    strategy: Strategy,
) -> Box<dyn Running + 'a> {
    let problem = Arc::clone(&prepared.problem);
    begin(problem, Box::new(States::new(prepared, starts)), strategy)
}

fn begin<'a>(
    problem: Arc<Problem>,
    object: Box<dyn Object + 'a>,
    strategy: Strategy,
) -> Box<dyn Running + 'a> {
    let slots = problem.slots;
    let context = SearchContext::new(problem, object);
    match slots {
        0..=64 => wide::<1>(context, strategy),
        65..=128 => wide::<2>(context, strategy),
        129..=512 => wide::<8>(context, strategy),
        open => Box::new(TooConcurrent(open)),
    }
}

fn wide<const W: usize>(context: SearchContext<'_>, strategy: Strategy) -> Box<dyn Running + '_> {
    match strategy {
        Strategy::Depth => Box::new(Depth::<W>::new(context)),
        Strategy::Breadth => Box::new(Breadth::<W>::new(context)),
    }
}

/// So many operations at once that none is tried.
struct TooConcurrent(usize);

impl Running for TooConcurrent {
    fn run(&mut self, _: &Budget<'_>) -> Found {
        Found::stopped(Stop::TooConcurrent(self.0))
    }
}

impl Found {
    /// Before it began.
    pub(crate) fn stopped(stop: Stop) -> Self {
        Self {
            answer: Err(stop),
            spent: Spent::default(),
            explained: Explained::default(),
            suspects: Vec::new(),
        }
    }

    fn new(
        problem: &Problem,
        order: Result<Option<&[Taken]>, Stop>,
        spent: Spent,
        furthest: &Furthest,
    ) -> Self {
        let returns = |events: &[Event]| events.iter().filter(|event| event.returns).count() as u64;
        let (event, events) = (furthest.event as usize, &problem.events);
        let blocker = events.get(event).map(|event| event.op);
        Self {
            answer: order.map(|order| order.map(|order| order::complete(problem, order))),
            spent,
            explained: Explained { first: returns(&events[..event]), of: returns(events) },
            suspects: blocker.into_iter().chain(furthest.suspects.iter().copied()).collect(),
        }
    }
}

impl Spent {
    /// May another configuration be visited?
    fn may_go_on(&self, budget: &Budget<'_>) -> Result<(), Stop> {
        if self.nodes < budget.nodes { Ok(()) } else { Err(Stop::Nodes) }
    }

    /// So much memory is needed from now on.
    fn take(&mut self, memory_bytes: u64, budget: &Budget<'_>) -> Result<(), Stop> {
        if memory_bytes > budget.memory_bytes {
            return Err(Stop::Memory);
        }
        self.memory_bytes = self.memory_bytes.max(memory_bytes);
        Ok(())
    }
}

/// Looks at the clock now and then.
struct Clock<'b> {
    budget: &'b Budget<'b>,
    ticks: u32,
}

impl<'b> Clock<'b> {
    fn new(budget: &'b Budget<'b>) -> Self {
        Self { budget, ticks: 0 }
    }

    fn tick(&mut self) -> Result<(), Stop> {
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(16) { self.look() } else { Ok(()) }
    }

    fn look(&self) -> Result<(), Stop> {
        self.budget.spent().map_or(Ok(()), Err)
    }
}
