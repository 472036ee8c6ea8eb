//! Queues.
//!
//! With distinct values, a history has an order exactly where none of four things happened (Henzinger, Sezgin &
//! Vafeiadis, CONCUR 2013, section 4): a value came out that nobody put in, or came out twice; two values came
//! out against the order in which they went in; or a dequeue found nothing while some value was certainly there
//! at every point of it.
//!
//! A value is *first* where no other value certainly went in before it or came out before it. While no two
//! values contradict each other there always is a first one, so taking one after the other sorts them all; where
//! there is none, the value that was in earliest and the one that was out earliest contradict each other.

use std::collections::VecDeque;

use super::{Datum, Queue};
use crate::monitors::Stop;
use crate::monitors::core::{describe_briefly, refuted};
use crate::monitors::cover::place_empties;
use crate::monitors::elements::{self, Container, Element, Elements, Role, Words};
use crate::monitors::timeline::{Span, Timeline};
use crate::refutation::MonitorVerdict;
use crate::{Anomaly, CallOf};

/// Decides a history of a queue, if no value was enqueued twice, in time O(n log n). `None`: it cannot.
pub(super) fn check<V: Datum>(
    model: &Queue<V>,
    calls: &[CallOf<Queue<V>>],
) -> Option<MonitorVerdict> {
    elements::check(model, calls, |timeline, elements| arrange(model, calls, timeline, elements))
}

impl<V: Datum> Container for Queue<V> {
    type Value = V;

    fn role(call: &CallOf<Self>) -> Option<Role<'_, V>> {
        super::role(call)
    }

    fn words() -> &'static Words {
        &Words {
            object: "queue",
            inserted: "enqueued",
            removed: "dequeued",
            removed_twice: Anomaly::DequeuedTwice,
        }
    }

    fn replays(calls: &[CallOf<Self>], order: &[u32]) -> bool {
        let mut queue = VecDeque::new();
        order.iter().all(|&i| match Self::role(&calls[i as usize]) {
            Some(Role::Insert(value)) => {
                queue.push_back(value);
                true
            }
            Some(Role::Remove(value)) => queue.pop_front() == Some(value),
            Some(Role::Empty) => queue.is_empty(),
            Some(Role::Unclear) | None => false,
        })
    }
}

/// Room between two ranks for an operation that found nothing, and for what must come before and after it.
const SCALE: u32 = 4;

/// An order of all operations.
fn arrange<V: Datum>(
    model: &Queue<V>,
    calls: &[CallOf<Queue<V>>],
    timeline: &Timeline,
    elements: &Elements,
) -> Result<Vec<u32>, Stop> {
    let empties = place_empties(model, calls, timeline, &elements.all, &elements.empties)?;
    let lives = separate(&elements.all, &empties);
    let sorted = sort(&lives).map_err(|(early, late)| {
        let [early, late] = [early, late].map(|number| &elements.all[number as usize]);
        out_of_order(model, calls, early, late)
    })?;
    Ok(schedule(&elements.all, &lives, &sorted, &empties))
}

/// When a value can have come in and gone out, in scaled ranks.
#[derive(Clone, Copy)]
struct Life {
    inserted: Span,
    removed: Span,
}

/// Where the queue is empty at some point, every value is there before it or after it. One that can be either
/// may be put on either side.
fn separate(elements: &[Element], empties: &[(u32, u32)]) -> Vec<Life> {
    let life = |element: &Element| {
        let anchor = element.inserted.ret.min(element.removed.call);
        let after = empties.partition_point(|&(point, _)| point <= anchor);
        let earliest = after.checked_sub(1).map_or(0, |i| SCALE * empties[i].0 + 3);
        let latest = empties.get(after).map_or(u32::MAX, |&(point, _)| SCALE * point + 1);
        let clamp = |span: Span| Span {
            call: (SCALE * span.call).max(earliest),
            ret: (SCALE * span.ret).min(latest),
        };
        Life { inserted: clamp(element.inserted), removed: clamp(element.removed) }
    };
    elements.iter().map(life).collect()
}

/// The values in an order in which they can have gone in and come out, or two that contradict each other.
fn sort(lives: &[Life]) -> Result<Vec<u32>, (u32, u32)> {
    let mut gates = [Gate::new(lives, |life| life.inserted), Gate::new(lives, |life| life.removed)];
    let mut open = vec![0_u8; lives.len()];
    let mut done = vec![false; lives.len()];
    let (mut ready, mut sorted) = (Vec::new(), Vec::with_capacity(lives.len()));
    while sorted.len() < lives.len() {
        for gate in &mut gates {
            gate.admit(&done, |number| {
                open[number as usize] += 1;
                if open[number as usize] == 2 {
                    ready.push(number);
                }
            });
        }
        let Some(first) = ready.pop() else { return Err((gates[0].first(), gates[1].first())) };
        done[first as usize] = true;
        sorted.push(first);
    }
    Ok(sorted)
}

/// Lets values through that began before any that is left was over.
struct Gate {
    by_call: Vec<(u32, u32)>,
    by_return: Vec<(u32, u32)>,
    admitted: usize,
    /// All before this are done.
    left: usize,
}

impl Gate {
    fn new(lives: &[Life], span: impl Fn(&Life) -> Span) -> Self {
        let by = |time: fn(Span) -> u32| {
            let mut by: Vec<(u32, u32)> =
                lives.iter().zip(0..).map(|(life, number)| (time(span(life)), number)).collect();
            by.sort_unstable();
            by
        };
        Self { by_call: by(|span| span.call), by_return: by(|span| span.ret), admitted: 0, left: 0 }
    }

    fn admit(&mut self, done: &[bool], mut admitted: impl FnMut(u32)) {
        while self.by_return.get(self.left).is_some_and(|&(_, number)| done[number as usize]) {
            self.left += 1;
        }
        let Some(&(first_return, _)) = self.by_return.get(self.left) else { return };
        while let Some(&(_, number)) =
            self.by_call.get(self.admitted).filter(|&&(call, _)| call < first_return)
        {
            admitted(number);
            self.admitted += 1;
        }
    }

    /// What is over first of all that is left.
    fn first(&self) -> u32 {
        self.by_return[self.left].1
    }
}

/// Every operation as early as the sorted values and its call allow; that is never after its return.
fn schedule(
    elements: &[Element],
    lives: &[Life],
    sorted: &[u32],
    empties: &[(u32, u32)],
) -> Vec<u32> {
    let (mut inserts, mut removes) = (Vec::new(), Vec::new());
    let (mut inserted, mut removed) = (0, 0);
    for &number in sorted {
        let (element, life) = (&elements[number as usize], &lives[number as usize]);
        inserted = life.inserted.call.max(inserted);
        removed = life.removed.call.max(removed).max(inserted);
        inserts.push((inserted, element.insert));
        removes.extend(element.remove.map(|remove| (removed, remove)));
    }
    let empties = empties.iter().map(|&(point, empty)| (SCALE * point + 2, empty));
    let mut all: Vec<(u32, u32)> =
        Vec::with_capacity(inserts.len() + removes.len() + empties.len());
    // A stable sort of sorted runs is a merge; on ties the enqueue comes first.
    all.extend(inserts);
    all.extend(removes);
    all.extend(empties);
    all.sort_by_key(|&(time, _)| time);
    all.into_iter().map(|(_, operation)| operation).collect()
}

fn out_of_order<V: Datum>(
    model: &Queue<V>,
    calls: &[CallOf<Queue<V>>],
    early: &Element,
    late: &Element,
) -> Stop {
    let Some(late_removal) = late.remove else { return Stop::Outside };
    let yet = match early.remove {
        Some(removal) => format!(
            "yet {} was over before {} began",
            describe_briefly(model, calls, late_removal),
            describe_briefly(model, calls, removal)
        ),
        None => format!(
            "yet {} took the second, and nobody ever the first",
            describe_briefly(model, calls, late_removal)
        ),
    };
    let text = format!(
        "{} was over before {} began, {yet}",
        describe_briefly(model, calls, early.insert),
        describe_briefly(model, calls, late.insert),
    );
    let operations = early.operations().chain(late.operations());
    refuted(model, calls, operations, Anomaly::FifoOrder, &text)
}
