//! The exit codes: part of the interface, the same for every subcommand.

use history::Verdict;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything that was checked holds.
    Valid = 0,
    /// A promise was broken.
    Violation = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// Not enough was seen to say.
    Inconclusive = 3,
    /// The submission does not build, start or keep the protocol.
    Broken = 4,
    /// The harness or the machine failed.
    Failed = 5,
    /// Ctrl-C.
    Interrupted = 130,
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Valid => Self::Valid,
            Verdict::Inconclusive => Self::Inconclusive,
            Verdict::Violation => Self::Violation,
        }
    }
}

/// Why a command ended without a verdict.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The submission is broken; the sentence says how.
    #[error("The submission is broken: {0}")]
    Broken(String),
    /// The harness or the machine failed.
    #[error("The harness could not do its work: {0}")]
    Failed(String),
    /// Ctrl-C.
    #[error("Interrupted. What was recorded so far can be judged with `harness check`.")]
    Interrupted,
}

impl Failure {
    /// The exit code of this failure.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Broken(_) => Exit::Broken,
            Self::Failed(_) => Exit::Failed,
            Self::Interrupted => Exit::Interrupted,
        }
    }
}

impl From<judge::run::RunError> for Failure {
    fn from(error: judge::run::RunError) -> Self {
        match error {
            judge::run::RunError::NoRun(_) => Self::Usage(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<judge::foreign::ForeignError> for Failure {
    fn from(error: judge::foreign::ForeignError) -> Self {
        match error {
            judge::foreign::ForeignError::Unfit(_) => Self::Usage(error.to_string()),
            judge::foreign::ForeignError::Io(_) => Self::Failed(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
