//! Which errors of etcd say that nothing happened.
//!
//! Read in the source of etcd 3.4, `etcdserver/v3_server.go` (`processInternalRaftRequestOnce`), and of its raft, `raft/raft.go`:
//!
//! | error | why it is definite |
//! |---|---|
//! | `too many requests` | returned before the proposal is made |
//! | `request is too large` | returned before the proposal is made |
//! | `raft proposal dropped` | raft did not put it into the log: no leader, or one that is handing over |
//! | `duplicate key given`, `too many operations`, `key is not provided` | the request is checked before it is proposed |
//!
//! All others are indefinite, above all `request timed out`, which tells nothing of a proposal that is on its way, and
//! `database space exceeded`, which is also returned for a put that has been applied (`etcdserver/apply.go`, `quotaApplierV3`).
//! `leader changed` and `no leader` come of reads only; a read may be called unknown without harm.

use adapter::refusals;
use contract::Refusal;
use serde::Deserialize;

/// With these the proposal was not made, however often it is asked for.
const DEFINITE: [&str; 6] = [
    "etcdserver: too many requests",
    "etcdserver: request is too large",
    "etcdserver: duplicate key given in txn request",
    "etcdserver: too many operations in txn request",
    "etcdserver: key is not provided",
    "raft proposal dropped",
];

/// What the gateway answers instead of a result.
#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    error: String,
    #[serde(default)]
    message: String,
}

/// What an answer without a result means for the operation.
pub(crate) fn refusal(answer: &[u8]) -> Refusal {
    let Ok(failure) = serde_json::from_slice::<Failure>(answer) else {
        return refusals::unknown("etcd answered with an error that is no JSON");
    };
    let text = if failure.message.is_empty() { failure.error } else { failure.message };
    if DEFINITE.contains(&text.as_str()) {
        refusals::aborted(text)
    } else {
        refusals::unknown(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_never_proposed_is_definite() {
        for (message, definite) in [
            ("etcdserver: too many requests", true),
            ("etcdserver: request is too large", true),
            ("raft proposal dropped", true),
            ("etcdserver: request timed out", false),
            ("etcdserver: request timed out, possibly due to previous leader failure", false),
            ("etcdserver: request timed out, possibly due to connection lost", false),
            ("etcdserver: server stopped", false),
            ("etcdserver: leader changed", false),
            ("etcdserver: mvcc: database space exceeded", false),
            ("transport is closing", false),
            ("context deadline exceeded", false),
            ("something new", false),
        ] {
            let answer = format!(r#"{{"error":"{message}","code":14,"message":"{message}"}}"#);
            let refusal = refusal(answer.as_bytes());
            assert_eq!(refusal.code.is_definite(), definite, "{message}");
            assert_eq!(refusal.message, message);
        }
    }

    #[test]
    fn an_answer_that_is_not_etcds_is_indefinite() {
        for answer in ["", "<html>", "[]", "{}", r#"{"error":5}"#] {
            assert!(!refusal(answer.as_bytes()).code.is_definite(), "{answer}");
        }
    }
}
