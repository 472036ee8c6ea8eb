//! Operations that each must come before the next, in a circle.

use super::order::{Orders, Why};
use crate::Model;

/// The longest circle that still explains something.
const LENGTH_MAX: usize = 4;

/// The operations among which longer circles than two are looked for: those called last.
const NEAR_MAX: usize = 300;

/// The most operations that are asked for a circle of two.
const PAIRS_MAX: usize = 20_000;

/// Operations, each with the reason why it comes before the next; the last comes before the first.
pub(super) type Circle<'a> = Vec<(usize, Why<'a>)>;

/// The shortest circle through this operation.
pub(super) fn find<'a, M: Model>(orders: &Orders<'a, M>, start: usize) -> Option<Circle<'a>> {
    let end = orders.calls[start].ret;
    let mut near = orders.neighbours(start);
    near.retain(|&other| end.is_some_and(|end| orders.calls[other].call <= end));
    near.truncate(PAIRS_MAX);
    let two = near.iter().find_map(|&other| {
        Some(vec![(start, orders.why(start, other)?), (other, orders.why(other, start)?)])
    });
    near.truncate(NEAR_MAX);
    two.or_else(|| longer(orders, start, &near))
}

/// Breadth first, so that the first circle is a shortest one.
fn longer<'a, M: Model>(
    orders: &Orders<'a, M>,
    start: usize,
    near: &[usize],
) -> Option<Circle<'a>> {
    let mut unvisited = near.to_vec();
    // Each with its predecessor's place in this list, and why it comes after it.
    let mut reached: Vec<(usize, usize, Option<Why<'a>>)> = vec![(start, 0, None)];
    let mut level = 0..1;
    for _ in 1..LENGTH_MAX {
        for from in level.clone() {
            let op = reached[from].0;
            unvisited.retain(|&other| {
                let why = orders.why(op, other);
                reached.extend(why.map(|why| (other, from, Some(why))));
                why.is_none()
            });
        }
        level = level.end..reached.len();
        for last in level.clone() {
            if let Some(closing) = orders.why(reached[last].0, start) {
                return Some(back(&reached, last, closing));
            }
        }
    }
    None
}

/// The way from the start to this place, closed.
fn back<'a>(
    reached: &[(usize, usize, Option<Why<'a>>)],
    last: usize,
    closing: Why<'a>,
) -> Circle<'a> {
    let (mut place, mut next) = (last, closing);
    let mut circle = Vec::new();
    loop {
        let (op, before, why) = reached[place];
        circle.push((op, next));
        let Some(why) = why else { break };
        (place, next) = (before, why);
    }
    circle.reverse();
    circle
}
