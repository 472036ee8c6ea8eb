//! Stacks.
//!
//! Two facts make histories with distinct values easy (after Lee & Mathur, OOPSLA 2025, section 5, with proofs
//! that need no more than exchanging operations):
//!
//! - At a point where no value is certainly there, the stack can be empty. Of the values that an order has there,
//!   each can be popped just before the point or pushed just after it; popping the former from the top and pushing
//!   the latter from the bottom changes nothing for the rest.
//! - A value whose push and whose pop can both happen while the stack is empty can be left out: it can always be
//!   put back below everything that happens in between.
//!
//! So values are taken out one after the other; with each, more points become free. A value that is never
//! certainly there is popped as soon as it is pushed. Where values are left that cannot be taken out, there is no
//! order: the lowest of any order could be. Taking out is monotonic, so that the choice of the next value does
//! not matter.

use super::{Datum, Stack};
use crate::monitors::Stop;
use crate::monitors::core::{describe_briefly, listed, refuted, shrink};
use crate::monitors::cover::{Reach, place_empties};
use crate::monitors::elements::{self, Container, Element, Elements, Role, Words};
use crate::monitors::timeline::Timeline;
use crate::monitors::trees::{Coverage, Neighbours, Stabbing};
use crate::refutation::MonitorVerdict;
use crate::{Anomaly, CallOf};

/// More values than this are not made fewer.
const SHRUNK_MAX: usize = 400;

/// Decides a history of a stack, if no value was pushed twice, in time O(n log n). `None`: it cannot.
pub(super) fn check<V: Datum>(
    model: &Stack<V>,
    calls: &[CallOf<Stack<V>>],
) -> Option<MonitorVerdict> {
    elements::check(model, calls, |timeline, elements| arrange(model, calls, timeline, elements))
}

impl<V: Datum> Container for Stack<V> {
    type Value = V;

    fn role(call: &CallOf<Self>) -> Option<Role<'_, V>> {
        super::role(call)
    }

    fn words() -> &'static Words {
        &Words {
            object: "stack",
            inserted: "pushed",
            removed: "popped",
            removed_twice: Anomaly::PoppedTwice,
        }
    }

    fn replays(calls: &[CallOf<Self>], order: &[u32]) -> bool {
        let mut stack = Vec::new();
        order.iter().all(|&i| match Self::role(&calls[i as usize]) {
            Some(Role::Insert(value)) => {
                stack.push(value);
                true
            }
            Some(Role::Remove(value)) => stack.pop() == Some(value),
            Some(Role::Empty) => stack.is_empty(),
            Some(Role::Unclear) | None => false,
        })
    }
}

/// An order of all operations.
fn arrange<V: Datum>(
    model: &Stack<V>,
    calls: &[CallOf<Stack<V>>],
    timeline: &Timeline,
    elements: &Elements,
) -> Result<Vec<u32>, Stop> {
    let empties = place_empties(model, calls, timeline, &elements.all, &elements.empties)?;
    let peeled = peel(&elements.all, timeline.end);
    if peeled.values.len() < elements.all.iter().filter(|element| element.is_solid()).count() {
        return Err(no_nesting(model, calls, timeline.end, &elements.all, &peeled));
    }
    Ok(schedule(&elements.all, &peeled, &empties, timeline.end))
}

/// Values in the order in which they were taken out.
struct Peeled {
    values: Vec<u32>,
    /// The points that became free with all values up to this one, as a place in `freed`.
    freed_until: Vec<u32>,
    freed: Vec<u32>,
}

/// Takes out all values that can be.
fn peel(elements: &[Element], end: u32) -> Peeled {
    let solid = || (0..).zip(elements).filter(|(_, element)| element.is_solid());
    let intervals = |span: fn(&Element) -> crate::monitors::timeline::Span| {
        solid().map(|(number, element)| (span(element).call, span(element).ret, number)).collect()
    };
    let mut pushes = Stabbing::new(intervals(|element| element.inserted));
    let mut pops = Stabbing::new(intervals(|element| element.removed));
    let (counts, free) = counts(solid().map(|(_, element)| element), end);
    let mut coverage = Coverage::new(&counts);
    let mut flags = vec![0_u8; elements.len()];
    let mut peeled = Peeled { values: Vec::new(), freed_until: Vec::new(), freed: Vec::new() };
    let mut found = free;
    loop {
        for &point in &found {
            for side in [&mut pushes, &mut pops] {
                side.take(point, |number| {
                    flags[number as usize] += 1;
                    if flags[number as usize] == 2 {
                        peeled.values.push(number);
                    }
                });
            }
        }
        let Some(&next) = peeled.values.get(peeled.freed_until.len()) else { return peeled };
        let (from, to) = elements[next as usize].certain();
        found.clear();
        coverage.uncover(from, to, &mut |point| found.push(point));
        peeled.freed.extend(&found);
        peeled.freed_until.push(peeled.freed.len() as u32);
    }
}

/// For each point, how many values were certainly there; and the points where none was. Those count as covered
/// for ever, so that nobody finds them again.
fn counts<'a>(solid: impl Iterator<Item = &'a Element>, end: u32) -> (Vec<u32>, Vec<u32>) {
    let mut changes = vec![0_i64; end as usize + 2];
    for element in solid {
        let (from, to) = element.certain();
        changes[from as usize] += 1;
        changes[to as usize] -= 1;
    }
    let mut there = 0;
    let mut free = Vec::new();
    let count = |(change, point): (&i64, u32)| {
        there += change;
        if there == 0 && point <= end {
            free.push(point);
        }
        u32::try_from(there).ok().filter(|&there| there > 0).unwrap_or(u32::MAX / 4)
    };
    let counts = changes.iter().zip(0..).map(count).collect();
    (counts, free)
}

/// Each value between the free points next to its certain time, the later it was taken out the further inside.
fn schedule(elements: &[Element], peeled: &Peeled, empties: &[(u32, u32)], end: u32) -> Vec<u32> {
    // What happens at one point: pops of what was there, finding nothing, what comes and goes, pushes.
    const POP: u64 = 0;
    const EMPTY: u64 = 1;
    const BOTH: u64 = 2;
    const PUSH: u64 = 3;
    let key =
        |point: u32, class: u64, rank: u32| u64::from(point) << 34 | class << 32 | u64::from(rank);
    let mut placed = Vec::with_capacity(2 * elements.len() + empties.len());
    // Backwards in time, free points are covered again.
    let mut free = Neighbours::new(end + 1);
    let mut left = peeled.freed.len();
    for (earlier, &number) in peeled.values.iter().enumerate().rev() {
        let rank = earlier as u32;
        let start = earlier.checked_sub(1).map_or(0, |before| peeled.freed_until[before] as usize);
        peeled.freed[start..left].iter().for_each(|&point| free.remove(point));
        left = start;
        let element = &elements[number as usize];
        let (from, to) = element.certain();
        let push = free.last_until(from - 1).unwrap_or(0);
        let pop = free.first_from(to);
        placed.push((key(push, PUSH, rank), element.insert));
        placed.extend(element.remove.map(|remove| (key(pop, POP, u32::MAX - rank), remove)));
    }
    for (element, rank) in elements.iter().zip(0..).filter(|(element, _)| !element.is_solid()) {
        let point = element.removed.call;
        placed.push((key(point, BOTH, 2 * rank), element.insert));
        placed.extend(element.remove.map(|remove| (key(point, BOTH, 2 * rank + 1), remove)));
    }
    placed.extend(empties.iter().zip(0..).map(|(&(point, i), rank)| (key(point, EMPTY, rank), i)));
    placed.sort_unstable();
    placed.into_iter().map(|(_, operation)| operation).collect()
}

/// Of the values that could not be taken out, a few that keep each other in.
fn no_nesting<V: Datum>(
    model: &Stack<V>,
    calls: &[CallOf<Stack<V>>],
    end: u32,
    elements: &[Element],
    peeled: &Peeled,
) -> Stop {
    let mut stuck: Vec<bool> = elements.iter().map(Element::is_solid).collect();
    peeled.values.iter().for_each(|&number| stuck[number as usize] = false);
    let Some(mut few) = closed(elements, &stuck) else { return Stop::Outside };
    if few.len() <= SHRUNK_MAX {
        shrink(&mut few, |few| {
            let few: Vec<Element> = few.iter().map(|&number| elements[number as usize]).collect();
            peel(&few, end).values.len() < few.len()
        });
    }
    few.sort_by_key(|&number| elements[number as usize].inserted.call);
    let few: Vec<&Element> = few.iter().map(|&number| &elements[number as usize]).collect();
    let text = describe(model, calls, &few);
    let operations = few.iter().flat_map(|element| element.operations());
    refuted(model, calls, operations, Anomaly::LifoOrder, &text)
}

/// A set of values each of whose pushes, or each of whose pops, falls where others of the set were there for certain.
fn closed(elements: &[Element], stuck: &[bool]) -> Option<Vec<u32>> {
    const STARTS: usize = 16;
    let left = || (0..).zip(elements).filter(|&(number, _)| stuck[number as usize]);
    let reach = Reach::new(left());
    let count = left().count();
    let starts = left().step_by(count.div_ceil(STARTS).max(1));
    starts.filter_map(|(start, _)| close(elements, &reach, start)).min_by_key(Vec::len)
}

/// The smallest such set that holds `start`, as far as always taking the fewer new ones finds it.
fn close(elements: &[Element], reach: &Reach, start: u32) -> Option<Vec<u32>> {
    let mut all = vec![start];
    let mut known: rustc_hash::FxHashSet<u32> = all.iter().copied().collect();
    let mut at = 0;
    while let Some(&number) = all.get(at) {
        let element = &elements[number as usize];
        let covers =
            [element.inserted, element.removed].map(|span| reach.cover(span.call, span.ret));
        let new = |cover: &Vec<u32>| cover.iter().filter(|other| !known.contains(other)).count();
        let cover = covers.into_iter().flatten().min_by_key(new)?;
        all.extend(cover.into_iter().filter(|&other| known.insert(other)));
        at += 1;
    }
    Some(all)
}

fn describe<V: Datum>(model: &Stack<V>, calls: &[CallOf<Stack<V>>], few: &[&Element]) -> String {
    let name = |operation| describe_briefly(model, calls, operation);
    if let [one, other] = few
        && let Some((below, above)) =
            [(one, other), (other, one)].into_iter().find(|(a, b)| crossed(a, b))
        && let Some(removal) = below.remove
    {
        let yet = match above.remove {
            Some(above) => format!("was over before {} began", name(above)),
            None => "took the lower, and nobody ever the upper".to_owned(),
        };
        return format!(
            "{} was over before {} began, on top of it, yet {} {yet}",
            name(below.insert),
            name(above.insert),
            name(removal),
        );
    }
    let mut operations: Vec<u32> = few.iter().flat_map(|element| element.operations()).collect();
    operations.sort_unstable_by_key(|&i| calls[i as usize].call);
    format!(
        "in no order does each pop take what was pushed last: {}",
        listed(model, calls, &operations)
    )
}

/// Did one go in first and come out first, though the other was above it?
fn crossed(below: &Element, above: &Element) -> bool {
    below.inserted.precedes(above.inserted)
        && below.removed.precedes(above.removed)
        && above.inserted.precedes(below.removed)
}
