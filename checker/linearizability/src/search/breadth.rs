//! Breadth first: the walk through all configurations, one event after another.
//!
//! Depth first is quick where an order exists, but meets many a configuration before one that is as good and makes all
//! that followed superfluous. Here every configuration at one event is known before any is gone on from, and what has
//! taken and used less comes first: only those are gone on from beside which no other is as good. What lies behind is
//! forgotten. This is quick where no order exists, and slow where there are many.
//!
//! Several threads go on from different configurations. What they arrive at is noted in the order of where they came
//! from: whatever is told is the same for any number of threads.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::configuration::{Before, Configuration, NONE};
use super::ground::Ground;
use super::memo::Memo;
use super::order::Taken;
use super::queue::{Queue, Waiting};
use super::trail::End;
use super::walk::{Furthest, Walk};
use super::{Clock, Found, Running, Spent};
use crate::Model;
use crate::limits::{Budget, Stop};
use crate::mask::Mask;
use crate::parallel::in_parallel;

/// The most configurations that are come to before they are noted.
const ARRIVALS_MAX: usize = 1 << 14;

/// As many of them make it worth the while to ask for another thread.
const PART: usize = 16;

/// A search that can be gone on with.
pub(super) struct Breadth<'a, M: Model, const W: usize> {
    ground: Arc<Ground<'a, M>>,
    /// Of threads that have nothing to do at the moment.
    walks: Mutex<Vec<Walk<'a, M, W>>>,
    memo: Memo<W>,
    queue: Queue<W>,
    /// States to begin from.
    starts: Vec<M::State>,
    furthest: Furthest,
    /// Once one was found.
    order: Vec<Taken>,
    /// What was come to and is not noted yet.
    pending_bytes: u64,
    spent: Spent,
}

/// A configuration that was come to.
struct Arrival<const W: usize> {
    configuration: Configuration<W>,
    strict: Mask<W>,
    /// How much was taken and used.
    rank: u32,
    /// The end of the path to where it was come from, and what was taken then.
    from: End,
    taken: Range<usize>,
}

/// What one thread comes to from some configurations.
#[derive(Default)]
struct Arrivals<const W: usize> {
    all: Vec<Arrival<W>>,
    taken: Vec<Taken>,
    furthest: Furthest,
    /// Behind the last event is the last of them.
    is_done: bool,
    stop: Option<Stop>,
}

impl<'a, M: Model, const W: usize> Breadth<'a, M, W> {
    pub(super) fn new(ground: Ground<'a, M>, starts: Vec<M::State>) -> Self {
        Self {
            ground: Arc::new(ground),
            walks: Mutex::default(),
            memo: Memo::new(),
            queue: Queue::default(),
            starts,
            furthest: Furthest::default(),
            order: Vec::new(),
            pending_bytes: 0,
            spent: Spent::default(),
        }
    }

    /// Event by event. Was an order from one of the states found? It can go on after it visited as many
    /// configurations as it may.
    fn explore(&mut self, budget: &Budget<'_>) -> Result<bool, Stop> {
        let mut clock = Clock::new(budget);
        let starts = self.begin();
        if self.note(starts, 0, &mut clock)? {
            return Ok(true);
        }
        let branching = self.ground.problem.slots + self.ground.problem.optional.len() + 1;
        let block = (ARRIVALS_MAX / branching).max(1);
        loop {
            self.spent.may_go_on(budget)?;
            clock.tick()?;
            self.queue.load();
            let batch = self.queue.front(block);
            let Some(first) = batch.first() else { return Ok(false) };
            let (event, count) = (first.configuration.blocked, batch.len());
            let parts: Vec<_> = batch.chunks(PART).collect();
            let all = in_parallel(parts, budget.threads, |part| self.go_on(part, budget));
            if let Some(stop) = all.iter().find_map(|arrivals| arrivals.stop) {
                return Err(stop);
            }
            self.queue.finish(count);
            self.pending_bytes = all.iter().map(Arrivals::bytes).sum();
            for arrivals in all {
                if self.note(arrivals, event, &mut clock)? {
                    return Ok(true);
                }
            }
        }
    }

    /// To the first event, in each of the states; nowhere where that was done before.
    fn begin(&mut self) -> Arrivals<W> {
        let starts = std::mem::take(&mut self.starts);
        self.with_walk(|walk, arrivals| {
            for state in starts {
                walk.begin(state);
                walk.advance();
                arrivals.add(walk, NONE);
                if arrivals.is_done {
                    break;
                }
            }
            Ok(())
        })
    }

    /// What a walk comes to; whoever comes next may have it.
    fn with_walk(
        &self,
        go: impl FnOnce(&mut Walk<'a, M, W>, &mut Arrivals<W>) -> Result<(), Stop>,
    ) -> Arrivals<W> {
        let walks = || self.walks.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = walks().pop();
        let mut walk = idle.unwrap_or_else(|| Walk::new(Arc::clone(&self.ground)));
        walk.furthest = Furthest { event: self.furthest.event, suspects: Vec::new() };
        let mut arrivals = Arrivals::default();
        arrivals.stop = go(&mut walk, &mut arrivals).err();
        arrivals.furthest = std::mem::take(&mut walk.furthest);
        walks().push(walk);
        arrivals
    }

    /// From each of these to every child.
    fn go_on(&self, part: &[Waiting<W>], budget: &Budget<'_>) -> Arrivals<W> {
        self.with_walk(|walk, arrivals| {
            let mut clock = Clock::new(budget);
            clock.look()?;
            for waiting in part {
                walk.go_to(waiting.configuration);
                let beaten = !self.memo.has(&walk.now, walk.strict());
                if beaten || walk.is_dead_end() {
                    continue;
                }
                let mut next = 0;
                walk.order.clear();
                while !arrivals.is_done && walk.descend(next, &mut clock)? {
                    arrivals.add(walk, waiting.end);
                    clock.tick()?;
                    let Some(frame) = walk.stack.pop() else { break };
                    next = walk.come_back(&frame);
                }
            }
            Ok(())
        })
    }

    /// Lets those wait that are new. Is there nothing left to wait for?
    fn note(
        &mut self,
        arrivals: Arrivals<W>,
        event: u32,
        clock: &mut Clock<'_>,
    ) -> Result<bool, Stop> {
        let Arrivals { all, taken, furthest, is_done, .. } = arrivals;
        self.furthest.join(furthest);
        self.spent.nodes += all.len() as u64;
        if is_done {
            let last =
                all.last().map(|last| self.queue.path(last.from, &taken[last.taken.clone()]));
            self.order = last.unwrap_or_default();
            return Ok(true);
        }
        for Arrival { configuration, strict, rank, from, taken: steps } in all {
            clock.tick()?;
            self.make_room(event, clock.budget)?;
            if self.memo.is_new(&self.ground.uses, &configuration, strict) {
                self.queue.push(configuration, rank, from, &taken[steps]);
            }
        }
        Ok(false)
    }

    /// Forgets what is behind this event where there is no room for more, and makes room for twice what is left.
    fn make_room(&mut self, event: u32, budget: &Budget<'_>) -> Result<(), Stop> {
        let room = self.memo.is_full().then(|| 2 * self.memo.places_from(event));
        let room_bytes = room.map_or(0, Memo::<W>::bytes_for);
        let held = self.ground.bytes() + self.memo.bytes() + self.queue.bytes();
        self.spent.take(held + self.pending_bytes + room_bytes, budget)?;
        if let Some(room) = room {
            self.memo.forget_before(event, room);
        }
        Ok(())
    }
}

impl<const W: usize> Arrivals<W> {
    fn bytes(&self) -> u64 {
        let all = self.all.capacity() * size_of::<Arrival<W>>();
        (all + self.taken.capacity() * size_of::<Taken>()) as u64
    }

    /// The walk has come to another configuration, from the end of this path.
    fn add<M: Model>(&mut self, walk: &mut Walk<'_, M, W>, from: End) {
        walk.take_reads();
        // That an operation makes no difference says that another configuration has the same ahead of it. Depth first
        // goes through that one as well, but here it may be forgotten for being no better than this one.
        walk.now.before = Before::NOTHING;
        let begin = self.taken.len();
        self.taken.extend_from_slice(&walk.order);
        self.is_done = walk.is_done();
        self.all.push(Arrival {
            configuration: walk.now,
            strict: walk.strict(),
            rank: walk.now.taken.count() + walk.ground.uses.total(walk.now.used),
            from,
            taken: begin..self.taken.len(),
        });
    }
}

#[cfg(test)]
impl<M: Model, const W: usize> Breadth<'_, M, W> {
    /// How many threads went on from something.
    pub(super) fn walks(&self) -> usize {
        self.walks.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl<M: Model, const W: usize> Running for Breadth<'_, M, W> {
    fn run(&mut self, budget: &Budget<'_>) -> Found {
        let found = self.explore(budget);
        let order = found.map(|found| found.then_some(self.order.as_slice()));
        Found::new(&self.ground.problem, order, self.spent, &self.furthest)
    }
}
