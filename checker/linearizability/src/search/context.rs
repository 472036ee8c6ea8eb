//! What does not change while a search goes on, or only grows.

use std::sync::Arc;

use super::steps::REMEMBERED_MAX;
use super::uses::Uses;
use crate::Model;
use crate::problem::Problem;
use crate::table::Table;

/// What all threads of a search have in common.
pub(super) struct SearchContext<'a, M: Model> {
    pub(super) problem: Arc<Problem<'a, M>>,
    pub(super) states: Table<M::State>,
    pub(super) uses: Uses,
}

impl<'a, M: Model> SearchContext<'a, M> {
    pub(super) fn new(problem: Arc<Problem<'a, M>>) -> Self {
        Self { problem, states: Table::new(), uses: Uses::new() }
    }

    /// The number of a state.
    pub(super) fn number(&self, state: M::State) -> u32 {
        let model = self.problem.model;
        self.states.number(state, |state| model.state_bytes(state))
    }

    /// About how much memory it takes, the history not counted, with the steps that one thread
    /// remembers: what others remember is small.
    pub(super) fn bytes(&self) -> u64 {
        let steps = 2 * self.states.len() * self.problem.classes.len();
        let steps_bytes = steps.min(REMEMBERED_MAX) * size_of::<u32>();
        self.states.bytes() + self.uses.bytes() + steps_bytes as u64
    }
}
