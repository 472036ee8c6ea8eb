//! What does not change while a search goes on, or only grows.

use std::sync::Arc;

use super::object::Object;
use super::uses::Uses;
use crate::problem::Problem;

/// The most steps that a thread remembers.
pub(super) const REMEMBERED_MAX: usize = 1 << 17;

/// What all threads of a search have in common.
pub(super) struct SearchContext<'a> {
    pub(super) problem: Arc<Problem>,
    pub(super) object: Box<dyn Object + 'a>,
    pub(super) uses: Uses,
}

impl<'a> SearchContext<'a> {
    pub(super) fn new(problem: Arc<Problem>, object: Box<dyn Object + 'a>) -> Self {
        Self { problem, object, uses: Uses::new() }
    }

    /// Could an operation of the second class be legal right after one of the first changed the state?
    pub(super) fn may_enable(&self, class: u32, blocked: u32) -> bool {
        let effect = |class: u32| self.problem.classes[class as usize];
        let told = effect(class).may_enable(effect(blocked));
        told.unwrap_or_else(|| self.object.may_enable(class, blocked))
    }

    /// About how much memory it takes, the history not counted, with the steps that one thread
    /// remembers: what others remember is small.
    pub(super) fn bytes(&self) -> u64 {
        let steps = 2 * self.object.states() * self.problem.classes.len();
        let steps_bytes = steps.min(REMEMBERED_MAX) * size_of::<u32>();
        self.object.bytes() + self.uses.bytes() + steps_bytes as u64
    }
}
