//! Which errors of `PostgreSQL` say that nothing happened.
//!
//! Every operation is an explicit transaction. Until its `COMMIT` is sent, whatever fails is definite: the server rolls a
//! transaction back whose connection ends. What fails then is definite only where the server says that it could not commit:
//!
//! | SQLSTATE at `COMMIT` | meaning | why |
//! |---|---|---|
//! | class 40 without 40003: 40001, 40P01 … | the transaction was rolled back | raised before the commit record is written (`xact.c`, `CommitTransaction`; `predicate.c`, `PreCommit_CheckForSerializationFailure`) |
//! | class 23 | a deferred constraint does not hold | checked before that |
//!
//! All others are indefinite: a lost connection, and above all 57P01 (`admin_shutdown`), which also ends the wait for a
//! synchronous standby, when the transaction has committed locally (`syncrep.c`, `SyncRepWaitForLSN`).
//!
//! The codes are those of appendix A of the manual.

use adapter::refusals;
use contract::Refusal;
use tokio_postgres::{Error, error::SqlState};

/// What a statement that failed before the `COMMIT` means for the operation.
pub(crate) fn before_commit(error: &Error) -> Refusal {
    match error.as_db_error() {
        Some(_) => refusals::aborted(describe(error)),
        None => refusals::not_sent(describe(error)),
    }
}

/// What a `COMMIT` that failed means for the operation.
pub(crate) fn at_commit(error: &Error) -> Refusal {
    match error.code() {
        Some(state) if rolled_back(state) => refusals::aborted(describe(error)),
        _ => refusals::unknown(describe(error)),
    }
}

/// Whether the server says with this that the transaction has not committed.
fn rolled_back(state: &SqlState) -> bool {
    let unknown = *state == SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN;
    matches!(&state.code()[..2], "40" | "23") && !unknown
}

/// The error with its cause, which the client library leaves out.
pub(crate) fn describe(error: &Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_commit_only_a_rollback_is_definite() {
        for (code, definite) in [
            ("40000", true),
            ("40001", true),
            ("40002", true),
            ("40P01", true),
            ("23505", true),
            ("40003", false),
            ("57P01", false),
            ("57P02", false),
            ("57014", false),
            ("08006", false),
            ("53100", false),
            ("58030", false),
            ("XX000", false),
        ] {
            assert_eq!(rolled_back(&SqlState::from_code(code)), definite, "{code}");
        }
    }

    #[tokio::test]
    async fn an_error_that_is_not_the_servers_is_definite_only_before_the_commit() {
        // Nobody listens on port 1.
        let refused =
            tokio_postgres::connect("host=127.0.0.1 port=1 user=u", tokio_postgres::NoTls);
        let error = refused.await.map(|_| ()).unwrap_err();
        assert!(before_commit(&error).code.is_definite());
        assert!(!at_commit(&error).code.is_definite());
    }
}
