//! `messages.jsonl`: the messages that passed through the proxy.

use serde::{Deserialize, Serialize};

use crate::Clocks;

/// One line of `messages.jsonl`: one HTTP request through the proxy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// Nanoseconds since the start of the run, when the request was complete at the proxy.
    #[serde(rename = "time")]
    pub time_ns: u64,
    /// Who sent it: a node's id, or `clients`.
    pub from: String,
    /// Who it was for.
    pub to: String,
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// `X-DS-Type`, or else what its JSON body calls it, where the message has either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its sender's clocks, where the message tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<Clocks>,
    /// Bytes of the request, head included.
    pub bytes: u64,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Passed on as it came.
    Delivered,
    /// Never passed on.
    RequestDropped,
    /// Passed on; the answer was thrown away.
    ResponseDropped,
    /// Passed on late.
    Delayed,
    /// Passed on twice.
    Duplicated,
    /// Held until a later message had overtaken it.
    Reordered,
    /// Waits behind a closed gate.
    Stalled,
}
