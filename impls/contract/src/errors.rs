//! The registry of error codes: what each means, its HTTP status, and whether it is definite.

use serde::{Deserialize, Serialize};

/// Why a store did not answer with a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// This node does not lead; the hint may name who does.
    NotLeader,
    /// The key belongs to another replica group.
    WrongGroup,
    /// The node cannot serve yet.
    NotReady,
    /// The request makes no sense.
    BadRequest,
    /// The coordinator has no such job.
    NotFound,
    /// The store does not know this operation.
    Unsupported,
    /// The client has gone past this sequence number.
    StaleSeq,
    /// The transaction was given up and can never commit.
    Aborted,
    /// The group is there already.
    Exists,
    /// There is no such group.
    UnknownGroup,
    /// The group owns that shard already.
    NoChange,
    /// There is no such shard.
    BadShard,
    /// No outcome in time: it may or may not have happened.
    Timeout,
    /// Something broke: it may or may not have happened.
    Internal,
}

/// One row of the error registry.
#[derive(Clone, Copy, Debug)]
pub struct ErrorEntry {
    /// The code.
    pub code: ErrorCode,
    /// Its name on the wire.
    pub name: &'static str,
    /// The HTTP status it travels with.
    pub status: u16,
    /// Whether a client may rely on it that the operation was not and never will be carried out.
    pub definite: bool,
    /// What it means, in one sentence.
    pub meaning: &'static str,
    /// What the clerk does then, in one sentence.
    pub clerk: &'static str,
}

/// Every error code of the contract.
pub const ERRORS: [ErrorEntry; 14] = [
    entry(
        ErrorCode::NotLeader,
        "not_leader",
        421,
        true,
        "This node does not lead: never proposed.",
        ELSEWHERE,
    ),
    entry(
        ErrorCode::WrongGroup,
        "wrong_group",
        421,
        true,
        "The key belongs to another group: never proposed.",
        ELSEWHERE,
    ),
    entry(
        ErrorCode::NotReady,
        "not_ready",
        503,
        true,
        "The node cannot serve yet: never proposed.",
        ELSEWHERE,
    ),
    entry(ErrorCode::BadRequest, "bad_request", 400, false, "The request is malformed.", STOPS),
    entry(
        ErrorCode::NotFound,
        "not_found",
        404,
        false,
        "`GET /v1/jobs/{job}`: there is no such job.",
        "Asks no more: jobs do not get lost.",
    ),
    entry(
        ErrorCode::Unsupported,
        "unsupported",
        501,
        false,
        "The store does not know this operation.",
        STOPS,
    ),
    entry(
        ErrorCode::StaleSeq,
        "stale_seq",
        409,
        false,
        "The client has already gone past this sequence number.",
        STOPS,
    ),
    entry(ErrorCode::Aborted, "aborted", 409, true, "The transaction can never commit.", FAILS),
    entry(
        ErrorCode::Exists,
        "exists",
        409,
        true,
        "`join` of a group that is there already.",
        FAILS,
    ),
    entry(
        ErrorCode::UnknownGroup,
        "unknown_group",
        404,
        true,
        "`leave` of a group that is not there, or `move` to one.",
        FAILS,
    ),
    entry(
        ErrorCode::NoChange,
        "no_change",
        409,
        true,
        "`move` to the group that owns the shard already, or `join` or `leave` of nothing.",
        FAILS,
    ),
    entry(
        ErrorCode::BadShard,
        "bad_shard",
        400,
        true,
        "`move` of a shard that is not there.",
        FAILS,
    ),
    entry(
        ErrorCode::Timeout,
        "timeout",
        504,
        false,
        "No outcome in time: it may or may not happen.",
        RETRIES,
    ),
    entry(
        ErrorCode::Internal,
        "internal",
        500,
        false,
        "Something broke: it may or may not have happened.",
        RETRIES,
    ),
];

const ELSEWHERE: &str = "Goes to the hint or the next node.";
const FAILS: &str = "Records a fail.";
/// The bench's requests are right: a store that refuses one so is mistaken, and may be mistaken about having done
/// nothing.
pub(crate) const STOPS: &str =
    "Counts a protocol error, since its requests are right; concludes nothing and records info.";
/// Also what it does after a connection that broke.
pub(crate) const RETRIES: &str =
    "Sends a read again, and a write if the store has `exactly-once`; else records info.";

const fn entry(
    code: ErrorCode,
    name: &'static str,
    status: u16,
    definite: bool,
    meaning: &'static str,
    clerk: &'static str,
) -> ErrorEntry {
    ErrorEntry { code, name, status, definite, meaning, clerk }
}

impl ErrorCode {
    /// The code's row in the registry.
    #[must_use]
    pub fn entry(self) -> &'static ErrorEntry {
        &ERRORS[self as usize]
    }

    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The HTTP status it travels with.
    #[must_use]
    pub fn status(self) -> u16 {
        self.entry().status
    }

    /// Whether a client may rely on it that this attempt never takes effect: the one reading of the registry, for
    /// every client that records outcomes.
    #[must_use]
    pub fn is_definite(self) -> bool {
        self.entry().definite
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_that_a_right_request_can_meet_are_definite() {
        let definite: Vec<_> = ERRORS.iter().filter(|e| e.definite).map(|e| e.name).collect();
        let elsewhere = ["not_leader", "wrong_group", "not_ready", "aborted"];
        let by_controllers = ["exists", "unknown_group", "no_change", "bad_shard"];
        assert_eq!(definite, [elsewhere, by_controllers].concat());
    }

    #[test]
    fn the_registry_is_indexed_by_code_and_named_as_serde_names_it() {
        for entry in &ERRORS {
            assert_eq!(entry.code.entry().code, entry.code);
            assert_eq!(serde_json::to_value(entry.code).unwrap(), entry.name);
        }
    }
}
