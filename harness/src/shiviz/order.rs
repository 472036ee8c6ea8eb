//! What happened before what, and the vector clocks that say so.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::events::{Event, Lines, Sent};

/// An event in its place.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) node: usize,
    pub(super) event: Event,
    /// How many events of each node happened before it, itself included.
    pub(super) clock: Vec<usize>,
}

/// All events, each after those that happened before it, otherwise by time; `None` where some happened before themselves.
///
/// Before an event comes the one before it on its node; before a receipt, the sending; and before a sending whatever its
/// vector says that it knows, even if nobody saw how it came to know it.
pub(super) fn ordered(lines: &Lines, sent: &[Sent]) -> Option<Vec<Placed>> {
    let graph = Graph::of(lines, sent);
    let time = |id: usize| Reverse((sent[graph.events[id].1.message()].time_ns, id));
    let mut waits_for: Vec<usize> = graph.causes.iter().map(Vec::len).collect();
    let ready = (0..graph.events.len()).filter(|id| waits_for[*id] == 0);
    let mut ready: BinaryHeap<_> = ready.map(time).collect();
    let mut clocks: Vec<Vec<usize>> = vec![Vec::new(); graph.events.len()];
    let mut placed = Vec::with_capacity(graph.events.len());
    while let Some(Reverse((_, id))) = ready.pop() {
        let (node, event) = graph.events[id];
        let mut clock = vec![0; lines.by_node.len()];
        for cause in &graph.causes[id] {
            for (count, known) in clock.iter_mut().zip(&clocks[*cause]) {
                *count = (*count).max(*known);
            }
        }
        clock[node] += 1;
        clocks[id].clone_from(&clock);
        placed.push(Placed { node, event, clock });
        for effect in &graph.effects[id] {
            waits_for[*effect] -= 1;
            if waits_for[*effect] == 0 {
                ready.push(time(*effect));
            }
        }
    }
    (placed.len() == graph.events.len()).then_some(placed)
}

struct Graph {
    /// With their nodes.
    events: Vec<(usize, Event)>,
    /// What comes just before each event.
    causes: Vec<Vec<usize>>,
    /// And just after it.
    effects: Vec<Vec<usize>>,
}

impl Graph {
    fn of(lines: &Lines, sent: &[Sent]) -> Self {
        let mut events = Vec::new();
        let mut sendings = vec![0; sent.len()];
        for (node, line) in lines.by_node.iter().enumerate() {
            for event in line {
                if let Event::Send(message) = event {
                    sendings[*message] = events.len();
                }
                events.push((node, *event));
            }
        }
        let mut causes: Vec<Vec<usize>> = vec![Vec::new(); events.len()];
        for (id, (node, event)) in events.iter().enumerate() {
            if id > 0 && events[id - 1].0 == *node {
                causes[id].push(id - 1);
            }
            match event {
                Event::Receive(message) => causes[id].push(sendings[*message]),
                Event::Send(message) => {
                    let counts = &sent[*message].counts;
                    let others = (0..lines.by_node.len()).filter(|other| other != node);
                    let known = others.filter_map(|other| {
                        let sent_by = &lines.sent_by[other];
                        let known = sent_by.partition_point(|at| sent[*at].own() <= counts[other]);
                        Some(sendings[sent_by[known.checked_sub(1)?]])
                    });
                    causes[id].extend(known);
                }
            }
        }
        let mut effects = vec![Vec::new(); events.len()];
        for (id, causes) in causes.iter().enumerate() {
            causes.iter().for_each(|cause| effects[*cause].push(id));
        }
        Self { events, causes, effects }
    }
}
