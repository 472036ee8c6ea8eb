//! A guess made right where it is wrong: with the versions in the order of the guess, the transactions that depend on
//! each other in a circle are ordered anew, by themselves.

use rustc_hash::{FxHashMap, FxHashSet};

use super::instance::Slot;
use super::level::Shape;
use super::part::{Pair, Part};
use super::proof::Refutation;
use super::replay::Event;
use super::solve::{Solved, solve};
use crate::budget::Budget;
use crate::components::for_each_component;
use crate::graph::Edges;
use crate::ids::{Txn, id};
use crate::links::Mask;

pub(crate) enum Mended {
    /// The order of all events; whether nothing had to be changed.
    Order {
        events: Vec<Event>,
        is_same: bool,
    },
    Refuted(Refutation),
    /// For one of the circles the limits did not suffice.
    Unknown,
}

/// Orders anew where the order of the part's transactions does not hold. What was ordered `together` is so from then on:
/// what was right for itself and wrong beside others is then ordered with them.
pub(crate) fn mend(
    part: &Part<'_>,
    together: &mut Vec<Vec<Event>>,
    budget: &mut Budget<'_>,
) -> Mended {
    let mut components = components(edges(part));
    let is_same = components.iter().all(|nodes| nodes.len() == 1);
    if !is_same && !together.is_empty() {
        components = components_of(part, together);
    }
    together.clear();
    let mut events = Vec::with_capacity(2 * part.txns.len());
    for nodes in components {
        match nodes[..] {
            [node] => events.extend(part.expand(node as usize)),
            _ => match solve_component(part, &nodes, together, budget) {
                Mended::Order { events: ordered, .. } => events.extend(ordered),
                other => return other,
            },
        }
    }
    Mended::Order { events, is_same }
}

/// The components with those in one that were together before.
fn components_of(part: &Part<'_>, together: &[Vec<Event>]) -> Vec<Vec<u32>> {
    let mut edges = edges(part);
    for events in together {
        for (at, &event) in events.iter().enumerate() {
            let next = events[(at + 1) % events.len()];
            if let (Some(from), Some(to)) = (node(part, event), node(part, next)) {
                edges.add(from, to, Mask::DATA);
            }
        }
    }
    components(edges)
}

/// The components, those first that lead to others.
fn components(edges: Edges) -> Vec<Vec<u32>> {
    let mut components = Vec::new();
    for_each_component(&edges.into_graph(), |nodes| components.push(nodes.to_vec()));
    components.reverse();
    components
}

fn node(part: &Part<'_>, event: Event) -> Option<u32> {
    let number = part.number(event.txn)?;
    Some(id(if event.is_commit { part.commit(number) } else { part.start(number) }))
}

/// What comes before what, if versions are in the order of the part's transactions, those of others in front.
fn edges(part: &Part<'_>) -> Edges {
    let instance = part.instance;
    let mut edges = Edges::new(part.events(), 4 * part.txns.len());
    let mut add = |from: usize, to: usize| edges.add(id(from), id(to), Mask::DATA);
    let mut slots: Vec<(u32, Slot)> = Vec::new();
    let mut outside: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
    for (number, &txn) in part.txns.iter().enumerate() {
        add(part.start(number), part.commit(number));
        for &slot in instance.reads(txn) {
            match part.number(instance.writer(slot)) {
                Some(writer) => add(part.commit(writer), part.start(number)),
                None => outside.entry(instance.key(slot)).or_default().push(number),
            }
        }
        for next in part.next_in_time(number) {
            add(part.commit(number), part.start(next));
        }
        slots.extend(instance.writes(txn).map(|slot| (instance.key(slot), slot)));
    }
    // Stable: of each key in the order of the guess.
    slots.sort_by_key(|&(key, _)| key);
    for same in slots.chunk_by(|(key, _), (other, _)| key == other) {
        let (key, first) = same[0];
        if let Some(first) = part.number(instance.writer(first)) {
            let readers = outside.get(&key).into_iter().flatten();
            readers.filter(|&&reader| reader != first).for_each(|&reader| {
                add(part.start(reader), part.commit(first));
            });
        }
        for pair in same.windows(2) {
            let pair = Pair { earlier: pair[0].1, later: pair[1].1 };
            part.arcs(pair, None).for_each(|arc| add(arc.from, arc.to));
        }
    }
    edges
}

/// Orders the events of one component by themselves.
fn solve_component(
    whole: &Part<'_>,
    nodes: &[u32],
    together: &mut Vec<Vec<Event>>,
    budget: &mut Budget<'_>,
) -> Mended {
    let mut numbers: Vec<usize> =
        nodes.iter().map(|&node| whole.number_of(node as usize)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let txns: Vec<Txn> = numbers.into_iter().map(|number| whole.txns[number]).collect();
    let part = Part::new(whole.instance, whole.level, &txns).behind_others();
    let mut all: Vec<Event> = nodes.iter().flat_map(|&node| whole.expand(node as usize)).collect();
    let is_here: FxHashSet<u32> = nodes.iter().copied().collect();
    let mut solved = solve(&part, budget);
    if let Solved::Refuted(_) = solved {
        // Perhaps some version from outside has to come later.
        all.extend(part.sources().map(|txn| Event { txn, is_commit: true }));
        solved = solve(&Part::new(whole.instance, whole.level, &txns), budget);
    }
    if whole.level.shape == Shape::Serial {
        all.retain(|event| event.is_commit);
    }
    together.push(all);
    match solved {
        Solved::Refuted(refutation) => Mended::Refuted(refutation),
        Solved::Unknown => Mended::Unknown,
        Solved::Order(events) => {
            let events = events.into_iter().flat_map(|event| part.expand(event));
            let is_here =
                |event: &Event| node(whole, *event).is_some_and(|node| is_here.contains(&node));
            Mended::Order { events: events.filter(is_here).collect(), is_same: false }
        }
    }
}
