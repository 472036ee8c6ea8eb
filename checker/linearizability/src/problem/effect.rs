//! What an operation does, as far as the model tells.

use crate::content::fingerprint;
use crate::{CallOf, Effects, Leaves, Model, Saw};

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

/// An operation with this result, and its [`Effects`] in short: most questions need no more than these.
pub(crate) struct Effect<'a, M: Model> {
    pub(crate) input: &'a M::Input,
    pub(crate) output: Option<&'a M::Output>,
    pub(crate) nature: Nature,
    /// What it leaves, whenever it changes the object.
    pub(crate) leaves: Known,
    /// What must be there.
    pub(crate) saw: Known,
    /// Where there are many, and finding them again would take long.
    all: Option<Box<Effects<'a>>>,
}

/// What the effects of an operation tell of the whole object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing that rules anything out.
    Nothing,
    /// What this is the fingerprint of.
    Exactly(u64),
    /// Something that only a comparison of all effects tells.
    InPart,
}

impl Known {
    /// The fingerprint.
    pub(crate) fn exactly(self) -> Option<u64> {
        match self {
            Self::Exactly(fingerprint) => Some(fingerprint),
            Self::Nothing | Self::InPart => None,
        }
    }
}

impl<'a, M: Model> Effect<'a, M> {
    pub(super) fn new(model: &'a M, input: &'a M::Input, output: Option<&'a M::Output>) -> Self {
        let effects = model.effects(input, output);
        let nature = if effects.is_read_only() {
            Nature::Read
        } else if effects.is_blind_write() {
            Nature::Write
        } else {
            Nature::Other
        };
        let (leaves, saw) = match (effects.on_whole(), effects.all().is_empty()) {
            (Some(whole), _) => (left(&whole.leaves), seen(&whole.saw)),
            (None, true) => (Known::Nothing, Known::Nothing),
            (None, false) => (Known::InPart, Known::InPart),
        };
        let all = (effects.all().len() > 1).then(|| Box::new(effects));
        Self { input, output, nature, leaves, saw, all }
    }

    pub(crate) fn of(model: &'a M, call: &'a CallOf<M>) -> Self {
        Self::new(model, &call.input, call.output.as_ref())
    }

    /// Could `blocked` be legal right after this changed the state?
    pub(crate) fn may_enable(&self, model: &'a M, blocked: &Self) -> bool {
        match (self.leaves, blocked.saw) {
            _ if self.nature == Nature::Read => false,
            (Known::Exactly(left), Known::Exactly(seen)) => left == seen,
            (Known::Nothing, _) | (_, Known::Nothing) => true,
            _ => self
                .with_all(model, |all| blocked.with_all(model, |blocked| all.may_enable(blocked))),
        }
    }

    fn with_all(&self, model: &'a M, ask: impl FnOnce(&Effects<'a>) -> bool) -> bool {
        match &self.all {
            Some(all) => ask(all),
            None => ask(&model.effects(self.input, self.output)),
        }
    }
}

fn left(leaves: &Leaves<'_>) -> Known {
    match leaves {
        Leaves::Extended { to: None, .. } | Leaves::Like(_) => Known::InPart,
        _ => leaves
            .whenever_it_changes()
            .map_or(Known::Nothing, |content| Known::Exactly(fingerprint(content))),
    }
}

fn seen(saw: &Saw<'_>) -> Known {
    match saw {
        Saw::Exactly(content) => Known::Exactly(fingerprint(content)),
        Saw::Other(_) | Saw::Empty => Known::InPart,
        Saw::Anything | Saw::Something => Known::Nothing,
    }
}
