//! What can come next.

use super::Clock;
use super::configuration::{Before, NONE};
use super::cursor::Cursor;
use super::order::Taken;
use crate::limits::Stop;
use crate::mask::Mask;
use crate::problem::Required;

impl<const W: usize> Cursor<'_, W> {
    /// Goes to the first child from number `next` on; false where there is none left.
    ///
    /// Child 0 lets the operation that returns next go without having been used. Where it could, but something else
    /// is taken, that only makes sense if it is taken in the end: all the rest could as well be taken later.
    pub(super) fn descend(&mut self, next: u32, clock: &mut Clock<'_>) -> Result<bool, Stop> {
        let blocker = self.context.problem.events[self.now.blocked as usize].op;
        let slot = self.required(blocker).slot;
        let closing = !self.now.due.contains(slot);
        if next == 0 && closing && !self.now.committed {
            self.push(1);
            self.now.taken.insert(slot);
            self.advance();
            return Ok(true);
        }
        self.sort_candidates();
        let open = self.candidates.len() as u32;
        for number in next.saturating_sub(1)..open {
            if let Some(after) = self.try_required(number as usize, blocker) {
                self.push(number + 2);
                self.take(self.candidates[number as usize], after);
                self.now.committed |= closing;
                self.advance();
                return Ok(true);
            }
        }
        for group in next.saturating_sub(open + 1)..self.begun() {
            clock.tick()?;
            if let Some(after) = self.try_optional(group) {
                self.push(open + group + 2);
                self.take_optional(group, after);
                self.now.committed |= closing;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Open operations that can be taken, reads excepted.
    pub(super) fn available(&self) -> Mask<W> {
        self.open.all.without(self.open.reads).without(self.now.taken)
    }

    /// Those that return first come first. Who they are depends only on where the cursor is and on what was taken, so they
    /// are the same for all children.
    fn sort_candidates(&mut self) {
        let place = (self.now.blocked, self.now.taken);
        if self.sorted_at == Some(place) {
            return;
        }
        self.sorted_at = Some(place);
        let required = &self.context.problem.required;
        self.candidates.clear();
        let available = self.available();
        self.candidates.extend(available.iter().map(|slot| self.open.op(slot)));
        self.candidates.sort_unstable_by_key(|&op| required[op as usize].return_event);
    }

    /// The state after this candidate, where it is legal and worth trying.
    fn try_required(&mut self, number: usize, blocker: u32) -> Option<u32> {
        let number_of_op = self.candidates[number];
        let &Required { class, slot, coverable, .. } = self.required(number_of_op);
        let all_due = self.now.due;
        let due = |slot: usize| all_due.contains(slot);
        let same = |&other: &u32| {
            let other = self.required(other);
            other.class == class && (coverable || due(other.slot) == due(slot))
        };
        if self.candidates[..number].iter().any(same) {
            return None;
        }
        let after = self.steps.step(&self.context, self.now.state, class)?;
        if self.overrides_the_last(class, after) {
            return None;
        }
        let may_wait = number_of_op != blocker && (coverable || !due(slot));
        if may_wait && !self.is_worthwhile(class, after) {
            return None;
        }
        let changes = after != self.now.state;
        if changes && self.is_needed_still(number_of_op) { None } else { Some(after) }
    }

    /// Would the operation that came last have made no difference? Then it is tried without.
    fn overrides_the_last(&mut self, class: u32, after: u32) -> bool {
        let Before { state, was_due, .. } = self.now.before;
        let overwrites = self.overwrites(class);
        state != NONE
            && (overwrites || !was_due)
            && self.steps.step(&self.context, state, class) == Some(after)
    }

    /// Would something that only the present state makes legal be left behind, if `by` changed the state?
    fn is_needed_still(&mut self, by: u32) -> bool {
        let problem = &self.context.problem;
        let Some(dependents) = problem.dependents.get(self.now.producer as usize) else {
            return false;
        };
        let returned = |op: &u32| problem.required[*op as usize].return_event < self.now.blocked;
        let mut rest = dependents[dependents.partition_point(returned)..].iter().copied();
        let left_behind = rest.find(|&op| {
            let required = &problem.required[op as usize];
            let begun = required.call_event < self.now.blocked;
            op != by && (!begun || self.now.due.contains(required.slot))
        });
        if let Some(op) = left_behind
            && self.now.blocked == self.furthest.event
        {
            self.furthest.suspect(op);
        }
        left_behind.is_some()
    }

    /// How many optional groups have begun; they are in order of invocation.
    pub(super) fn begun(&self) -> u32 {
        let begun =
            self.context.problem.optional.partition_point(|o| o.from[0].0 <= self.now.blocked);
        begun as u32
    }

    /// Is there one of this group that has begun and was not used?
    pub(super) fn is_left(&self, group: u32) -> bool {
        let from = &self.context.problem.optional[group as usize].from;
        let available = from.partition_point(|&(event, _)| event <= self.now.blocked);
        (self.context.uses.count(self.now.used, group) as usize) < available
    }

    /// The state after one more of this group, where that may make a difference.
    fn try_optional(&mut self, group: u32) -> Option<u32> {
        if !self.is_left(group) {
            return None;
        }
        let class = self.context.problem.optional[group as usize].class;
        let after = self.steps.step(&self.context, self.now.state, class)?;
        let destroys = after != self.now.state && self.is_needed_still(NONE);
        let worthwhile =
            !destroys && !self.overrides_the_last(class, after) && self.is_worthwhile(class, after);
        worthwhile.then_some(after)
    }

    /// Is there a reason to take now what may be left out, or may at least wait?
    fn is_worthwhile(&mut self, class: u32, after: u32) -> bool {
        let overwrites = self.overwrites(class);
        let hides = overwrites && !self.now.due.and(self.open.coverable).is_empty();
        if after == self.now.state { hides } else { self.is_useful(after, hides) }
    }

    /// Does anything that can come next tell the state `after` from the present one? Where blind writes are hidden on
    /// the way, it is enough that something can come next.
    fn is_useful(&mut self, after: u32, hides: bool) -> bool {
        let problem = &self.context.problem;
        let now = self.now.state;
        let reads = self.open.reads.and(self.now.due);
        for slot in reads.iter() {
            let class = problem.required[self.open.op(slot) as usize].class;
            // Those that are legal now have been taken.
            if self.steps.step(&self.context, after, class).is_some() {
                return true;
            }
        }
        let required = self.candidates.len();
        for number in 0..required + self.begun() as usize {
            let class = match self.candidates.get(number) {
                Some(&op) => problem.required[op as usize].class,
                None => problem.optional[number - required].class,
            };
            if self.overwrites(class) {
                continue;
            }
            let then = self.steps.step(&self.context, after, class);
            if then.is_some() && (hides || then != self.steps.step(&self.context, now, class)) {
                return true;
            }
        }
        false
    }

    /// Makes it the last operation so far.
    fn take(&mut self, op: u32, after: u32) {
        let &Required { class, slot, coverable, source, .. } = self.required(op);
        let must = self.now.due.contains(slot) && !coverable;
        let overwrites = self.overwrites(class);
        self.note(source, overwrites);
        self.enter(op, after, overwrites, must);
        self.now.due.remove(slot);
        self.now.taken.insert(slot);
    }

    fn take_optional(&mut self, group: u32, after: u32) {
        let optional = &self.context.problem.optional[group as usize];
        let overwrites = self.overwrites(optional.class);
        let used = self.context.uses.count(self.now.used, group);
        self.note(optional.from[used as usize].1, overwrites);
        self.now.used = self.context.uses.use_one(self.now.used, group);
        self.enter(self.context.problem.required.len() as u32 + group, after, overwrites, false);
    }

    /// Makes this the state; an overwriting operation hides all blind writes that are open.
    fn enter(&mut self, producer: u32, after: u32, overwrites: bool, must: bool) {
        let hidden = if overwrites { self.now.due.and(self.open.coverable) } else { Mask::EMPTY };
        let returns = hidden.iter().map(|slot| {
            let op = self.open.op(slot);
            self.required(op).return_event
        });
        let until = returns.min();
        self.now.before = if must {
            Before::NOTHING
        } else {
            let (until, was_due) = (until.unwrap_or(NONE), until.is_some());
            Before { state: self.now.state, until, was_due }
        };
        self.now.due = self.now.due.without(hidden);
        if after != self.now.state {
            (self.now.state, self.now.producer) = (after, producer);
        }
    }

    pub(super) fn note(&mut self, source: u32, overwrites: bool) {
        self.order.push(Taken { source, blocked: self.now.blocked, overwrites });
    }
}
