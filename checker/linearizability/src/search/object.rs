//! All that depends on the types of the model: behind a trait, so that the search itself is compiled once for all models.

use std::sync::Arc;

use crate::Model;
use crate::problem::Prepared;
use crate::table::Table;

/// The states of an object, by number, and the steps between them.
pub(super) trait Object: Send + Sync {
    /// How many states there are to begin from.
    fn starts(&self) -> usize;

    /// The number of one of them.
    fn start(&self, place: usize) -> u32;

    /// The state after an operation of this class, or `None` where it is illegal.
    fn step(&self, state: u32, class: u32) -> Option<u32>;

    /// Could an operation of the second class be legal right after one of the first changed the state?
    fn may_enable(&self, class: u32, blocked: u32) -> bool;

    /// How many states have a number.
    fn states(&self) -> usize;

    /// About how much memory they take.
    fn bytes(&self) -> u64;
}

/// The states of a model.
pub(super) struct States<'a, M: Model> {
    prepared: Arc<Prepared<'a, M>>,
    starts: Vec<M::State>,
    numbers: Table<M::State>,
}

impl<'a, M: Model> States<'a, M> {
    pub(super) fn new(prepared: Arc<Prepared<'a, M>>, starts: Vec<M::State>) -> Self {
        Self { prepared, starts, numbers: Table::new() }
    }

    fn number(&self, state: M::State) -> u32 {
        self.numbers.number(state, |state| self.prepared.model.state_bytes(state))
    }
}

impl<M: Model> Object for States<'_, M> {
    fn starts(&self) -> usize {
        self.starts.len()
    }

    fn start(&self, place: usize) -> u32 {
        self.number(self.starts[place].clone())
    }

    fn step(&self, state: u32, class: u32) -> Option<u32> {
        let sample = &self.prepared.samples[class as usize];
        let now = self.numbers.get(state);
        let after = self.prepared.model.step(now, sample.input, sample.output)?;
        if after == *now { Some(state) } else { Some(self.number(after)) }
    }

    fn may_enable(&self, class: u32, blocked: u32) -> bool {
        let samples = &self.prepared.samples;
        samples[class as usize].may_enable(self.prepared.model, &samples[blocked as usize])
    }

    fn states(&self) -> usize {
        self.numbers.len()
    }

    fn bytes(&self) -> u64 {
        self.numbers.bytes()
    }
}
