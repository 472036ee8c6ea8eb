//! The shortest cycle of a class in a component: breadth first from each edge that the class requires, to a depth that
//! grows until a walk comes back.

mod breadth;
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

impl Found {
    pub(crate) fn map(self, change: impl FnOnce(Walk) -> Walk) -> Self {
        match self {
            Found::Shortest(walk) => Found::Shortest(change(walk)),
            Found::Some(walk) => Found::Some(change(walk)),
            Found::Nothing | Found::Unfinished => self,
        }
    }
}

/// Looks for a cycle of the class in the component.
pub(crate) fn search(component: &Component, class: Class, budget: &mut Budget<'_>) -> Found {
    /// Of the work one part in so many is kept for finding any cycle at all.
    const KEPT: u64 = 4;
    budget.charge(component.size());
    let mut starts = starts(component, class);
    if starts.is_empty() {
        return Found::Nothing;
    }
    let places = component.graph.nodes() * class.states();
    if !budget.goes_on() || !budget.allows(places * size_of::<breadth::Visit>()) {
        return Found::Unfinished;
    }
    budget.charge(places);
    let reserve = budget.begin(KEPT);
    let mut search = Breadth::new(component, class, budget);
    match shortest(&mut search, &mut starts) {
        Ok(Some(walk)) => Found::Shortest(walk),
        Ok(None) => Found::Nothing,
        Err(Spent) => {
            search.budget.release(reserve);
            let mut ends = starts.iter().map_while(|&start| search.from(start, NONE).ok());
            let back =
                ends.find_map(|end| if let End::Back(walk) = end { Some(walk) } else { None });
            back.map_or(Found::Unfinished, Found::Some)
        }
    }
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

/// The shortest walk from any of the edges; those from which none comes back are dropped. The depth doubles, and once
/// a walk is found, only shorter ones are looked for.
fn shortest(search: &mut Breadth<'_, '_>, starts: &mut Vec<Start>) -> Result<Option<Walk>, Spent> {
    let (mut ruled_out, mut depth) = (0, 1);
    while !starts.is_empty() {
        let mut best: Option<Walk> = None;
        let mut open = Vec::new();
        for &start in starts.iter() {
            // A walk has one edge more than the way back.
            let bound = best.as_ref().map_or(depth, |best| id(best.len()) - 2);
            if bound <= ruled_out {
                break;
            }
            match search.from(start, bound)? {
                End::Back(walk) => best = Some(walk),
                End::Deeper => open.push(start),
                End::Never => {}
            }
        }
        if best.is_some() {
            return Ok(best);
        }
        *starts = open;
        (ruled_out, depth) = (depth, depth.saturating_mul(2));
    }
    Ok(None)
}
