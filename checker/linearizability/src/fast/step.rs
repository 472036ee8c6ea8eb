//! An operation as a register sees it.

/// The number of the value that is there before the first operation.
pub(super) const INITIAL: u32 = 0;

/// What an operation does to a register.
///
/// Values are numbers, the same for equal values, different for different ones; [`INITIAL`] is the initial value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// Legal in every state, and changes none: a read whose result is unknown.
    Nothing,
    /// Legal only where this value is there; changes nothing.
    Read(u32),
    /// Legal everywhere; leaves this value.
    Write(u32),
    /// Legal only where `old` is there; leaves `new`.
    Swap {
        /// What it replaces.
        old: u32,
        /// What it leaves.
        new: u32,
    },
    /// A [`Step::Swap`] that adds to the value. Where nobody saw what it added to, a
    /// [`Step::Write`].
    Append {
        /// What it adds to, where that is known.
        old: Option<u32>,
        /// What it leaves; a number of its own where nobody saw it.
        new: u32,
    },
    /// Legal everywhere but where this value is; changes nothing.
    Refused(u32),
}

impl Step {
    /// What it must have found, where exactly one value will do.
    pub(super) fn saw(self) -> Option<u32> {
        match self {
            Self::Read(value) => Some(value),
            Self::Swap { old, .. } => Some(old),
            Self::Append { old, .. } => old,
            Self::Nothing | Self::Write(_) | Self::Refused(_) => None,
        }
    }

    /// What it leaves, where it changes anything.
    pub(super) fn leaves(self) -> Option<u32> {
        match self {
            Self::Write(new) | Self::Swap { new, .. } | Self::Append { new, .. } => Some(new),
            Self::Nothing | Self::Read(_) | Self::Refused(_) => None,
        }
    }

    /// The value after it, or `None` where it is illegal.
    pub(super) fn apply(self, value: u32) -> Option<u32> {
        let legal = match self {
            Self::Refused(expected) => value != expected,
            _ => self.saw().is_none_or(|needed| needed == value),
        };
        legal.then(|| self.leaves().unwrap_or(value))
    }
}
