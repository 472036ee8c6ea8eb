//! What an adapter has to say about its database.

use std::future::Future;

use contract::{Operation, Outcome, Refusal};

/// A database as one of its nodes offers it.
pub trait Database: Send + Sync + 'static {
    /// A connection to the node. One operation at a time uses it, and it is closed when dropped.
    type Session: Send;

    /// Connects. Nothing that a client asked for may be sent here, since a failure counts as definite.
    fn open(&self) -> impl Future<Output = Result<Self::Session, String>> + Send;

    /// Whether the session still looks usable, after some time in which nobody used it.
    fn is_open(&self, session: &mut Self::Session) -> impl Future<Output = bool> + Send;

    /// Carries out one operation, once. The future may be dropped before it ends; its session is closed then.
    ///
    /// The session is used again after an outcome, and after `aborted` and `unsupported`.
    fn perform(
        &self,
        session: &mut Self::Session,
        operation: &Operation,
    ) -> impl Future<Output = Result<Outcome, Refusal>> + Send;
}
