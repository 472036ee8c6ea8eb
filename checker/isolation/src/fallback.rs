//! Some cycle of a component, in linear time: what is shown when the work did not suffice for any class.

use std::collections::VecDeque;

use crate::component::Component;
use crate::ids::NONE;
use crate::links::{Link, Mask};
use crate::search::{Line, Walk};

/// A short cycle through the first transaction.
pub(crate) fn cycle(component: &Component, allowed: Mask) -> Option<Walk> {
    let source = 0;
    let mut from = vec![(NONE, Link::REALTIME); component.graph.nodes()];
    let mut time = Line::new(component.txns.len());
    let mut queue = VecDeque::from([source]);
    while let Some(node) = queue.pop_front() {
        let edges = component.graph.from(node);
        let edges = edges.filter_map(|(to, mask)| Some((to, mask.and(allowed).iter().next()?)));
        let mut next: Vec<_> = edges.collect();
        if allowed.has(Mask::REALTIME) && !component.is_hub(node) {
            time.note_return(component.returns[node as usize], node);
            let is_after = time.precedes(component.calls[source as usize]);
            let reached = std::iter::from_fn(|| time.next(&component.calls));
            let reached = is_after.then_some(source).into_iter().chain(reached);
            next.extend(reached.map(|txn| (txn, Link::REALTIME)));
        }
        for (to, edge) in next {
            if to == source && !is_own_hub(component, &from, source, node) {
                return Some(walk(component, &from, source, (node, edge)));
            }
            if to != source && from[to as usize].0 == NONE {
                from[to as usize] = (node, edge);
                queue.push_back(to);
            }
        }
    }
    None
}

/// Whether the hub was reached from the source itself: nobody overwrites what they read themselves.
fn is_own_hub(component: &Component, from: &[(u32, Link)], source: u32, node: u32) -> bool {
    component.is_hub(node) && from[node as usize].0 == source
}

fn walk(component: &Component, from: &[(u32, Link)], source: u32, last: (u32, Link)) -> Walk {
    let mut walk = Vec::new();
    let mut step = last;
    loop {
        let (node, edge) = step;
        // What leads into a hub is the edge itself.
        if !component.is_hub(node) {
            walk.push((node, edge));
        }
        if node == source {
            break;
        }
        step = from[node as usize];
    }
    walk.reverse();
    merge_sessions(walk)
}

/// Makes one edge of several along one process: its order holds from the first transaction to the last.
fn merge_sessions(walk: Walk) -> Walk {
    let is_process = |(_, link): &(u32, Link)| *link == Link::PROCESS;
    let mut before = walk.last().is_some_and(is_process);
    let mut merged = walk;
    merged.retain(|step| {
        let is_between = before && is_process(step);
        before = is_process(step);
        !is_between
    });
    merged
}
