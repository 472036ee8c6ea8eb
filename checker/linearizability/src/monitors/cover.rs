//! When a container was certainly not empty.

use super::Stop;
use super::core::{describe, refuted};
use super::elements::{Container, Element, Role, Words};
use super::timeline::Timeline;
use crate::datum::Datum;
use crate::{Anomaly, CallOf};

/// For each point, the next one at which nothing was certainly there.
pub(crate) fn next_free(elements: &[Element], end: u32) -> Vec<u32> {
    // First the changes in how many were there, then how many, then the answer.
    let mut points = vec![0_i64; end as usize + 2];
    for element in elements.iter().filter(|element| element.is_solid()) {
        let (from, to) = element.certain();
        points[from as usize] += 1;
        points[to as usize] -= 1;
    }
    let mut there = 0;
    let mut next: Vec<u32> = points
        .iter()
        .zip(0..)
        .map(|(change, point)| {
            there += change;
            if there == 0 { point } else { u32::MAX }
        })
        .collect();
    for point in (0..next.len() - 1).rev() {
        next[point] = next[point].min(next[point + 1]);
    }
    next
}

/// For each operation that found nothing, a point where that can be; in the order of the points.
pub(crate) fn place_empties<M: Container>(
    model: &M,
    calls: &[CallOf<M>],
    timeline: &Timeline,
    elements: &[Element],
    empties: &[u32],
) -> Result<Vec<(u32, u32)>, Stop> {
    if empties.is_empty() {
        return Ok(Vec::new());
    }
    let free = next_free(elements, timeline.end);
    let mut placed = Vec::with_capacity(empties.len());
    for &empty in empties {
        let span = timeline.spans[empty as usize];
        let point = free[span.call as usize];
        if point >= span.ret {
            return Err(never_empty(model, calls, timeline, elements, empty));
        }
        placed.push((point, empty));
    }
    placed.sort_unstable();
    Ok(placed)
}

/// Intervals by start, each with the one that reaches furthest of those that start no later.
pub(crate) struct Reach {
    starts: Vec<u32>,
    furthest: Vec<(u32, u32)>,
}

impl Reach {
    /// Of the certain times of these elements.
    pub(crate) fn new<'a>(elements: impl Iterator<Item = (u32, &'a Element)>) -> Self {
        let mut intervals: Vec<(u32, u32, u32)> = elements
            .filter(|(_, element)| element.is_solid())
            .map(|(number, element)| (element.certain().0, element.certain().1, number))
            .collect();
        intervals.sort_unstable();
        let starts = intervals.iter().map(|&(from, ..)| from).collect();
        let further = |best: &mut (u32, u32), &(_, to, number): &(u32, u32, u32)| {
            *best = (*best).max((to, number));
            Some(*best)
        };
        let furthest = intervals.iter().scan((0, 0), further).collect();
        Self { starts, furthest }
    }

    /// The fewest intervals that cover these points, where some do.
    pub(crate) fn cover(&self, from: u32, to: u32) -> Option<Vec<u32>> {
        let (mut chain, mut at) = (Vec::new(), from);
        while at < to {
            let begun = self.starts.partition_point(|&start| start <= at);
            let (reached, number) = *self.furthest.get(begun.checked_sub(1)?)?;
            if reached <= at {
                return None;
            }
            chain.push(number);
            at = reached;
        }
        Some(chain)
    }
}

fn never_empty<M: Container>(
    model: &M,
    calls: &[CallOf<M>],
    timeline: &Timeline,
    elements: &[Element],
    empty: u32,
) -> Stop {
    const SHOWN: usize = 8;
    let Words { object, removed, .. } = M::words();
    let span = timeline.spans[empty as usize];
    let Some(chain) = Reach::new((0..).zip(elements)).cover(span.call, span.ret) else {
        return Stop::Outside;
    };
    let chain: Vec<&Element> = chain.iter().map(|&number| &elements[number as usize]).collect();
    let shown = |element: &&Element| match M::role(&calls[element.insert as usize]) {
        Some(Role::Insert(value)) => value.shown(),
        _ => String::new(),
    };
    let values: Vec<String> = chain.iter().take(SHOWN).map(shown).collect();
    let reader = describe(model, calls, empty);
    let text = match chain[..] {
        [one] => {
            let until = one.remove.map_or_else(
                || format!("was never {removed}"),
                |remove| format!("was {removed} only by {}", describe(model, calls, remove)),
            );
            format!(
                "{reader} although {} was in the {object} throughout: {} had returned before, and it {until}",
                values[0],
                describe(model, calls, one.insert),
            )
        }
        _ => format!(
            "{reader} although the {object} held {} throughout",
            values.join(", then ") + if chain.len() > SHOWN { " and so on" } else { "" },
        ),
    };
    let core = chain.iter().flat_map(|element| element.operations()).chain([empty]);
    refuted(model, calls, core, Anomaly::WronglyEmpty, &text)
}
