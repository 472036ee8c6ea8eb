//! Whether the bench uses a part of the contract already.

/// Whether a part of the contract is in use. What is planned has its name and its meaning, so that stores can prepare
/// for it; the bench neither sends nor reads nor tests it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// In use.
    Now,
    /// Not yet.
    Planned,
}

impl Availability {
    /// What reference pages put behind the name of a part: nothing, or that it is not in use yet.
    #[must_use]
    pub fn mark(self) -> &'static str {
        match self {
            Self::Now => "",
            Self::Planned => " (not yet)",
        }
    }
}
