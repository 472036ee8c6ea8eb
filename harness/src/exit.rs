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

impl Exit {
    /// The code where something failed besides, such as a report. A violation stays one: it is proven, whatever else
    /// went wrong. A green code would say that all was done that was asked for.
    #[must_use]
    pub fn with_failure(self) -> Self {
        match self {
            Self::Valid | Self::Inconclusive => Self::Failed,
            Self::Violation | Self::Usage | Self::Broken | Self::Failed | Self::Interrupted => self,
        }
    }
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

/// Of a folder that somebody named. What a run finds wrong with its own folder is no wrong usage.
impl From<judge::run::RunError> for Failure {
    fn from(error: judge::run::RunError) -> Self {
        match error.is_of_the_system() {
            true => Self::Failed(error.to_string()),
            false => Self::Usage(error.to_string()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_hides_no_violation_and_leaves_no_green_code() {
        assert_eq!(Exit::Violation.with_failure(), Exit::Violation);
        assert_eq!(Exit::Valid.with_failure(), Exit::Failed);
        assert_eq!(Exit::Inconclusive.with_failure(), Exit::Failed);
        assert_eq!(Exit::Usage.with_failure(), Exit::Usage);
        assert_eq!(Exit::Interrupted.with_failure(), Exit::Interrupted);
    }
}
