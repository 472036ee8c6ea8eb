//! Why an operation has no result.

use contract::Refusal;
use std::time::Duration;

/// Why an operation has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The store refused it for good: it did not happen, and will not.
    #[error("refused as `{}`: {}", .0.code.name(), .0.message)]
    Refused(Refusal),
    /// No node took it within the time: it did not happen, and will not.
    #[error("nobody took it within {waited:?}: {reason}")]
    Unavailable {
        /// How long the client tried.
        waited: Duration,
        /// What the last node said, or why it said nothing.
        reason: String,
    },
    /// Nobody knows whether it happened, or still will.
    #[error("after {waited:?} nobody knows whether it happened: {reason}")]
    Unknown {
        /// How long the client tried.
        waited: Duration,
        /// What the last node said, or why it said nothing.
        reason: String,
    },
    /// The answer is that of another operation. Nobody knows whether this one happened.
    #[error(
        "`{asked}` was answered with {answer}: the store does not keep to the contract, and nobody knows what happened"
    )]
    Unexpected {
        /// The operation's name.
        asked: &'static str,
        /// The answer.
        answer: String,
    },
}
