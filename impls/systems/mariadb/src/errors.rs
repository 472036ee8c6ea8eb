//! Which errors of `MariaDB` say that nothing happened.
//!
//! Every operation is an explicit transaction. Until its `COMMIT` is sent, whatever fails is definite: the adapter rolls it
//! back, and the server does so where the connection ends. Some errors roll back the statement only (1205, `lock wait timeout`),
//! others the whole transaction (1213, `deadlock`); both are definite here. What fails at the `COMMIT` is definite only with:
//!
//! | error at `COMMIT` | meaning |
//! |---|---|
//! | 1213 `ER_LOCK_DEADLOCK` | the transaction was rolled back; with Galera also: its certification failed |
//!
//! All others are indefinite: a lost connection, 1053 (`server shutdown in progress`), 1317 (`query execution was interrupted`),
//! 1180 (`got error during COMMIT`).
//!
//! The numbers are those of "`MariaDB` Error Codes" in its Knowledge Base.

use adapter::refusals;
use contract::Refusal;
use mysql_async::Error;

const DEADLOCK: u16 = 1213;
/// The key is there already.
const DUPLICATE: u16 = 1062;

/// What a statement that failed before the `COMMIT` means for the operation.
pub(crate) fn before_commit(error: &Error) -> Refusal {
    match error {
        Error::Server(_) => refusals::aborted(error),
        _ => refusals::not_sent(error),
    }
}

/// What a `COMMIT` that failed means for the operation.
pub(crate) fn at_commit(error: &Error) -> Refusal {
    match error {
        Error::Server(said) if said.code == DEADLOCK => refusals::aborted(error),
        _ => refusals::unknown(error),
    }
}

/// Whether an insert failed because the key is there.
pub(crate) fn is_duplicate(error: &Error) -> bool {
    matches!(error, Error::Server(said) if said.code == DUPLICATE)
}

#[cfg(test)]
mod tests {
    use mysql_async::{DriverError, ServerError};

    use super::*;

    fn said(code: u16) -> Error {
        Error::Server(ServerError { code, message: "m".to_owned(), state: "HY000".to_owned() })
    }

    #[test]
    fn at_the_commit_only_a_rollback_is_definite() {
        for (code, definite) in [
            (1213, true),
            (1205, false),
            (1053, false),
            (1317, false),
            (1180, false),
            (1927, false),
        ] {
            assert_eq!(at_commit(&said(code)).code.is_definite(), definite, "{code}");
            assert!(before_commit(&said(code)).code.is_definite(), "{code}");
        }
    }

    #[test]
    fn a_lost_connection_is_definite_only_before_the_commit() {
        let error = Error::Driver(DriverError::ConnectionClosed);
        assert!(before_commit(&error).code.is_definite());
        assert!(!at_commit(&error).code.is_definite());
    }
}
