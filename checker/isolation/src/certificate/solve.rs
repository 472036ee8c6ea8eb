//! An order of the events of some transactions, or the proof that there is none.
//!
//! What is not known is which of two versions of a key comes first: the choices of a polygraph (Papadimitriou, J. ACM
//! 1979). One that would make a circle is ruled out, so that the other one holds, which rules out more: saturation
//! (Biswas & Enea, OOPSLA 2019, §4). With starts and commits as events of their own the same decides snapshot isolation
//! (Zhang et al., Viper, EuroSys 2023). Where saturation ends, one order is tried, and if it leads to a contradiction
//! the other one holds.

use super::closure::{Closure, Mark};
use super::part::{Arc, Pair, Part};
use super::proof::{How, Proof, Refutation};
use crate::budget::{Budget, Spent};

pub(crate) enum Solved {
    /// The events in order.
    Order(Vec<usize>),
    Refuted(Refutation),
    /// The limits did not suffice.
    Unknown,
}

/// What solving so many events takes.
pub(crate) fn bytes(events: usize) -> usize {
    // The rows, and what undoes their changes.
    3 * Closure::bytes(events)
}

/// Decides the part.
pub(crate) fn solve(part: &Part<'_>, budget: &mut Budget<'_>) -> Solved {
    let bytes = bytes(part.events());
    budget.begin(u64::MAX, u64::MAX);
    // The rows have to be made.
    if !budget.has_room(bytes) || budget.steps(bytes / 8).is_err() {
        return Solved::Unknown;
    }
    let known = part.known();
    let Some(closure) = closed(part, &known) else {
        return Proof::new(part, known).refutation().map_or(Solved::Unknown, Solved::Refuted);
    };
    let pairs = part.open_pairs();
    let proof = Proof::new(part, known);
    let is_decided = vec![false; pairs.len()];
    let (decided, choices) = (Vec::new(), Vec::new());
    let search = Search { part, closure, pairs, is_decided, decided, choices, proof };
    search.run(budget).unwrap_or(Solved::Unknown)
}

/// What follows from the arcs and from time; `None` where that is a circle.
fn closed(part: &Part<'_>, known: &[Arc]) -> Option<Closure> {
    let events = part.events();
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); events];
    for arc in known {
        next[arc.from].push(arc.to);
    }
    for first in 0..part.txns.len() {
        let later = part.next_in_time(first);
        next[part.commit(first)].extend(later.into_iter().map(|second| part.start(second)));
    }
    let mut waits = vec![0_usize; events];
    next.iter().flatten().for_each(|&to| waits[to] += 1);
    let mut order: Vec<usize> = (0..events).filter(|&event| waits[event] == 0).collect();
    let mut at = 0;
    while let Some(&event) = order.get(at) {
        at += 1;
        for &to in &next[event] {
            waits[to] -= 1;
            if waits[to] == 0 {
                order.push(to);
            }
        }
    }
    (order.len() == events).then(|| Closure::of(&next, &order))
}

/// A pair that was put in an order without a reason.
struct Choice {
    pair: usize,
    mark: Mark,
    /// How many pairs were decided before.
    decided: usize,
}

struct Search<'a> {
    part: &'a Part<'a>,
    closure: Closure,
    /// Each in the order that is tried first, until it was decided.
    pairs: Vec<Pair>,
    is_decided: Vec<bool>,
    /// In the order of the decisions.
    decided: Vec<usize>,
    choices: Vec<Choice>,
    /// Of what holds whatever is chosen.
    proof: Proof<'a>,
}

impl Search<'_> {
    fn run(mut self, budget: &mut Budget<'_>) -> Result<Solved, Spent> {
        loop {
            match self.saturate(budget)? {
                None => match self.is_decided.iter().position(|is_decided| !is_decided) {
                    None => return Ok(Solved::Order(self.closure.order())),
                    Some(pair) => self.choose(pair, budget)?,
                },
                Some(contradiction) => match self.choices.pop() {
                    None => return Ok(self.refute(contradiction)),
                    Some(choice) => self.turn(&choice, budget)?,
                },
            }
        }
    }

    /// Decides what has only one order left, until nothing changes. A pair that has none, if there is one.
    fn saturate(&mut self, budget: &mut Budget<'_>) -> Result<Option<Pair>, Spent> {
        loop {
            let before = self.decided.len();
            for at in 0..self.pairs.len() {
                if self.is_decided[at] {
                    continue;
                }
                budget.step()?;
                let pair = self.pairs[at];
                match (self.is_possible(pair), self.is_possible(pair.turned())) {
                    (true, true) => {}
                    (true, false) => self.decide(at, pair, How::Saturated, budget)?,
                    (false, true) => self.decide(at, pair.turned(), How::Saturated, budget)?,
                    (false, false) => return Ok(Some(pair)),
                }
            }
            if self.decided.len() == before {
                return Ok(None);
            }
        }
    }

    fn is_possible(&self, pair: Pair) -> bool {
        self.part.arcs(pair, None).all(|arc| !self.closure.has(arc.to, arc.from))
    }

    fn decide(
        &mut self,
        at: usize,
        pair: Pair,
        how: How,
        budget: &mut Budget<'_>,
    ) -> Result<(), Spent> {
        self.is_decided[at] = true;
        self.decided.push(at);
        let part = self.part;
        for arc in part.arcs(pair, None) {
            let rows = self.closure.add(arc.from, arc.to);
            budget.steps(rows * part.events().div_ceil(64))?;
        }
        if self.choices.is_empty() {
            self.closure.settle();
            self.proof.add(pair, how);
        }
        Ok(())
    }

    fn choose(&mut self, at: usize, budget: &mut Budget<'_>) -> Result<(), Spent> {
        let (mark, decided) = (self.closure.mark(), self.decided.len());
        self.choices.push(Choice { pair: at, mark, decided });
        self.decide(at, self.pairs[at], How::Tried, budget)
    }

    /// The choice led nowhere, so that the other order holds.
    fn turn(&mut self, choice: &Choice, budget: &mut Budget<'_>) -> Result<(), Spent> {
        self.closure.back_to(choice.mark);
        for at in self.decided.drain(choice.decided..) {
            self.is_decided[at] = false;
        }
        self.decide(choice.pair, self.pairs[choice.pair].turned(), How::Tried, budget)
    }

    fn refute(mut self, pair: Pair) -> Solved {
        self.proof.add(pair, How::Saturated);
        self.proof.refutation().map_or(Solved::Unknown, Solved::Refuted)
    }
}
