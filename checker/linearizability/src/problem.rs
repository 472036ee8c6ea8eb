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

/// What an operation does, and what the model promises about it.
pub(crate) struct Effect<'a, M: Model> {
    pub(crate) input: &'a M::Input,
    pub(crate) output: Option<&'a M::Output>,
    pub(crate) overwrites: bool,
    pub(crate) gives: Option<u64>,
    pub(crate) needs: Option<u64>,
}

impl<'a, M: Model> Effect<'a, M> {
    fn new(model: &M, input: &'a M::Input, output: Option<&'a M::Output>) -> Self {
        Self {
            input,
            output,
            overwrites: model.overwrites(input, output),
            gives: model.gives(input, output),
            needs: model.needs(input, output),
        }
    }

    pub(crate) fn of(model: &M, call: &'a CallOf<M>) -> Self {
        Self::new(model, &call.input, call.output.as_ref())
    }

    /// Could `blocked` be legal right after this changed the state?
    pub(crate) fn may_enable(&self, model: &M, blocked: &Self) -> bool {
        match (self.gives, blocked.needs) {
            (Some(gives), Some(needs)) => gives == needs,
            _ => model.may_enable(self.input, blocked.input, blocked.output),
        }
    }
}

/// An operation that must take effect between its call and its return.
pub(crate) struct Required<'a, M: Model> {
    pub(crate) effect: Effect<'a, M>,
    pub(crate) read_only: bool,
    /// A number that it has while it is open and that others have before and after.
    pub(crate) slot: usize,
    /// The position of its call among the events.
    pub(crate) call_event: u32,
    /// The position of its return among the events.
    pub(crate) return_event: u32,
    /// The same for operations with the same input and output.
    pub(crate) class: u32,
    pub(crate) source: u32,
}

/// Operations with the same input and output that may take effect or not.
pub(crate) struct Optional<'a, M: Model> {
    pub(crate) effect: Effect<'a, M>,
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
    /// For each required operation, and then for each optional group: the required operations that it alone can
    /// make legal, the first to return first. They take effect before anything else changes the state, or never.
    pub(crate) dependents: Vec<Vec<u32>>,
}

impl<'a, M: Model> Problem<'a, M> {
    pub(crate) fn new(model: &'a M, items: &[Item<'a, M>]) -> Self {
        let mut problem = Self {
            model,
            required: Vec::new(),
            optional: Vec::new(),
            events: Vec::new(),
            slots: 0,
            dependents: Vec::new(),
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
                effect: Effect::new(model, &item.call.input, item.output),
                read_only,
                slot: 0,
                call_event: 0,
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
        problem.find_dependents();
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

    fn group_optional(&mut self, mut open: Vec<&Item<'a, M>>, times: &[(u64, bool, u32)]) {
        open.sort_by_key(|item| item.call.call);
        let mut groups = FxHashMap::default();
        for item in open {
            let from = times
                .partition_point(|&(time, returns, _)| (time, returns) < (item.call.call, false))
                as u32;
            let group = *groups.entry((&item.call.input, item.output)).or_insert_with(|| {
                self.optional.push(Optional {
                    effect: Effect::new(self.model, &item.call.input, item.output),
                    from: Vec::new(),
                });
                self.optional.len() - 1
            });
            self.optional[group].from.push((from, item.source));
        }
    }

    fn find_dependents(&mut self) {
        // More comparisons than this and the operations without a fingerprint count as enabling everything.
        const COMPARISONS_MAX: usize = 10_000_000;
        self.dependents = vec![Vec::new(); self.required.len() + self.optional.len()];
        let required = self.required.iter().map(|op| (&op.effect, op.read_only, 1));
        let optional = self.optional.iter().map(|group| (&group.effect, false, group.from.len()));
        let mut by_fingerprint: FxHashMap<u64, Producer> = FxHashMap::default();
        let mut unclear = Vec::new();
        for (number, (effect, read_only, count)) in required.chain(optional).enumerate() {
            match effect.gives {
                _ if read_only => {}
                Some(gives) => {
                    let only = if count == 1 { Producer::Only(number) } else { Producer::Several };
                    let several = |producer: &mut Producer| *producer = Producer::Several;
                    by_fingerprint.entry(gives).and_modify(several).or_insert(only);
                }
                None => unclear.push(effect),
            }
        }
        if unclear.len() * self.required.len() > COMPARISONS_MAX {
            return;
        }
        let mut by_return: Vec<u32> = (0..self.required.len() as u32).collect();
        by_return.sort_unstable_by_key(|&op| self.required[op as usize].return_event);
        for op in by_return {
            let effect = &self.required[op as usize].effect;
            let producer = effect.needs.and_then(|needs| by_fingerprint.get(&needs));
            let Some(&Producer::Only(number)) = producer else { continue };
            // An operation that makes itself legal again depends on nobody else.
            let by_another = unclear.iter().any(|other| other.may_enable(self.model, effect));
            if number != op as usize && !by_another {
                self.dependents[number].push(op);
            }
        }
    }
}

/// Who leaves a fingerprint behind.
#[derive(Clone, Copy)]
enum Producer {
    /// The operation or group with this number, and only one operation of it.
    Only(usize),
    Several,
}
