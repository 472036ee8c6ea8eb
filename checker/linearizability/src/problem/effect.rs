//! What an operation does, as far as the model promises.

use crate::{CallOf, Gives, Model};

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
    /// The fingerprint of what it leaves, whenever it changes the state.
    pub(crate) gives: Option<u64>,
    changes_nothing: bool,
    pub(crate) needs: Option<u64>,
}

impl<'a, M: Model> Effect<'a, M> {
    pub(super) fn new(model: &M, input: &'a M::Input, output: Option<&'a M::Output>) -> Self {
        let (gives, changes_nothing) = match model.gives(input, output) {
            Gives::Unchanged => (None, true),
            Gives::Fingerprint(fingerprint) => (Some(fingerprint), false),
            Gives::Unclear => (None, false),
        };
        Self { input, output, gives, changes_nothing, needs: model.needs(input, output) }
    }

    pub(crate) fn of(model: &M, call: &'a CallOf<M>) -> Self {
        Self::new(model, &call.input, call.output.as_ref())
    }

    pub(super) fn nature(&self, model: &M) -> Nature {
        if model.is_read_only(self.input) {
            Nature::Read
        } else if model.overwrites(self.input, self.output) {
            Nature::Write
        } else if self.changes_nothing {
            Nature::Read
        } else {
            Nature::Other
        }
    }

    /// Could `blocked` be legal right after this changed the state?
    pub(crate) fn may_enable(&self, model: &M, blocked: &Self) -> bool {
        if self.changes_nothing {
            return false;
        }
        match (self.gives, blocked.needs) {
            (Some(gives), Some(needs)) => gives == needs,
            _ => model.may_enable(self.input, blocked.input, blocked.output),
        }
    }
}
