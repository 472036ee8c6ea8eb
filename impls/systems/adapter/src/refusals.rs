//! The refusals that adapters give, by what is known of the operation.
//!
//! A refusal that is wrongly definite makes the bench blame a correct database: an operation that counts as failed takes
//! effect after all. One that is wrongly indefinite only weakens the check. So whatever is not known to be definite is
//! [`unknown`].

#![expect(clippy::needless_pass_by_value, reason = "made to be handed to `map_err`")]

use contract::{ErrorCode, Refusal};

/// Definite: the database was never asked to carry it out, or only in a transaction whose commit was never sent.
pub fn not_sent(reason: impl ToString) -> Refusal {
    Refusal::new(ErrorCode::NotReady, reason.to_string())
}

/// Definite: the database says that it did nothing and never will.
pub fn aborted(reason: impl ToString) -> Refusal {
    Refusal::new(ErrorCode::Aborted, reason.to_string())
}

/// Indefinite: it may have taken effect, or still will.
pub fn unknown(reason: impl ToString) -> Refusal {
    Refusal::new(ErrorCode::Internal, reason.to_string())
}

/// Indefinite: the database did not answer in time.
pub fn late() -> Refusal {
    Refusal::new(ErrorCode::Timeout, "the database did not answer in time")
}

/// The database has nothing like it.
pub fn unsupported(operation: &contract::Operation) -> Refusal {
    Refusal::new(ErrorCode::Unsupported, format!("this adapter has no `{}`", operation.name()))
}
