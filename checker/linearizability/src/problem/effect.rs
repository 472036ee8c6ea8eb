//! What an operation does, as far as the model tells.

use crate::content::fingerprint;
use crate::{Effects, Leaves, Saw};

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

/// The [`Effects`] of an operation with this result in short: most questions need no more than these.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effect {
    pub(crate) nature: Nature,
    /// What it leaves, whenever it changes the object.
    pub(crate) leaves: Known,
    /// What must be there.
    pub(crate) saw: Known,
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

impl Effect {
    pub(super) fn of(effects: &Effects<'_>) -> Self {
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
        Self { nature, leaves, saw }
    }

    /// Could `blocked` be legal right after this changed the state? `None`: only all effects tell.
    pub(crate) fn may_enable(self, blocked: Self) -> Option<bool> {
        match (self.leaves, blocked.saw) {
            _ if self.nature == Nature::Read => Some(false),
            (Known::Exactly(left), Known::Exactly(seen)) => Some(left == seen),
            (Known::Nothing, _) | (_, Known::Nothing) => Some(true),
            _ => None,
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
