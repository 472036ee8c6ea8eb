//! What an operation does, as far as the model promises.

use crate::{CallOf, Model, UNCHANGED};

/// How an operation with this result treats the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Never changes it.
    Read,
    /// Legal in every state, and always leaves the same one.
    Write,
    /// Anything else.
    Other,
}

/// What an operation does, and what the model promises about it.
pub(crate) struct Effect<'a, M: Model> {
    pub(crate) input: &'a M::Input,
    pub(crate) output: Option<&'a M::Output>,
    pub(crate) gives: Option<u64>,
    pub(crate) needs: Option<u64>,
}

impl<'a, M: Model> Effect<'a, M> {
    pub(super) fn new(model: &M, input: &'a M::Input, output: Option<&'a M::Output>) -> Self {
        let (gives, needs) = (model.gives(input, output), model.needs(input, output));
        Self { input, output, gives, needs }
    }

    pub(crate) fn of(model: &M, call: &'a CallOf<M>) -> Self {
        Self::new(model, &call.input, call.output.as_ref())
    }

    pub(super) fn nature(&self, model: &M) -> Nature {
        if model.is_read_only(self.input) {
            Nature::Read
        } else if model.overwrites(self.input, self.output) {
            Nature::Write
        } else if self.gives == Some(UNCHANGED) {
            Nature::Read
        } else {
            Nature::Other
        }
    }

    /// Could `blocked` be legal right after this changed the state?
    pub(crate) fn may_enable(&self, model: &M, blocked: &Self) -> bool {
        match (self.gives, blocked.needs) {
            (Some(gives), Some(needs)) => gives == needs,
            _ => model.may_enable(self.input, blocked.input, blocked.output),
        }
    }
}
