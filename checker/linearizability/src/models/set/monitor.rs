//! Sets.
//!
//! Without reads of the whole set each value is an object of its own: absent, then present from its one add on,
//! and absent again from its one effective removal on. Everything that saw it present must have a point between the
//! two; the add is best put as late as those allow, the removal as early, and then everything that saw it
//! absent must have a point outside.
//!
//! Where nothing is removed, the set only grows: what reads of all values saw must be a chain, each adding to the
//! one before. That gives every operation those that must come before it, and each is put as early as they allow.

mod grown;
mod single;

use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

use super::{Datum, Set, SetInput, SetOutput, Values};
use crate::monitors::timeline::Timeline;
use crate::monitors::{Stop, order};
use crate::refutation::MonitorVerdict;
use crate::{Call, CallOf};

/// What an order is sorted by: a point, and the place there.
type Key = (u32, u32);

/// Decides a history of a set in time O(n log n), if no value was added twice, and nothing removed where all
/// values were read at once. `None`: it cannot.
pub(super) fn check<V: Datum>(model: &Set<V>, calls: &[CallOf<Set<V>>]) -> Option<MonitorVerdict> {
    let timeline = Timeline::new(calls)?;
    match arrange(model, calls, &timeline) {
        Ok(order) => {
            let legal = order::is_possible(calls, &timeline, &order, says_nothing)
                && replays(calls, &order);
            legal.then_some(MonitorVerdict::Valid(order))
        }
        Err(stop) => stop.verdict(),
    }
}

/// A read whose result nobody knows.
fn says_nothing<V: Datum>(call: &CallOf<Set<V>>) -> bool {
    call.output.is_none() && matches!(call.input, SetInput::Contains(_) | SetInput::ReadAll)
}

fn arrange<V: Datum>(
    model: &Set<V>,
    calls: &[CallOf<Set<V>>],
    timeline: &Timeline,
) -> Result<Vec<u32>, Stop> {
    let history = History::new(calls)?;
    let mut placed = if history.reads.is_empty() {
        single::place(model, calls, timeline, &history)?
    } else {
        grown::place(model, calls, timeline, &history)?
    };
    placed.sort_unstable();
    Ok(placed.into_iter().map(|(_, operation)| operation).collect())
}

/// What an operation on one value says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It put the value in, unless it never happened.
    Add,
    /// It took the value out, if it was there.
    Remove,
    /// It took the value out.
    Removed,
    /// The value was there.
    Present,
    /// The value was not there.
    Absent,
}

/// The operations on one value.
struct Group<'a, V> {
    value: &'a V,
    /// In the order of the history.
    operations: Vec<(Role, u32)>,
}

impl<V> Group<'_, V> {
    /// Those with this role.
    fn with(&self, role: Role) -> impl Iterator<Item = u32> {
        self.operations.iter().filter(move |(other, _)| *other == role).map(|&(_, i)| i)
    }
}

/// A history of a set, taken apart.
struct History<'a, V> {
    groups: Vec<Group<'a, V>>,
    by_value: FxHashMap<&'a V, u32>,
    /// Reads of the whole set.
    reads: Vec<(&'a Values<V>, u32)>,
}

impl<'a, V: Datum> History<'a, V> {
    fn new(calls: &'a [CallOf<Set<V>>]) -> Result<Self, Stop> {
        let mut history =
            Self { groups: Vec::new(), by_value: FxHashMap::default(), reads: Vec::new() };
        for (i, call) in (0..).zip(calls).filter(|(_, call)| !call.failed) {
            if says_nothing(call) {
                continue;
            }
            if let (SetInput::ReadAll, Some(SetOutput::Values(values))) =
                (&call.input, &call.output)
            {
                // One that never returned may be left out.
                history.reads.extend(call.ret.map(|_| (values, i)));
                continue;
            }
            let (value, mut role) = role(call).ok_or(Stop::Outside)?;
            if call.ret.is_none() {
                match role {
                    // It changes nothing, so it may be left out.
                    Role::Present | Role::Absent => continue,
                    // It may have happened or not.
                    Role::Removed => role = Role::Remove,
                    Role::Add | Role::Remove => {}
                }
            }
            let group = history.group(value);
            history.groups[group].operations.push((role, i));
        }
        Ok(history)
    }

    fn group(&mut self, value: &'a V) -> usize {
        let groups = &mut self.groups;
        *self.by_value.entry(value).or_insert_with(|| {
            groups.push(Group { value, operations: Vec::with_capacity(2) });
            groups.len() as u32 - 1
        }) as usize
    }
}

/// What an operation on one value says of it; `None` for a result that it cannot have.
fn role<V: Datum>(call: &Call<SetInput<V>, SetOutput<V>>) -> Option<(&V, Role)> {
    Some(match (&call.input, &call.output) {
        (SetInput::Add(value), None | Some(SetOutput::Done | SetOutput::Changed(true))) => {
            (value, Role::Add)
        }
        (SetInput::Add(value), Some(SetOutput::Changed(false))) => (value, Role::Present),
        (SetInput::Remove(value), None | Some(SetOutput::Done)) => (value, Role::Remove),
        (SetInput::Remove(value), Some(SetOutput::Changed(true))) => (value, Role::Removed),
        (SetInput::Remove(value), Some(SetOutput::Changed(false))) => (value, Role::Absent),
        (SetInput::Contains(value), Some(SetOutput::Present(present))) => {
            (value, if *present { Role::Present } else { Role::Absent })
        }
        _ => return None,
    })
}

/// An add of this value that failed.
fn failed_add<V: Datum>(calls: &[CallOf<Set<V>>], value: &V) -> Option<u32> {
    let adds = |call: &CallOf<Set<V>>| {
        call.failed && matches!(&call.input, SetInput::Add(other) if other == value)
    };
    (0..).zip(calls).find(|(_, call)| adds(call)).map(|(i, _)| i)
}

/// Do the operations have their results in this order?
fn replays<V: Datum>(calls: &[CallOf<Set<V>>], order: &[u32]) -> bool {
    let mut set: FxHashSet<&V> = FxHashSet::default();
    order.iter().all(|&i| {
        let call = &calls[i as usize];
        let changed = |changed| match call.output {
            Some(SetOutput::Changed(said)) => said == changed,
            None | Some(SetOutput::Done) => true,
            _ => false,
        };
        match (&call.input, &call.output) {
            (SetInput::Add(value), _) => changed(set.insert(value)),
            (SetInput::Remove(value), _) => changed(set.remove(value)),
            (SetInput::Contains(value), Some(SetOutput::Present(present))) => {
                set.contains(value) == *present
            }
            (SetInput::ReadAll, Some(SetOutput::Values(values))) => {
                values.len() == set.len() && values.iter().all(|value| set.contains(value))
            }
            _ => false,
        }
    })
}
