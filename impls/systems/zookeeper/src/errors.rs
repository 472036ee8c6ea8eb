//! Which errors of `ZooKeeper` say that nothing happened.
//!
//! | error | why it is definite |
//! |---|---|
//! | `NoNode`, `NodeExists`, `BadVersion` | the condition of the write does not hold (`PrepRequestProcessor`); of several writes none is done |
//! | `QuotaExceeded`, `NoAuth`, `InvalidAcl`, `Unimplemented`, `NotReadOnly`, `Throttled` | refused before it is proposed |
//! | `BadArguments` | refused by the client library |
//!
//! All others are indefinite, above all `ConnectionLoss` (as the programmer's guide says) and `SessionExpired`: the client is
//! told so when it connects again, also of requests that were under way before.

use adapter::refusals;
use contract::Refusal;
use zookeeper_client::Error;

/// What a failed write means for the operation.
pub(crate) fn refusal(error: &Error) -> Refusal {
    match error {
        Error::NoNode
        | Error::NodeExists
        | Error::BadVersion
        | Error::QuotaExceeded
        | Error::NoAuth
        | Error::InvalidAcl
        | Error::Unimplemented
        | Error::NotReadOnly
        | Error::Throttled
        | Error::BadArguments(_) => refusals::aborted(error),
        _ => refusals::unknown(error),
    }
}

/// Whether a write was refused because another client was faster.
pub(crate) fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::NoNode | Error::NodeExists | Error::BadVersion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_not_proposed_is_definite() {
        for (error, definite) in [
            (Error::BadVersion, true),
            (Error::NodeExists, true),
            (Error::NoNode, true),
            (Error::NotReadOnly, true),
            (Error::Throttled, true),
            (Error::ConnectionLoss, false),
            (Error::SessionExpired, false),
            (Error::SessionMoved, false),
            (Error::ClientClosed, false),
            (Error::NoHosts, false),
            (Error::Timeout, false),
            (Error::UnexpectedErrorCode(-1), false),
        ] {
            assert_eq!(refusal(&error).code.is_definite(), definite, "{error:?}");
        }
    }
}
