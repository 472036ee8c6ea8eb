//! The messages of the gateway, as far as they are used. Keys and values travel in base64.
//!
//! Names and shapes are those of `etcdserver/etcdserverpb/rpc.proto` in JSON, where zero values are left out and 64-bit numbers
//! are strings.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

pub(crate) fn encode(text: &str) -> String {
    STANDARD.encode(text)
}

/// Bytes that are no text are none of ours: they are shown as they can be.
pub(crate) fn decode(text: &str) -> String {
    let bytes = STANDARD.decode(text).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[derive(Serialize)]
pub(crate) struct Put {
    pub(crate) key: String,
    pub(crate) value: String,
}

#[derive(Serialize)]
pub(crate) struct Range {
    pub(crate) key: String,
    pub(crate) serializable: bool,
}

#[derive(Serialize)]
pub(crate) struct DeleteRange {
    pub(crate) key: String,
}

/// One request in a transaction.
#[derive(Serialize)]
pub(crate) enum RequestOp {
    #[serde(rename = "request_range")]
    Range(Range),
    #[serde(rename = "request_put")]
    Put(Put),
    #[serde(rename = "request_delete_range")]
    DeleteRange(DeleteRange),
}

/// A condition: the key was last changed at this revision; at 0 it is missing.
#[derive(Serialize)]
pub(crate) struct Compare {
    pub(crate) key: String,
    pub(crate) target: &'static str,
    pub(crate) result: &'static str,
    pub(crate) mod_revision: String,
}

#[derive(Serialize)]
pub(crate) struct Txn {
    pub(crate) compare: Vec<Compare>,
    pub(crate) success: Vec<RequestOp>,
    pub(crate) failure: Vec<RequestOp>,
}

/// What a put answers is of no interest.
#[derive(Deserialize)]
pub(crate) struct PutAnswer {}

#[derive(Deserialize)]
pub(crate) struct TxnAnswer {
    #[serde(default)]
    pub(crate) succeeded: bool,
    #[serde(default)]
    pub(crate) responses: Vec<ResponseOp>,
}

#[derive(Deserialize)]
pub(crate) struct ResponseOp {
    pub(crate) response_range: Option<RangeAnswer>,
}

#[derive(Deserialize)]
pub(crate) struct RangeAnswer {
    #[serde(default)]
    pub(crate) kvs: Vec<KeyValue>,
}

#[derive(Deserialize)]
pub(crate) struct KeyValue {
    pub(crate) mod_revision: String,
    #[serde(default)]
    pub(crate) value: String,
}
