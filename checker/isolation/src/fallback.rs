//! Some cycle of a component, in linear time: what is shown when the work did not suffice for any class.

use std::collections::VecDeque;

use crate::component::Component;
use crate::graph::{Dependency, Mask};
use crate::history::NONE;
use crate::search::Walk;

/// The shortest cycle through the first transaction that is in one.
pub(crate) fn cycle(component: &Component, part: &[u32], allowed: Mask) -> Option<Walk> {
    let source = *part.first().filter(|&&node| !component.is_hub(node))?;
    let nodes = component.graph.nodes();
    let mut from = vec![(NONE, Dependency::Ww); nodes];
    let mut is_inside = vec![false; nodes];
    for &node in part {
        is_inside[node as usize] = true;
    }
    let txns: Vec<u32> = part.iter().copied().filter(|&node| !component.is_hub(node)).collect();
    let mut not_reached = txns.len();
    let mut queue = VecDeque::from([source]);
    while let Some(node) = queue.pop_front() {
        let edges = component.graph.from(node).filter(|(to, _)| is_inside[*to as usize]);
        let edges = edges.filter_map(|(to, mask)| Some((to, mask.and(allowed).iter().next()?)));
        let mut next: Vec<_> = edges.collect();
        if allowed.has(Mask::REALTIME) && !component.is_hub(node) {
            let returned = component.returns[node as usize];
            let is_after = |txn: u32| component.calls[txn as usize] > returned;
            if is_after(source) {
                next.push((source, Dependency::Realtime));
            }
            while not_reached > 0 && is_after(txns[not_reached - 1]) {
                not_reached -= 1;
                next.push((txns[not_reached], Dependency::Realtime));
            }
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
fn is_own_hub(component: &Component, from: &[(u32, Dependency)], source: u32, node: u32) -> bool {
    component.is_hub(node) && from[node as usize].0 == source
}

fn walk(
    component: &Component,
    from: &[(u32, Dependency)],
    source: u32,
    last: (u32, Dependency),
) -> Walk {
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
    walk
}
