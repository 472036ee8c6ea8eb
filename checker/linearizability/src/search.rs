//! Wing & Gong's search with Lowe's memory ("Testing for linearizability", CCPE 2017, section 4), kept small.
//!
//! A configuration is the return that blocks (every earlier one is behind us), the open operations that have
//! taken effect, the state, and which optional operations have been used: a few words, however long the
//! history. What keeps the tree narrow, each sound by an exchange argument:
//!
//! - A read that is legal now is taken now: it changes nothing for the others.
//! - Of open operations with equal input and output only the one that returns first is tried.
//! - An optional operation is tried only where the next step tells the difference.
//! - Of two configurations that differ only in optional operations used, the one that used fewer has every
//!   continuation of the other.
//! - Where nothing that is left can make the blocking operation legal, there is nothing to try.
//! - A state is left only when everything that depends on the operation that made it has taken effect: of a
//!   register, all reads of a value that was written once.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::Model;
use crate::limits::{Budget, Stop};
use crate::mask::Mask;
use crate::problem::{Effect, Problem};
use crate::table::Table;

/// No state: no optional operation came just before.
const NONE: u32 = u32::MAX;

/// What came out, and what it took.
pub(crate) struct Found {
    /// The sources in a legal order, or `None` where no order exists.
    pub(crate) answer: Result<Option<Vec<u32>>, Stop>,
    pub(crate) nodes: u64,
    pub(crate) memory_bytes: u64,
    /// Where no order exists: the required operations that could not be had at the furthest point, the one
    /// that blocks there first.
    pub(crate) suspects: Vec<u32>,
}

/// The most suspects worth remembering.
const SUSPECTS_MAX: usize = 8;

/// Looks for a legal order.
pub(crate) fn search<M: Model>(problem: &Problem<'_, M>, budget: &Budget<'_>) -> Found {
    match problem.slots {
        0..=64 => Search::<M, 1>::new(problem, budget).run(),
        65..=128 => Search::<M, 2>::new(problem, budget).run(),
        129..=512 => Search::<M, 8>::new(problem, budget).run(),
        open => Found {
            answer: Err(Stop::TooConcurrent(open)),
            nodes: 0,
            memory_bytes: 0,
            suspects: Vec::new(),
        },
    }
}

/// How often each optional group was used, for those that were, by group.
type Used = Box<[(u32, u32)]>;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key<const W: usize> {
    blocked: u32,
    state: u32,
    effective: Mask<W>,
}

/// The uses with which a configuration was visited, none a subset of another.
enum Seen {
    One(u32),
    Many(Vec<u32>),
}

impl Seen {
    fn as_slice(&self) -> &[u32] {
        match self {
            Seen::One(one) => std::slice::from_ref(one),
            Seen::Many(many) => many,
        }
    }
}

/// A configuration to come back to, and which of its children is next.
struct Frame<const W: usize> {
    blocked: u32,
    state: u32,
    used: u32,
    before: u32,
    producer: u32,
    next: u32,
    order_length: u32,
    effective: Mask<W>,
}

struct Search<'p, 'a, M: Model, const W: usize> {
    problem: &'p Problem<'a, M>,
    budget: &'p Budget<'p>,
    states: Table<M::State>,
    uses: Table<Used>,
    seen: FxHashMap<Key<W>, Seen>,
    seen_extra_bytes: u64,
    /// For a blocked operation, the optional groups that may make it legal.
    enablers: FxHashMap<u32, Box<[u32]>>,
    stack: Vec<Frame<W>>,
    order: Vec<u32>,
    // The present configuration.
    blocked: usize,
    open: Mask<W>,
    effective: Mask<W>,
    occupant: Vec<u32>,
    state: u32,
    used: u32,
    /// The state before the optional operation that came last, or `NONE`.
    before: u32,
    /// The required operation or (numbered after those) optional group that made the state, or `NONE`.
    producer: u32,
    /// Open operations not yet effective, the first to return first.
    candidates: Vec<u32>,
    nodes: u64,
    work: u32,
    furthest: usize,
    /// What was left behind at `furthest`.
    suspects: Vec<u32>,
    memory_bytes: u64,
}

impl<'p, 'a, M: Model, const W: usize> Search<'p, 'a, M, W> {
    fn new(problem: &'p Problem<'a, M>, budget: &'p Budget<'p>) -> Self {
        let mut search = Self {
            problem,
            budget,
            states: Table::new(),
            uses: Table::new(),
            seen: FxHashMap::default(),
            seen_extra_bytes: 0,
            enablers: FxHashMap::default(),
            stack: Vec::new(),
            order: Vec::new(),
            blocked: 0,
            open: Mask::EMPTY,
            effective: Mask::EMPTY,
            occupant: vec![0; problem.slots],
            state: 0,
            used: 0,
            before: NONE,
            producer: NONE,
            candidates: Vec::new(),
            nodes: 0,
            work: 0,
            furthest: 0,
            suspects: Vec::new(),
            memory_bytes: 0,
        };
        search.state = search.intern(problem.model.initial());
        search.used = search.uses.number(Box::default(), |_| 0);
        search
    }

    fn run(mut self) -> Found {
        let answer = self.explore();
        let answer = answer.map(|legal| legal.then(|| std::mem::take(&mut self.order)));
        let (nodes, memory_bytes) = (self.nodes, self.memory_bytes.max(self.memory()));
        let blocker = self.problem.events.get(self.furthest).map(|event| event.op);
        let suspects = blocker.into_iter().chain(self.suspects).collect();
        Found { answer, nodes, memory_bytes, suspects }
    }

    /// Depth first, with a stack of its own: histories are deeper than the system's.
    fn explore(&mut self) -> Result<bool, Stop> {
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
                if self.is_done() {
                    return Ok(true);
                }
                next = 0;
                continue;
            }
            let Some(frame) = self.stack.pop() else { return Ok(false) };
            next = frame.next;
            self.restore(&frame);
        }
    }

    fn is_done(&self) -> bool {
        self.blocked == self.problem.events.len()
    }

    /// Goes on to the next return of an operation that has not taken effect.
    fn advance(&mut self) {
        while let Some(event) = self.problem.events.get(self.blocked) {
            let slot = self.problem.required[event.op as usize].slot;
            if !event.returns {
                self.occupant[slot] = event.op;
                self.open.insert(slot);
            } else if self.effective.contains(slot) {
                self.effective.remove(slot);
                self.open.remove(slot);
            } else {
                break;
            }
            self.blocked += 1;
        }
        if self.blocked > self.furthest {
            self.furthest = self.blocked;
            self.suspects.clear();
        }
    }

    /// Undoes [`Self::advance`] and everything since the frame was pushed.
    fn restore(&mut self, frame: &Frame<W>) {
        while self.blocked > frame.blocked as usize {
            self.blocked -= 1;
            let event = self.problem.events[self.blocked];
            let slot = self.problem.required[event.op as usize].slot;
            if event.returns {
                self.occupant[slot] = event.op;
                self.open.insert(slot);
            } else {
                self.open.remove(slot);
            }
        }
        self.effective = frame.effective;
        self.state = frame.state;
        self.used = frame.used;
        self.before = frame.before;
        self.producer = frame.producer;
        self.order.truncate(frame.order_length as usize);
    }

    /// Takes every open read that is legal in this state.
    fn take_reads(&mut self) {
        loop {
            let mut taken = false;
            for slot in self.open.without(self.effective).iter() {
                let op = self.occupant[slot];
                let required = &self.problem.required[op as usize];
                if required.read_only && self.step(self.state, op).is_some() {
                    self.effective.insert(slot);
                    self.order.push(required.source);
                    taken = true;
                }
            }
            if !taken {
                return;
            }
            // A read that was not legal before proves the optional operation before it useful.
            self.before = NONE;
            self.advance();
        }
    }

    /// Notes this configuration; false where it, or one that used less, was here before.
    fn is_new(&mut self) -> Result<bool, Stop> {
        self.nodes += 1;
        if self.nodes > self.budget.nodes {
            return Err(Stop::Nodes);
        }
        self.tick()?;
        if self.seen.len() == self.seen.capacity() {
            self.check_memory()?;
        }
        let key =
            Key { blocked: self.blocked as u32, state: self.state, effective: self.effective };
        let used = self.used;
        let Some(seen) = self.seen.get_mut(&key) else {
            self.seen.insert(key, Seen::One(used));
            return Ok(true);
        };
        let uses = &self.uses;
        let fewer = |a: u32, b: u32| a == b || is_subset(uses.get(a), uses.get(b));
        if seen.as_slice().iter().any(|&other| fewer(other, used)) {
            return Ok(false);
        }
        let mut kept: Vec<u32> =
            seen.as_slice().iter().copied().filter(|&other| !fewer(used, other)).collect();
        kept.push(used);
        self.seen_extra_bytes += size_of::<u32>() as u64 + if kept.len() == 2 { 16 } else { 0 };
        *seen = if kept.len() == 1 { Seen::One(used) } else { Seen::Many(kept) };
        Ok(true)
    }

    /// Nothing that could come next makes the blocking operation legal.
    fn is_dead_end(&mut self) -> bool {
        let problem = self.problem;
        let blocker = problem.events[self.blocked].op;
        if self.step(self.state, blocker).is_some() {
            return false;
        }
        let blocked = &problem.required[blocker as usize];
        let enables = |effect: &Effect<'_, M>| effect.may_enable(problem.model, &blocked.effect);
        let by_open = self.open.without(self.effective).iter().any(|slot| {
            let op = self.occupant[slot];
            let other = &problem.required[op as usize];
            op != blocker && !other.read_only && enables(&other.effect)
        });
        if by_open || problem.optional.is_empty() {
            return !by_open;
        }
        let enablers = self.enablers.entry(blocker).or_insert_with(|| {
            let groups = 0..problem.optional.len() as u32;
            groups.filter(|&g| enables(&problem.optional[g as usize].effect)).collect()
        });
        let (uses, used, position) = (&self.uses, self.used, self.blocked);
        !enablers.iter().any(|&group| {
            count(uses.get(used), group)
                < available(&problem.optional[group as usize].from, position)
        })
    }

    /// Goes to the first child from number `next` on; false where there is none left.
    fn descend(&mut self, next: u32) -> Result<bool, Stop> {
        self.sort_candidates();
        let open = self.candidates.len() as u32;
        for number in next..open {
            if let Some(state) = self.try_required(number as usize) {
                let number_of_op = self.candidates[number as usize];
                let op = &self.problem.required[number_of_op as usize];
                self.push(number + 1);
                self.effective.insert(op.slot);
                self.order.push(op.source);
                self.enter(state, number_of_op);
                self.before = NONE;
                self.advance();
                return Ok(true);
            }
        }
        // Groups are in order of invocation, so those that have begun come first.
        let begun =
            self.problem.optional.partition_point(|o| o.from[0].0 as usize <= self.blocked) as u32;
        for group in next.saturating_sub(open)..begun {
            self.tick()?;
            if let Some((state, source)) = self.try_optional(group, begun) {
                self.push(open + group + 1);
                self.order.push(source);
                self.before = self.state;
                self.enter(state, self.problem.required.len() as u32 + group);
                self.used = self.use_one(group);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn sort_candidates(&mut self) {
        let required = &self.problem.required;
        self.candidates.clear();
        let open = self.open.without(self.effective);
        self.candidates.extend(open.iter().map(|slot| self.occupant[slot]));
        self.candidates.sort_unstable_by_key(|&op| required[op as usize].return_event);
    }

    /// The state after this candidate, where it is legal and worth trying.
    fn try_required(&mut self, number: usize) -> Option<u32> {
        let op = self.candidates[number];
        let class = |op: u32| self.problem.required[op as usize].class;
        if self.candidates[..number].iter().any(|&earlier| class(earlier) == class(op)) {
            return None;
        }
        let after = self.step(self.state, op)?;
        // The optional operation before it made no difference: it is tried without.
        if self.before != NONE && self.step(self.before, op).as_ref() == Some(&after) {
            return None;
        }
        let changes = after != **self.states.get(self.state);
        if changes && self.is_needed_still(op) { None } else { Some(self.intern(after)) }
    }

    /// Would something that only the present state makes legal be left behind, if `by` changed the state?
    fn is_needed_still(&mut self, by: u32) -> bool {
        let problem = self.problem;
        let Some(dependents) = problem.dependents.get(self.producer as usize) else { return false };
        let returned =
            |op: &u32| (problem.required[*op as usize].return_event as usize) < self.blocked;
        let left_behind = dependents[dependents.partition_point(returned)..].iter().find(|&&op| {
            let required = &problem.required[op as usize];
            let begun = (required.call_event as usize) < self.blocked;
            op != by && !(begun && self.effective.contains(required.slot))
        });
        if let Some(op) = left_behind
            && self.blocked == self.furthest
            && self.suspects.len() < SUSPECTS_MAX
            && !self.suspects.contains(op)
        {
            self.suspects.push(*op);
        }
        left_behind.is_some()
    }

    /// Makes this the state.
    fn enter(&mut self, state: u32, producer: u32) {
        if state != self.state {
            (self.state, self.producer) = (state, producer);
        }
    }

    /// The state after one more of this group and its source, where that may make a difference.
    fn try_optional(&mut self, group: u32, begun: u32) -> Option<(u32, u32)> {
        let optional = &self.problem.optional[group as usize];
        let used = count(self.uses.get(self.used), group);
        if used >= available(&optional.from, self.blocked) {
            return None;
        }
        let after = self.step_optional(self.state, group)?;
        let changes = after != **self.states.get(self.state);
        let needed_the_last =
            self.before == NONE || self.step_optional(self.before, group).as_ref() != Some(&after);
        if changes
            && needed_the_last
            && !self.is_needed_still(NONE)
            && self.is_useful(&after, begun)
        {
            Some((self.intern(after), optional.from[used as usize].1))
        } else {
            None
        }
    }

    /// Does anything that can come next tell the state `after` from the present one?
    fn is_useful(&self, after: &M::State, begun: u32) -> bool {
        let (model, now) = (self.problem.model, self.states.get(self.state));
        let differs = |next: &Effect<'_, M>| {
            let then = model.step(after, next.input, next.output);
            then.is_some() && then != model.step(now, next.input, next.output)
        };
        let by_required = self.candidates.iter().any(|&op| {
            let op = &self.problem.required[op as usize];
            !op.effect.overwrites && differs(&op.effect)
        });
        by_required
            || self.problem.optional[..begun as usize]
                .iter()
                .any(|other| !other.effect.overwrites && differs(&other.effect))
    }

    fn push(&mut self, next: u32) {
        self.stack.push(Frame {
            blocked: self.blocked as u32,
            state: self.state,
            used: self.used,
            before: self.before,
            producer: self.producer,
            next,
            order_length: self.order.len() as u32,
            effective: self.effective,
        });
    }

    fn use_one(&mut self, group: u32) -> u32 {
        let mut used = self.uses.get(self.used).to_vec();
        match used.binary_search_by_key(&group, |&(g, _)| g) {
            Ok(found) => used[found].1 += 1,
            Err(place) => used.insert(place, (group, 1)),
        }
        self.uses.number(used.into_boxed_slice(), |used| size_of_val(&**used))
    }

    fn step(&self, state: u32, op: u32) -> Option<M::State> {
        let op = &self.problem.required[op as usize].effect;
        self.problem.model.step(self.states.get(state), op.input, op.output)
    }

    fn step_optional(&self, state: u32, group: u32) -> Option<M::State> {
        let group = &self.problem.optional[group as usize].effect;
        self.problem.model.step(self.states.get(state), group.input, group.output)
    }

    fn intern(&mut self, state: M::State) -> u32 {
        let model = self.problem.model;
        self.states.number(state, |state| model.state_bytes(state))
    }

    /// Looks at the clock now and then.
    fn tick(&mut self) -> Result<(), Stop> {
        self.work = self.work.wrapping_add(1);
        if self.work.is_multiple_of(16) {
            if self.memory() > self.budget.memory_bytes {
                return Err(Stop::Memory);
            }
            self.budget.spent().map_or(Ok(()), Err)
        } else {
            Ok(())
        }
    }

    fn memory(&self) -> u64 {
        let seen = self.seen.capacity() * 8 / 7 * (size_of::<(Key<W>, Seen)>() + 1);
        let stack = self.stack.capacity() * size_of::<Frame<W>>();
        (seen + stack) as u64 + self.seen_extra_bytes + self.states.bytes() + self.uses.bytes()
    }

    /// The memo is about to double, and for a moment both are there.
    fn check_memory(&mut self) -> Result<(), Stop> {
        let entry = size_of::<(Key<W>, Seen)>() + 1;
        let doubled = self.memory() + (self.seen.capacity() * 8 / 7 * 2 * entry) as u64;
        if doubled > self.budget.memory_bytes {
            return Err(Stop::Memory);
        }
        self.memory_bytes = self.memory_bytes.max(doubled);
        Ok(())
    }
}

/// How many of a group have begun before this event.
fn available(from: &[(u32, u32)], position: usize) -> u32 {
    from.partition_point(|&(event, _)| event as usize <= position) as u32
}

fn count(used: &Rc<Used>, group: u32) -> u32 {
    used.binary_search_by_key(&group, |&(g, _)| g).map_or(0, |found| used[found].1)
}

/// Does the first use no group more often than the second?
fn is_subset(a: &Rc<Used>, b: &Rc<Used>) -> bool {
    a.iter().all(|&(group, times)| times <= count(b, group))
}
