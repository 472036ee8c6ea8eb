//! Operations that each must come before the next, in a circle.

use super::effort::Effort;
use super::order::{Orders, Why};
use crate::Model;

/// The longest circle that still explains something.
const LENGTH_MAX: usize = 4;

/// The operations among which longer circles than two are looked for: those called last.
const NEAR_MAX: usize = 64;

/// Operations, each with the reason why it comes before the next; the last comes before the first.
pub(super) type Circle<'a> = Vec<(usize, Why<'a>)>;

/// The last operation that must come before this one and after it.
pub(super) fn of_two<'a, M: Model>(
    orders: &Orders<'a, M>,
    start: usize,
    effort: &Effort<'_>,
) -> Option<Circle<'a>> {
    let near = orders.neighbours(start, effort)?;
    let mut affordable = near.iter().take_while(|&&other| effort.spend(orders.cost(start, other)));
    affordable.find_map(|&other| {
        let closing = orders.why(other, start)?;
        Some(vec![(start, orders.why(start, other)?), (other, closing)])
    })
}

/// The shortest circle through this operation. Breadth first, so that the first is a shortest one.
pub(super) fn longer<'a, M: Model>(
    orders: &Orders<'a, M>,
    start: usize,
    effort: &Effort<'_>,
) -> Option<Circle<'a>> {
    let mut unvisited = orders.neighbours(start, effort)?;
    unvisited.truncate(NEAR_MAX);
    // Each with its predecessor's place in this list, and why it comes after it.
    let mut reached: Vec<(usize, usize, Option<Why<'a>>)> = vec![(start, 0, None)];
    let mut level = 0..1;
    for _ in 1..LENGTH_MAX {
        for from in level.clone() {
            let op = reached[from].0;
            if !effort.spend(unvisited.iter().map(|&other| orders.cost(op, other)).sum()) {
                return None;
            }
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
