//! What was found to hold whatever is chosen, and the circle in which it ends.

use std::collections::VecDeque;

use super::part::{Arc, Because, Pair, Part};
use crate::Order;
use crate::ids::{Txn, Version};
use crate::links::Dependency;

/// How it is known which of two versions came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// The other order would make a circle.
    Saturated,
    /// With the other order all choices lead to contradictions.
    Tried,
}

/// A circle of transactions that each come before the next, so that there is no order.
#[derive(Debug)]
pub(crate) struct Refutation(pub(crate) Vec<Step>);

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) from: Txn,
    pub(crate) to: Txn,
    pub(crate) dependency: Dependency,
    /// How the order of versions behind it was derived, if it was.
    pub(crate) derived: Option<Derived>,
}

/// That one version comes before the other.
#[derive(Debug)]
pub(crate) struct Derived {
    pub(crate) earlier: Version,
    pub(crate) later: Version,
    /// The transactions that would each have to come before the next if it were the other way round; none where that
    /// takes more than a circle.
    pub(crate) circle: Vec<Txn>,
}

struct Fact {
    pair: Pair,
    how: How,
    /// How many arcs were known before.
    arcs: usize,
}

pub(crate) struct Proof<'a> {
    part: &'a Part<'a>,
    /// In the order in which they were found.
    arcs: Vec<Arc>,
    facts: Vec<Fact>,
}

impl<'a> Proof<'a> {
    pub(crate) fn new(part: &'a Part<'a>, known: Vec<Arc>) -> Self {
        Self { part, arcs: known, facts: Vec::new() }
    }

    pub(crate) fn add(&mut self, pair: Pair, how: How) {
        self.facts.push(Fact { pair, how, arcs: self.arcs.len() });
        let fact = Some(self.facts.len() - 1);
        self.arcs.extend(self.part.arcs(pair, fact));
    }

    /// The shortest circle through what was added last.
    pub(crate) fn refutation(&self) -> Option<Refutation> {
        let last = self.facts.last().map_or(0, |fact| fact.arcs);
        let circle = self.circle(&self.arcs[last..], self.arcs.len())?;
        let steps = circle.iter().filter(|arc| arc.because != Because::Start);
        Some(Refutation(steps.map(|arc| self.step(arc)).collect()))
    }

    fn step(&self, arc: &Arc) -> Step {
        let (dependency, derived) = match arc.because {
            Because::Start | Because::Time if self.part.level.order == Order::Process => {
                (Dependency::Process, None)
            }
            Because::Start | Because::Time => (Dependency::Realtime, None),
            Because::Saw => (Dependency::Wr, None),
            Because::Outside => (Dependency::Rw, None),
            Because::Versions { dependency, fact, .. } => {
                (dependency, fact.and_then(|fact| self.derived(&self.facts[fact])))
            }
        };
        let [from, to] = [arc.from, arc.to].map(|event| self.part.txn(event));
        Step { from, to, dependency, derived }
    }

    fn derived(&self, fact: &Fact) -> Option<Derived> {
        let version = |slot| self.part.instance.version(slot);
        let Pair { earlier, later } = fact.pair;
        let mut circle = Vec::new();
        if fact.how == How::Saturated {
            let opposite: Vec<Arc> = self.part.arcs(fact.pair.turned(), None).collect();
            let arcs = self.circle(&opposite, fact.arcs).unwrap_or_default();
            let steps = arcs.iter().filter(|arc| arc.because != Because::Start);
            circle.extend(steps.map(|arc| self.part.txn(arc.from)));
        }
        Some(Derived { earlier: version(earlier)?, later: version(later)?, circle })
    }

    /// The shortest circle that begins with one of these arcs and goes on along the first so many that were found.
    fn circle(&self, starts: &[Arc], known: usize) -> Option<Vec<Arc>> {
        let mut next: Vec<Vec<Arc>> = vec![Vec::new(); self.part.events()];
        for arc in &self.arcs[..known] {
            next[arc.from].push(*arc);
        }
        let circles = starts.iter().filter_map(|start| {
            let mut circle = self.path(&next, start.to, start.from)?;
            circle.insert(0, *start);
            Some(circle)
        });
        circles
            .min_by_key(|circle| circle.iter().filter(|arc| arc.because != Because::Start).count())
    }

    /// The shortest path, where it takes nothing to go from a transaction's start to its commit.
    fn path(&self, next: &[Vec<Arc>], from: usize, to: usize) -> Option<Vec<Arc>> {
        let part = self.part;
        let mut by: Vec<Option<Arc>> = vec![None; part.events()];
        let mut is_done = vec![false; part.events()];
        let mut queue = VecDeque::from([(from, None)]);
        while let Some((event, arc)) = queue.pop_front() {
            if std::mem::replace(&mut is_done[event], true) {
                continue;
            }
            by[event] = arc;
            if event == to {
                break;
            }
            for arc in &next[event] {
                if arc.because == Because::Start {
                    queue.push_front((arc.to, Some(*arc)));
                } else {
                    queue.push_back((arc.to, Some(*arc)));
                }
            }
            let number = part.number(part.txn(event))?;
            if event == part.commit(number) {
                let later = (0..part.txns.len()).filter(|&later| part.precedes(number, later));
                let arcs = later.map(|later| Arc {
                    from: event,
                    to: part.start(later),
                    because: Because::Time,
                });
                queue.extend(arcs.map(|arc| (arc.to, Some(arc))));
            }
        }
        let mut path = Vec::new();
        let mut event = to;
        while event != from {
            let arc = by[event]?;
            path.push(arc);
            event = arc.from;
        }
        path.reverse();
        Some(path)
    }
}
