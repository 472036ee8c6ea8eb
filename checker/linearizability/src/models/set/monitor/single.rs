//! Each value by itself.

mod sentence;

use super::{Group, History, Key, Role};
use crate::CallOf;
use crate::models::Datum;
use crate::models::set::Set;
use crate::monitors::Stop;
use crate::monitors::timeline::{Span, Timeline};

/// More removals than this of one value, none of which says what it did, are not tried one after the other.
const REMOVALS_MAX: usize = 8;

/// Where every operation can happen.
pub(super) fn place<V: Datum>(
    model: &Set<V>,
    calls: &[CallOf<Set<V>>],
    timeline: &Timeline,
    history: &History<'_, V>,
) -> Result<Vec<(Key, u32)>, Stop> {
    let mut placed = Vec::with_capacity(calls.len());
    let mut outside = false;
    for group in &history.groups {
        match place_one(model, calls, timeline, group, &mut placed) {
            Ok(()) => {}
            // Another value may be wrong for certain.
            Err(Stop::Outside) => outside = true,
            Err(refuted) => return Err(refuted),
        }
    }
    if outside { Err(Stop::Outside) } else { Ok(placed) }
}

fn place_one<V: Datum>(
    model: &Set<V>,
    calls: &[CallOf<Set<V>>],
    timeline: &Timeline,
    group: &Group<'_, V>,
    placed: &mut Vec<(Key, u32)>,
) -> Result<(), Stop> {
    let span = |i: u32| timeline.spans[i as usize];
    let returned = |i: &u32| calls[*i as usize].ret.is_some();
    let mut adds = group.with(Role::Add);
    let add = adds.next();
    let mut certain_removals = group.with(Role::Removed);
    let certain = certain_removals.next();
    if adds.next().is_some() {
        return Err(Stop::Outside);
    }
    let history = ValueHistory { model, calls, timeline, group };
    if let (Some(first), Some(second)) = (certain, certain_removals.next()) {
        return Err(match add {
            Some(add) => history.removed_twice(add, first, second),
            None => history.never_added(first),
        });
    }
    let seen = group.with(Role::Present).next();
    // Nobody saw it come.
    let absent_throughout = seen.is_none() && certain.is_none();
    let add = match add {
        None => match seen.or(certain) {
            Some(witness) => return Err(history.never_added(witness)),
            None => None,
        },
        Some(add) => (returned(&add) || !absent_throughout).then_some(add),
    };
    let uncertain: Vec<u32> = group.with(Role::Remove).collect();
    let Some(add) = add else {
        let all = uncertain.into_iter().chain(group.with(Role::Absent)).filter(returned);
        placed.extend(all.map(|i| ((span(i).call, 0), i)));
        return Ok(());
    };
    let candidates = match certain {
        Some(removal) => vec![Some(removal)],
        None => candidates(timeline, calls, add, &uncertain),
    };
    if candidates.len() > REMOVALS_MAX + 1 {
        return Err(Stop::Outside);
    }
    match history.try_all(add, &candidates, placed) {
        Ok(()) => Ok(()),
        Err(problem) if candidates.len() == 1 => Err(history.refute(add, candidates[0], problem)),
        Err(_) => Err(history.refute_all(add, &candidates)),
    }
}

/// What may have taken the value out, or `None` for nothing.
fn candidates<V: Datum>(
    timeline: &Timeline,
    calls: &[CallOf<Set<V>>],
    add: u32,
    uncertain: &[u32],
) -> Vec<Option<u32>> {
    let span = |i: u32| timeline.spans[i as usize];
    let after = |i: &&u32| !span(**i).precedes(span(add));
    let certain = |i: &u32| span(add).precedes(span(*i)) && calls[*i as usize].ret.is_some();
    // What returned and began after the add took it out, unless something else had.
    let nothing = (!uncertain.iter().any(certain)).then_some(None);
    uncertain.iter().filter(after).map(|&i| Some(i)).chain(nothing).collect()
}

/// Why a value's operations fit no order, given what took it out.
#[derive(Clone, Copy)]
enum Contradiction {
    /// This saw it before it was added.
    Early(u32),
    /// This saw it after it was removed.
    Late(u32),
    /// This did not see it though it was there, as others show: who saw it first or added it, and who last.
    Missed { from: u32, missed: u32, until: Option<u32> },
}

/// All there is to know of one value.
struct ValueHistory<'a, V: Datum> {
    model: &'a Set<V>,
    calls: &'a [CallOf<Set<V>>],
    timeline: &'a Timeline,
    group: &'a Group<'a, V>,
}

impl<V: Datum> ValueHistory<'_, V> {
    fn span(&self, i: u32) -> Span {
        self.timeline.spans[i as usize]
    }

    /// Tries what may have taken the value out, one after the other.
    fn try_all(
        &self,
        add: u32,
        candidates: &[Option<u32>],
        placed: &mut Vec<(Key, u32)>,
    ) -> Result<(), Contradiction> {
        let mut answer = Ok(());
        for &removal in candidates {
            answer = self.lay_out(add, removal, placed);
            if answer.is_ok() {
                break;
            }
        }
        answer
    }

    /// Puts the add as late as can be, the removal as early as can be, and the others around them.
    fn lay_out(
        &self,
        add: u32,
        removal: Option<u32>,
        placed: &mut Vec<(Key, u32)>,
    ) -> Result<(), Contradiction> {
        let present = || self.group.with(Role::Present);
        let first_return = |i: &u32| self.span(*i).ret;
        let last_call = |i: &u32| self.span(*i).call;
        let first = present().chain([add]).chain(removal).min_by_key(first_return).unwrap_or(add);
        if self.span(first).precedes(self.span(add)) {
            return Err(Contradiction::Early(first));
        }
        let last = present().chain([add]).chain(removal).max_by_key(last_call).unwrap_or(add);
        if removal.is_some_and(|removal| self.span(removal).precedes(self.span(last))) {
            return Err(Contradiction::Late(last));
        }
        // The last point before the first return; the first point after the last call.
        let (latest, earliest) = (self.span(first).ret - 1, self.span(last).call);
        let never = self.timeline.end + 1;
        // Where one point will do for all of them, nothing can miss the value.
        let from = if removal.is_some() { earliest.min(latest) } else { latest };
        let to = if removal.is_some() { earliest } else { never };
        let uncertain = self
            .group
            .with(Role::Remove)
            .filter(|&i| Some(i) != removal && self.calls[i as usize].ret.is_some());
        let begun = placed.len();
        placed.push(((from, 1), add));
        placed.extend(removal.map(|removal| ((to, 3), removal)));
        placed.extend(present().map(|i| ((self.span(i).call.max(from), 2), i)));
        for i in self.group.with(Role::Absent).chain(uncertain) {
            let span = self.span(i);
            if span.call <= from {
                placed.push(((span.call, 0), i));
            } else if span.call.max(to) < span.ret {
                placed.push(((span.call.max(to), 4), i));
            } else {
                placed.truncate(begun);
                return Err(Contradiction::Missed {
                    from: first,
                    missed: i,
                    until: removal.map(|_| last),
                });
            }
        }
        Ok(())
    }
}
