//! States by number, and the steps between them, each taken once.

use std::rc::Rc;

use crate::Model;
use crate::problem::{Effect, Problem};
use crate::table::Table;

/// A step that was not taken yet.
const UNKNOWN: u32 = u32::MAX;

/// A step that cannot be taken.
const ILLEGAL: u32 = u32::MAX - 1;

/// The most steps remembered.
const REMEMBERED_MAX: usize = 1 << 17;

/// The states met so far.
pub(super) struct States<'p, 'a, M: Model> {
    problem: &'p Problem<'a, M>,
    table: Table<M::State>,
    /// By state and class: the state after.
    after: Vec<u32>,
}

impl<'p, 'a, M: Model> States<'p, 'a, M> {
    pub(super) fn new(problem: &'p Problem<'a, M>) -> Self {
        Self { problem, table: Table::new(), after: Vec::new() }
    }

    pub(super) fn number(&mut self, state: M::State) -> u32 {
        let model = self.problem.model;
        self.table.number(state, |state| model.state_bytes(state))
    }

    /// The state after an operation of this class, or `None` where it is illegal.
    pub(super) fn step(&mut self, state: u32, class: u32) -> Option<u32> {
        let place = state as usize * self.problem.classes.len() + class as usize;
        if place >= REMEMBERED_MAX {
            return self.take(state, class);
        }
        if place >= self.after.len() {
            let rows = (state as usize + 1) * self.problem.classes.len();
            self.after.resize(rows.max(2 * self.after.len()).min(REMEMBERED_MAX), UNKNOWN);
        }
        if self.after[place] == UNKNOWN {
            self.after[place] = self.take(state, class).unwrap_or(ILLEGAL);
        }
        Some(self.after[place]).filter(|&after| after != ILLEGAL)
    }

    fn take(&mut self, state: u32, class: u32) -> Option<u32> {
        let Effect { input, output, .. } = self.problem.classes[class as usize].effect;
        let now: &Rc<M::State> = self.table.get(state);
        let after = self.problem.model.step(now, input, output)?;
        if after == **now { Some(state) } else { Some(self.number(after)) }
    }

    /// About how much memory they take.
    pub(super) fn bytes(&self) -> u64 {
        self.table.bytes() + (self.after.capacity() * size_of::<u32>()) as u64
    }
}
