//! The clocks against their definition, on random executions: what happened before what is computed by walking the graph
//! of all events.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::path::Path;

use contract::NodeId;
use node::clock::{DurableClocks, Stamp};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

const EXECUTIONS: u64 = 100;
const EVENTS: usize = 60;

/// An event: its clocks, and the events just before it, on its own node and where its message was sent.
struct Event {
    stamp: Stamp,
    causes: Vec<usize>,
}

/// A node: its clocks while it runs, and its latest event.
struct Node {
    id: NodeId,
    clocks: DurableClocks,
    latest: Option<usize>,
}

struct Execution<'f> {
    folder: &'f Path,
    random: ChaCha8Rng,
    nodes: Vec<Node>,
    events: Vec<Event>,
    /// Sent and not lost yet: the event of the sending, and the receiver.
    under_way: Vec<(usize, usize)>,
    receipts: usize,
    restarts: usize,
}

impl<'f> Execution<'f> {
    fn new(folder: &'f Path, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let count = random.random_range(2..=5);
        let node = |number: usize| {
            let id = format!("n{number}");
            Node { clocks: open(folder, &id), id, latest: None }
        };
        Self {
            folder,
            random,
            nodes: (1..=count).map(node).collect(),
            events: Vec::new(),
            under_way: Vec::new(),
            receipts: 0,
            restarts: 0,
        }
    }

    fn step(&mut self) {
        let at = self.random.random_range(0..self.nodes.len());
        match self.random.random_range(0..100) {
            0..15 => {
                self.nodes[at].clocks.tick();
                self.happened(at, None);
            }
            15..55 => {
                self.nodes[at].clocks.send();
                let sending = self.happened(at, None);
                let to = self.random.random_range(0..self.nodes.len());
                self.under_way.push((sending, to));
            }
            55..90 => self.receive(),
            90..95 => drop(self.taken_from_network()),
            _ => {
                let id = &self.nodes[at].id;
                self.nodes[at].clocks = open(self.folder, id);
                self.restarts += 1;
            }
        }
    }

    /// A message arrives: in any order, and now and then again later.
    fn receive(&mut self) {
        let Some((sending, to)) = self.taken_from_network() else { return };
        if self.random.random_range(0..4) == 0 {
            self.under_way.push((sending, to));
        }
        let stamp = self.events[sending].stamp.clone();
        self.nodes[to].clocks.receive(&stamp);
        self.happened(to, Some(sending));
        self.receipts += 1;
    }

    fn taken_from_network(&mut self) -> Option<(usize, usize)> {
        let count = self.under_way.len();
        (count > 0).then(|| self.under_way.swap_remove(self.random.random_range(0..count)))
    }

    /// Notes what a node has just done.
    fn happened(&mut self, at: usize, sending: Option<usize>) -> usize {
        let node = &mut self.nodes[at];
        node.clocks.keep().unwrap();
        let event = self.events.len();
        let causes = node.latest.replace(event).into_iter().chain(sending).collect();
        self.events.push(Event { stamp: node.clocks.now(), causes });
        event
    }

    /// For each event, which events happened before it. Causes have lower numbers.
    fn happened_before(&self) -> Vec<Vec<bool>> {
        let mut before: Vec<Vec<bool>> = Vec::new();
        for event in &self.events {
            let mut row = vec![false; self.events.len()];
            for cause in &event.causes {
                row[*cause] = true;
                for (reached, known) in row.iter_mut().zip(&before[*cause]) {
                    *reached |= *known;
                }
            }
            before.push(row);
        }
        before
    }
}

fn open(folder: &Path, id: &NodeId) -> DurableClocks {
    let folder = folder.join(id);
    std::fs::create_dir_all(&folder).unwrap();
    DurableClocks::open(&folder, id).unwrap()
}

#[test]
fn the_clocks_tell_what_happened_before_what() {
    let (mut ordered, mut concurrent, mut receipts, mut restarts) = (0, 0, 0, 0);
    for seed in 0..EXECUTIONS {
        let folder = tempfile::tempdir().unwrap();
        let mut execution = Execution::new(folder.path(), seed);
        (0..EVENTS).for_each(|_| execution.step());
        let before = execution.happened_before();
        for (b, later) in execution.events.iter().enumerate() {
            for (a, earlier) in execution.events.iter().enumerate().filter(|(a, _)| *a != b) {
                let (low, high) = (&earlier.stamp, &later.stamp);
                if before[b][a] {
                    assert!(low.lamport < high.lamport, "seed {seed}: {a} → {b}: {low:?} {high:?}");
                }
                let is_lower = low.vector < high.vector;
                assert_eq!(is_lower, before[b][a], "seed {seed}: {a}, {b}: {low:?} {high:?}");
                ordered += usize::from(before[b][a]);
                if !before[b][a] && !before[a][b] {
                    let order = low.vector.partial_cmp(&high.vector);
                    assert_eq!(order, None, "seed {seed}: {a} ∥ {b}: {low:?} {high:?}");
                    concurrent += 1;
                }
            }
        }
        receipts += execution.receipts;
        restarts += execution.restarts;
    }
    // A test of nothing would pass, too.
    assert!(ordered > 20_000 && concurrent > 20_000, "{ordered} and {concurrent} pairs");
    assert!(receipts > 500 && restarts > 100, "{receipts} receipts, {restarts} restarts");
}
