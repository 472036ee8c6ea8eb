//! A history made ready for the search.
//!
//! Failed operations are out, and so are reads whose result is unknown: they constrain nothing. What remains is
//! either *required* (it returned, so it took effect in between) or *optional* (open for ever: it may take
//! effect at any time after its invocation, or never).

use rustc_hash::FxHashMap;

use crate::{CallOf, Model};

/// A call, and how much of it counts.
pub(crate) struct Item<'a, M: Model> {
    pub(crate) call: &'a CallOf<M>,
    /// What the order calls it.
    pub(crate) source: u32,
    /// When it returned, where that counts.
    pub(crate) ret: Option<u64>,
    /// Its result, where that counts.
    pub(crate) output: Option<&'a M::Output>,
}

impl<M: Model> Clone for Item<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

// Not derived: it holds for models that are not `Copy` too.
impl<M: Model> Copy for Item<'_, M> {}

/// Every call in full strength.
pub(crate) fn items<M: Model>(calls: &[CallOf<M>]) -> Vec<Item<'_, M>> {
    let number = |i: usize| u32::try_from(i).expect("a history has fewer than 2^32 operations");
    calls
        .iter()
        .enumerate()
        .filter(|(_, call)| !call.failed)
        .map(|(i, call)| Item {
            call,
            source: number(i),
            ret: call.ret,
            output: call.output.as_ref(),
        })
        .collect()
}

/// An operation that must take effect between its call and its return.
pub(crate) struct Required<'a, M: Model> {
    pub(crate) input: &'a M::Input,
    pub(crate) output: Option<&'a M::Output>,
    pub(crate) read_only: bool,
    pub(crate) overwrites: bool,
    /// A number that it has while it is open and that others have before and after.
    pub(crate) slot: usize,
    /// The position of its return among the events.
    pub(crate) return_event: u32,
    /// The same for operations with the same input and output.
    pub(crate) class: u32,
    pub(crate) source: u32,
}

/// Operations with the same input and output that may take effect or not.
pub(crate) struct Optional<'a, M: Model> {
    pub(crate) input: &'a M::Input,
    pub(crate) output: Option<&'a M::Output>,
    pub(crate) overwrites: bool,
    /// For each one, in order of invocation: the event from which on it may take effect, and its source.
    pub(crate) from: Vec<(u32, u32)>,
}

/// A required operation's call or return.
#[derive(Clone, Copy)]
pub(crate) struct Event {
    pub(crate) op: u32,
    pub(crate) returns: bool,
}

/// The history as the search wants it.
pub(crate) struct Problem<'a, M: Model> {
    pub(crate) model: &'a M,
    pub(crate) required: Vec<Required<'a, M>>,
    /// In order of their first member's invocation.
    pub(crate) optional: Vec<Optional<'a, M>>,
    pub(crate) events: Vec<Event>,
    /// How many required operations are open at once, at most.
    pub(crate) slots: usize,
}

impl<'a, M: Model> Problem<'a, M> {
    pub(crate) fn new(model: &'a M, items: &[Item<'a, M>]) -> Self {
        let mut problem = Self {
            model,
            required: Vec::new(),
            optional: Vec::new(),
            events: Vec::new(),
            slots: 0,
        };
        let mut times = Vec::new();
        let mut open = Vec::new();
        let mut classes = FxHashMap::default();
        for item in items {
            let read_only = model.is_read_only(&item.call.input);
            if read_only && (item.ret.is_none() || item.output.is_none()) {
                continue;
            }
            let Some(ret) = item.ret else {
                open.push(item);
                continue;
            };
            let op = problem.required.len() as u32;
            let class = classes.len() as u32;
            times.push((item.call.call, false, op));
            times.push((ret, true, op));
            problem.required.push(Required {
                input: &item.call.input,
                output: item.output,
                read_only,
                overwrites: model.overwrites(&item.call.input, item.output),
                slot: 0,
                return_event: 0,
                class: *classes.entry((&item.call.input, item.output)).or_insert(class),
                source: item.source,
            });
        }
        // A call before a return at the same position: the intervals are closed.
        times.sort_unstable();
        problem.events = times.iter().map(|&(_, returns, op)| Event { op, returns }).collect();
        problem.assign_slots();
        problem.group_optional(open, &times);
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
                op.slot = free.pop().unwrap_or_else(|| {
                    self.slots += 1;
                    self.slots - 1
                });
            }
        }
    }

    fn group_optional(&mut self, mut open: Vec<&Item<'a, M>>, times: &[(u64, bool, u32)]) {
        open.sort_by_key(|item| item.call.call);
        let mut groups = FxHashMap::default();
        for item in open {
            let from = times
                .partition_point(|&(time, returns, _)| (time, returns) < (item.call.call, false))
                as u32;
            let group = *groups.entry((&item.call.input, item.output)).or_insert_with(|| {
                self.optional.push(Optional {
                    input: &item.call.input,
                    output: item.output,
                    overwrites: self.model.overwrites(&item.call.input, item.output),
                    from: Vec::new(),
                });
                self.optional.len() - 1
            });
            self.optional[group].from.push((from, item.source));
        }
    }
}
