//! Each value with what put it in and what took it out.

use rustc_hash::FxHashMap;

use super::core::{describe, refuted};
use super::timeline::{Span, Timeline};
use super::{MonitorVerdict, Stop, order};
use crate::datum::Datum;
use crate::{Anomaly, CallOf, Model};

/// What an operation did to the container.
pub(crate) enum Role<'a, V> {
    /// It put this value in.
    Insert(&'a V),
    /// It took this value out.
    Remove(&'a V),
    /// It found nothing to take out.
    Empty,
    /// It may have taken something out.
    Unclear,
}

/// The container's words.
pub(crate) struct Words {
    /// "queue"
    pub(crate) object: &'static str,
    /// "enqueued"
    pub(crate) inserted: &'static str,
    /// "dequeued"
    pub(crate) removed: &'static str,
    /// The kind of violation where a value comes out twice.
    pub(crate) removed_twice: Anomaly,
}

/// A container whose operations have roles.
pub(crate) trait Container: Model {
    /// What its operations hold.
    type Value: Datum;

    /// The role; `None` for a result that the operation cannot have.
    fn role(call: &CallOf<Self>) -> Option<Role<'_, Self::Value>>;

    /// Its words.
    fn words() -> &'static Words;

    /// Do the operations have their results in this order?
    fn replays(calls: &[CallOf<Self>], order: &[u32]) -> bool;
}

/// Decides a history with `arrange`, which knows nothing of removals that are unclear.
pub(crate) fn check<M: Container>(
    model: &M,
    calls: &[CallOf<M>],
    arrange: impl Fn(&Timeline, &Elements) -> Result<Vec<u32>, Stop>,
) -> Option<MonitorVerdict> {
    let timeline = Timeline::new(calls)?;
    let decide = || {
        let mut elements = Elements::new(model, calls, &timeline)?;
        if elements.unclear {
            // Whatever they took, it was none of the values that others took.
            let taken = elements.all.iter().filter(|e| e.remove.is_some()).copied().collect();
            let all = std::mem::replace(&mut elements.all, taken);
            arrange(&timeline, &elements)?;
            elements.all = all;
        }
        if elements.unclear_return {
            return Err(Stop::Outside);
        }
        match arrange(&timeline, &elements) {
            // One of them may have put it right.
            Err(_) if elements.unclear => Err(Stop::Outside),
            decided => decided,
        }
    };
    let order = match decide() {
        Ok(order) => order,
        Err(stop) => return stop.verdict(),
    };
    let legal =
        order::is_possible(calls, &timeline, &order, |_| false) && M::replays(calls, &order);
    legal.then_some(MonitorVerdict::Valid(order))
}

/// A value's life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element {
    /// What put it in.
    pub(crate) insert: u32,
    /// What took it out, if anything did.
    pub(crate) remove: Option<u32>,
    /// When it can have come in: not after it went out.
    pub(crate) inserted: Span,
    /// When it can have gone out: not before it came in.
    pub(crate) removed: Span,
}

impl Element {
    /// The points at which it was certainly there: none where the end is not beyond the start.
    pub(crate) fn certain(&self) -> (u32, u32) {
        (self.inserted.ret, self.removed.call)
    }

    /// Was it certainly there at some point?
    pub(crate) fn is_solid(&self) -> bool {
        self.inserted.ret < self.removed.call
    }

    /// Its operations.
    pub(crate) fn operations(&self) -> impl Iterator<Item = u32> {
        std::iter::once(self.insert).chain(self.remove)
    }
}

/// A history of a container, taken apart.
pub(crate) struct Elements {
    pub(crate) all: Vec<Element>,
    /// The operations that found nothing.
    pub(crate) empties: Vec<u32>,
    /// Something may have taken a value out, or not.
    pub(crate) unclear: bool,
    /// Something returned of which nobody knows what it took.
    pub(crate) unclear_return: bool,
}

impl Elements {
    /// Takes the history apart; stops where a value was put in twice, or where one came out that cannot have.
    pub(crate) fn new<M: Container>(
        model: &M,
        calls: &[CallOf<M>],
        timeline: &Timeline,
    ) -> Result<Self, Stop> {
        let mut elements =
            Self { all: Vec::new(), empties: Vec::new(), unclear: false, unclear_return: false };
        let mut by_value: FxHashMap<&M::Value, u32> = FxHashMap::default();
        by_value.reserve(calls.len() / 2);
        let mut removals = Vec::with_capacity(calls.len() / 2);
        for (i, call) in (0..).zip(calls).filter(|(_, call)| !call.failed) {
            match M::role(call).ok_or(Stop::Outside)? {
                Role::Insert(value) => {
                    if by_value.insert(value, elements.all.len() as u32).is_some() {
                        return Err(Stop::Outside);
                    }
                    elements.all.push(Element {
                        insert: i,
                        remove: None,
                        inserted: timeline.spans[i as usize],
                        removed: timeline.after_the_end(),
                    });
                }
                Role::Remove(value) => removals.push((value, i)),
                Role::Empty if call.ret.is_some() => elements.empties.push(i),
                Role::Empty => {}
                Role::Unclear => {
                    elements.unclear = true;
                    elements.unclear_return |= call.ret.is_some();
                }
            }
        }
        for (value, i) in removals {
            let Some(&number) = by_value.get(value) else {
                return Err(never_inserted(model, calls, value, i));
            };
            let element = &mut elements.all[number as usize];
            if let Some(first) = element.remove.replace(i) {
                return Err(removed_twice(model, calls, value, [element.insert, first, i]));
            }
            element.removed = timeline.spans[i as usize];
            if element.removed.precedes(element.inserted) {
                return Err(removed_early(model, calls, value, element));
            }
        }
        // Nobody saw it and it need not have happened: it is best left out.
        let happened = |element: &Element| {
            element.remove.is_some() || calls[element.insert as usize].ret.is_some()
        };
        elements.all.retain(happened);
        for Element { inserted, removed, .. } in &mut elements.all {
            inserted.ret = inserted.ret.min(removed.ret);
            removed.call = removed.call.max(inserted.call);
        }
        Ok(elements)
    }
}

fn never_inserted<M: Container>(
    model: &M,
    calls: &[CallOf<M>],
    value: &M::Value,
    removal: u32,
) -> Stop {
    let Words { inserted, .. } = M::words();
    let inserts = |call: &CallOf<M>| {
        call.failed && matches!(M::role(call), Some(Role::Insert(other)) if other == value)
    };
    let (taken, value) = (describe(model, calls, removal), value.shown());
    match (0..).zip(calls).find(|(_, call)| inserts(call)) {
        Some((failed, _)) => {
            let text = format!(
                "{taken} returned {value}, {inserted} only by {}",
                describe(model, calls, failed)
            );
            refuted(model, calls, [failed, removal], Anomaly::AbortedRead, &text)
        }
        None => {
            let text = format!("{taken} returned {value}, which was never {inserted}");
            refuted(model, calls, [removal], Anomaly::PhantomValue, &text)
        }
    }
}

fn removed_twice<M: Container>(
    model: &M,
    calls: &[CallOf<M>],
    value: &M::Value,
    [insert, first, second]: [u32; 3],
) -> Stop {
    let Words { removed, removed_twice, inserted, .. } = M::words();
    let text = format!(
        "{} was {inserted} once and {removed} twice, by {} and by {}",
        value.shown(),
        describe(model, calls, first),
        describe(model, calls, second),
    );
    refuted(model, calls, [insert, first, second], *removed_twice, &text)
}

fn removed_early<M: Container>(
    model: &M,
    calls: &[CallOf<M>],
    value: &M::Value,
    element: &Element,
) -> Stop {
    let names: Vec<String> = element.operations().map(|i| describe(model, calls, i)).collect();
    let text = format!(
        "{} was over before {} began, the only one that put {} there",
        names[1],
        names[0],
        value.shown(),
    );
    refuted(model, calls, element.operations(), Anomaly::FutureRead, &text)
}
