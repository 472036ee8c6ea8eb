//! A history made ready for the search.
//!
//! Failed operations are out, and so are reads whose result is unknown: they constrain nothing. What remains is
//! either *required* (it returned, so it took effect in between) or *optional* (open for ever: it may take
//! effect at any time after its invocation, or never).

mod dependents;
mod effect;
mod items;
mod prepared;

use rustc_hash::FxHashMap;

pub(crate) use effect::{Effect, Nature};
pub(crate) use items::{Item, items};
pub(crate) use prepared::{Prepared, Sample};

/// An operation of the history, without what only its model understands.
struct Member {
    class: u32,
    source: u32,
    call: u64,
    ret: Option<u64>,
    must: bool,
}

/// Could an operation of the second class be legal right after one of the first changed the state?
type MayEnable<'m> = &'m dyn Fn(u32, u32) -> bool;

/// An operation that must take effect between its call and its return.
pub(crate) struct Required {
    pub(crate) class: u32,
    /// A number that it has while it is open and that others have before and after.
    pub(crate) slot: usize,
    /// The position of its call among the events.
    pub(crate) call_event: u32,
    /// The position of its return among the events.
    pub(crate) return_event: u32,
    pub(crate) source: u32,
    /// False where it may be left out after all: it began before the window that is searched.
    pub(crate) must: bool,
    /// A blind write that nobody needs to have seen: any overwriting operation hides it.
    pub(crate) coverable: bool,
}

/// Operations of one class that may take effect or not.
pub(crate) struct Optional {
    pub(crate) class: u32,
    /// For each one, in order of invocation: the event from which on it may take effect, and its source.
    pub(crate) from: Vec<(u32, u32)>,
}

/// A required operation's call or return.
#[derive(Clone, Copy)]
pub(crate) struct Event {
    pub(crate) op: u32,
    pub(crate) returns: bool,
}

/// The history as the search wants it. It knows nothing of the model, so that the search is compiled once for all of them.
pub(crate) struct Problem {
    /// What all operations with the same input and output do.
    pub(crate) classes: Vec<Effect>,
    pub(crate) required: Vec<Required>,
    /// In order of their first member's invocation.
    pub(crate) optional: Vec<Optional>,
    pub(crate) events: Vec<Event>,
    /// How many required operations are open at once, at most.
    pub(crate) slots: usize,
    /// For each required operation, and then for each optional group: the required operations that it alone can
    /// make legal, the first to return first. They take effect before anything else changes the state, or never.
    pub(crate) dependents: Vec<Vec<u32>>,
}

impl Problem {
    fn new(classes: Vec<Effect>, members: &[Member], may_enable: MayEnable<'_>) -> Self {
        let mut problem = Self {
            classes,
            required: Vec::with_capacity(members.len()),
            optional: Vec::new(),
            events: Vec::new(),
            slots: 0,
            dependents: Vec::new(),
        };
        let mut times = Vec::with_capacity(2 * members.len());
        let mut open = Vec::new();
        for member in members {
            let &Member { class, source, call, ret, must } = member;
            let Some(ret) = ret else {
                open.push(member);
                continue;
            };
            if problem.classes[class as usize].nature == Nature::Read && !must {
                continue;
            }
            let op = problem.required.len() as u32;
            times.push((call, false, op));
            times.push((ret, true, op));
            problem.required.push(Required {
                class,
                slot: 0,
                call_event: 0,
                return_event: 0,
                source,
                must,
                coverable: false,
            });
        }
        // A call before a return at the same position: the intervals are closed.
        times.sort_unstable();
        problem.events = times.iter().map(|&(_, returns, op)| Event { op, returns }).collect();
        problem.assign_slots();
        problem.group_optional(open, &times);
        problem.find_dependents(may_enable);
        problem.find_coverable();
        problem
    }

    fn assign_slots(&mut self) {
        let mut free = Vec::new();
        for (position, event) in self.events.iter().enumerate() {
            let op = &mut self.required[event.op as usize];
            if event.returns {
                op.return_event = position as u32;
                free.push(op.slot);
            } else {
                op.call_event = position as u32;
                op.slot = free.pop().unwrap_or_else(|| {
                    self.slots += 1;
                    self.slots - 1
                });
            }
        }
    }

    fn group_optional(&mut self, mut open: Vec<&Member>, times: &[(u64, bool, u32)]) {
        open.retain(|member| self.classes[member.class as usize].nature != Nature::Read);
        open.sort_by_key(|member| member.call);
        let mut groups = FxHashMap::default();
        for &Member { class, source, call, .. } in open {
            let from =
                times.partition_point(|&(time, returns, _)| (time, returns) < (call, false)) as u32;
            let group = *groups.entry(class).or_insert_with(|| {
                self.optional.push(Optional { class, from: Vec::new() });
                self.optional.len() - 1
            });
            self.optional[group].from.push((from, source));
        }
    }

    /// What others depend on cannot be hidden from them.
    fn find_coverable(&mut self) {
        for (op, dependents) in self.required.iter_mut().zip(&self.dependents) {
            let nature = self.classes[op.class as usize].nature;
            op.coverable = nature == Nature::Write && dependents.is_empty();
        }
    }
}
