//! The request and the answer of `POST /v1/op`.

use serde::{Deserialize, Serialize};

use crate::{ErrorCode, NodeId, Operation, Outcome};

/// One attempt of one operation. A retry is the same (client, seq, op), sent to any node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The client's id; a client has one operation outstanding.
    pub client: String,
    /// The client's operations, counted 1, 2, 3…
    pub seq: u64,
    /// What to do.
    pub op: Operation,
}

/// A refusal: the `error` of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Why.
    pub code: ErrorCode,
    /// For people; may be empty.
    #[serde(default)]
    pub message: String,
    /// The node that may know better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<NodeId>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }
}

/// The whole body of an answer: `{"ok":{…}}` with status 200, else `{"error":{…}}` with the code's status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Answer {
    /// The operation took effect, or its condition did not hold.
    #[serde(rename = "ok")]
    Ok(Outcome),
    /// It did not, or nobody knows.
    #[serde(rename = "error")]
    Error(Refusal),
}

impl Answer {
    /// The HTTP status of this answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Ok(_) => 200,
            Self::Error(refusal) => refusal.code.status(),
        }
    }
}
