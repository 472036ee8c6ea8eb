//! Breadth first: all configurations, one event after another.
//!
//! A configuration makes another superfluous where it has taken and used less and is as far. Depth first often visits
//! the worse of two first, and everything behind it, before it comes to the better one. Here all configurations at one
//! event are known before the next event, and the worse ones are dropped there. Earlier events are forgotten. This is
//! quick where no order exists, and slow where many do.
//!
//! Several threads work on different configurations. What they find is noted in the order of the configurations that
//! they began with, so that the result does not depend on the number of threads.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::configuration::{Before, Configuration, NONE};
use super::context::SearchContext;
use super::cursor::{Cursor, Furthest};
use super::memo::Memo;
use super::order::Taken;
use super::queue::{Queue, Waiting};
use super::trail::End;
use super::{Clock, Found, Running, Spent};
use crate::limits::{Budget, Stop};
use crate::mask::Mask;
use crate::parallel::in_parallel;

/// The most configurations that are found before they are noted.
const ARRIVALS_MAX: usize = 1 << 14;

/// As many of them are worth another thread.
const PART: usize = 16;

/// A search that can be gone on with.
pub(super) struct Breadth<'a, const W: usize> {
    context: Arc<SearchContext<'a>>,
    /// Of threads that have nothing to do at the moment.
    cursors: Mutex<Vec<Cursor<'a, W>>>,
    memo: Memo<W>,
    queue: Queue<W>,
    /// States to begin from.
    starts: Range<usize>,
    furthest: Furthest,
    /// Once one was found.
    order: Vec<Taken>,
    /// What was found and is not noted yet.
    pending_bytes: u64,
    spent: Spent,
}

/// A configuration that was found.
struct Arrival<const W: usize> {
    configuration: Configuration<W>,
    strict: Mask<W>,
    /// How much was taken and used.
    rank: u32,
    /// The end of the path to the configuration before it, and what was taken from there.
    from: End,
    taken: Range<usize>,
}

/// What one thread finds from some configurations.
#[derive(Default)]
struct Arrivals<const W: usize> {
    all: Vec<Arrival<W>>,
    taken: Vec<Taken>,
    furthest: Furthest,
    /// The last of them is behind the last event.
    is_done: bool,
    stop: Option<Stop>,
}

impl<'a, const W: usize> Breadth<'a, W> {
    pub(super) fn new(context: SearchContext<'a>) -> Self {
        Self {
            starts: 0..context.object.starts(),
            context: Arc::new(context),
            cursors: Mutex::default(),
            memo: Memo::new(),
            queue: Queue::default(),
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
        let branching = self.context.problem.slots + self.context.problem.optional.len() + 1;
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
        self.with_cursor(|cursor, arrivals| {
            for start in starts {
                cursor.begin(start);
                cursor.advance();
                arrivals.add(cursor, NONE);
                if arrivals.is_done {
                    break;
                }
            }
            Ok(())
        })
    }

    /// What a cursor finds. An idle one is used again.
    fn with_cursor(
        &self,
        go: impl FnOnce(&mut Cursor<'a, W>, &mut Arrivals<W>) -> Result<(), Stop>,
    ) -> Arrivals<W> {
        let cursors = || self.cursors.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = cursors().pop();
        let mut cursor = idle.unwrap_or_else(|| Cursor::new(Arc::clone(&self.context)));
        cursor.furthest = Furthest { event: self.furthest.event, suspects: Vec::new() };
        let mut arrivals = Arrivals::default();
        arrivals.stop = go(&mut cursor, &mut arrivals).err();
        arrivals.furthest = std::mem::take(&mut cursor.furthest);
        cursors().push(cursor);
        arrivals
    }

    /// From each of these to every child.
    fn go_on(&self, part: &[Waiting<W>], budget: &Budget<'_>) -> Arrivals<W> {
        self.with_cursor(|cursor, arrivals| {
            let mut clock = Clock::new(budget);
            clock.look()?;
            for waiting in part {
                cursor.go_to(waiting.configuration);
                let beaten = !self.memo.has(&cursor.now, cursor.strict());
                if beaten || cursor.is_dead_end() {
                    continue;
                }
                let mut next = 0;
                cursor.order.clear();
                while !arrivals.is_done && cursor.descend(next, &mut clock)? {
                    arrivals.add(cursor, waiting.end);
                    clock.tick()?;
                    let Some(frame) = cursor.stack.pop() else { break };
                    next = cursor.come_back(&frame);
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
            if self.memo.is_new(&self.context.uses, &configuration, strict) {
                self.queue.push(configuration, rank, from, &taken[steps]);
            }
        }
        Ok(false)
    }

    /// Forgets what is behind this event where there is no room for more, and makes room for twice what is left.
    fn make_room(&mut self, event: u32, budget: &Budget<'_>) -> Result<(), Stop> {
        let room = self.memo.is_full().then(|| 2 * self.memo.places_from(event));
        let room_bytes = room.map_or(0, Memo::<W>::bytes_for);
        let held = self.context.bytes() + self.memo.bytes() + self.queue.bytes();
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

    /// The cursor is at another configuration, from the end of this path.
    fn add(&mut self, cursor: &mut Cursor<'_, W>, from: End) {
        cursor.take_reads();
        // That an operation makes no difference says that another configuration has the same ahead of it. Depth first
        // goes through that one as well, but here it may be forgotten for being no better than this one.
        cursor.now.before = Before::NOTHING;
        let begin = self.taken.len();
        self.taken.extend_from_slice(&cursor.order);
        self.is_done = cursor.is_done();
        self.all.push(Arrival {
            configuration: cursor.now,
            strict: cursor.strict(),
            rank: cursor.now.taken.count() + cursor.context.uses.total(cursor.now.used),
            from,
            taken: begin..self.taken.len(),
        });
    }
}

#[cfg(test)]
impl<const W: usize> Breadth<'_, W> {
    /// How many threads went on from something.
    pub(super) fn cursors(&self) -> usize {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl<const W: usize> Running for Breadth<'_, W> {
    fn run(&mut self, budget: &Budget<'_>) -> Found {
        let found = self.explore(budget);
        let order = found.map(|found| found.then_some(self.order.as_slice()));
        Found::new(&self.context.problem, order, self.spent, &self.furthest)
    }
}
