//! The shortest cycle of a class in a component: breadth first from each edge that the class requires, to a depth that
//! grows until a walk comes back. Where that meets a transaction twice it is no cycle, and one is looked for depth first.

mod breadth;
mod sessions;
mod simple;
mod time;

use crate::budget::{Budget, Spent};
use crate::class::Class;
use crate::component::Component;
use crate::ids::{NONE, id};
use crate::links::{Dependency, Link};

use breadth::{Breadth, End, Start};
pub(crate) use time::Line;

/// A cycle: transactions by their number in the component, each with what leads from it to the next.
pub(crate) type Walk = Vec<(u32, Link)>;

/// What a search came to.
#[derive(Debug)]
pub(crate) enum Found {
    /// The shortest cycle of the class.
    Shortest(Walk),
    /// A cycle of the class; the work did not suffice to know of a shorter one.
    Some(Walk),
    /// There is none.
    Nothing,
    /// The work did not suffice.
    Unfinished,
}

/// What a search is to find, and what it may cost.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) class: Class,
    /// Cycles of so many transactions are of no interest.
    pub(crate) below: usize,
    /// So many steps at most, within its share of all.
    pub(crate) steps: u64,
    /// Whether the check can do without it.
    pub(crate) is_spare: bool,
}

/// Looks for a cycle in the component.
pub(crate) fn search(
    component: &Component,
    Wanted { class, below, steps, is_spare }: Wanted,
    budget: &mut Budget<'_>,
) -> Found {
    /// Of the work one part in so many is kept for finding any cycle at all.
    const KEPT: u64 = 4;
    budget.charge(component.size());
    let mut starts = starts(component, class);
    if starts.is_empty() || !component.has_order(class.order) {
        return Found::Nothing;
    }
    let places = component.graph.nodes() * class.states();
    let bytes = places * Breadth::PLACE_BYTES;
    // Where it can be done without, too little memory ends this search and not the check.
    let has_room = if is_spare { budget.has_room(bytes) } else { budget.allows(bytes) };
    if !budget.goes_on() || !has_room {
        return Found::Unfinished;
    }
    budget.charge(places);
    let reserve = budget.begin(KEPT, steps);
    let mut search = Breadth::new(component, class, budget);
    shortest(&mut search, &mut starts, below).unwrap_or_else(|Spent| {
        search.budget.release(reserve);
        let mut ends = starts.iter().map_while(|&start| search.from(start, NONE).ok());
        let back = ends.find_map(|end| match end {
            End::Back(walk) if walk.len() < below => Some(walk),
            _ => None,
        });
        back.map_or(Found::Unfinished, Found::Some)
    })
}

/// The edges that the class's walks begin with. One to a hub stands for those to all of its writers.
fn starts(component: &Component, class: Class) -> Vec<Start> {
    let first = class.first();
    let mut starts = Vec::new();
    for source in 0..id(component.txns.len()) {
        for (target, mask) in component.graph.from(source) {
            starts.extend(mask.and(first).iter().map(|link| Start { source, link, target }));
        }
    }
    // What somebody read is clearer than what follows from reads of others.
    starts.sort_by_key(|start| start.link.dependency == Dependency::Ww);
    starts
}

/// The shortest cycle from any of the edges; those from which no walk comes back are dropped. The depth doubles, and once
/// a cycle is found, only shorter ones are looked for.
fn shortest(
    search: &mut Breadth<'_, '_>,
    starts: &mut Vec<Start>,
    below: usize,
) -> Result<Found, Spent> {
    // A walk has one edge more than the way back.
    let way_back = |below: usize| id(below.saturating_sub(2));
    let deepest = way_back(below.min(search.component.txns.len() + 1));
    let (mut ruled_out, mut depth) = (0, deepest.min(1));
    let mut best: Option<Walk> = None;
    let mut winding = Vec::new();
    while best.is_none() && depth > ruled_out && !starts.is_empty() {
        let mut open = Vec::new();
        for &start in starts.iter() {
            let bound = best.as_ref().map_or(depth, |best| way_back(best.len()));
            if bound <= ruled_out {
                break;
            }
            let Ok(end) = search.from(start, bound) else {
                return best.map(Found::Some).ok_or(Spent);
            };
            match end {
                End::Back(walk) => best = Some(walk),
                End::Winding(len) => winding.push((start, len)),
                End::Deeper => open.push(start),
                End::Never => {}
            }
        }
        *starts = open;
        (ruled_out, depth) = (depth, depth.saturating_mul(2).min(deepest));
    }
    let below = best.as_ref().map_or(below, Vec::len);
    Ok(match (simple::shortest(search, &winding, below), best) {
        (Ok(Some(walk)), _) | (Ok(None), Some(walk)) => Found::Shortest(walk),
        (Ok(None), None) => Found::Nothing,
        (Err(Spent), Some(walk)) => Found::Some(walk),
        (Err(Spent), None) => Found::Unfinished,
    })
}
