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
    /// It did not take effect, or nobody knows whether it did.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_travels_as_the_contract_writes_it() {
        let text = r#"{"client":"c7","seq":12,"op":{"type":"put","key":"x","value":"1"}}"#;
        let request: Request = serde_json::from_str(text).unwrap();
        assert_eq!(request.op, Operation::Put { key: "x".to_owned(), value: "1".to_owned() });
        assert_eq!(serde_json::to_string(&request).unwrap(), text);
    }

    #[test]
    fn a_request_that_makes_no_sense_is_refused() {
        for bad in [
            json!({"client": "c7", "op": {"type": "get", "key": "x"}}),
            json!({"client": "c7", "seq": -1, "op": {"type": "get", "key": "x"}}),
            json!({"client": "c7", "seq": 1, "op": {"type": "steal", "key": "x"}}),
            json!({"client": "c7", "seq": 1, "op": {"type": "put", "key": "x"}}),
            json!({"client": "c7", "seq": 1, "op": {"type": "put", "key": "x", "value": 1}}),
            json!({"client": "c7", "seq": 1, "op": {"type": "txn", "ops": [["x", "k"]]}}),
            json!({"client": "c7", "seq": 1, "op": {"type": "txn", "ops": [["w", "k"]]}}),
        ] {
            assert!(serde_json::from_value::<Request>(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn answers_travel_as_the_contract_writes_them() {
        let ok = Answer::Ok(Outcome::Value { value: None });
        assert_eq!(json!(ok), json!({"ok": {"value": null}}));
        assert_eq!(ok.status(), 200);
        let mut refusal = Refusal::new(ErrorCode::NotLeader, "n2 leads");
        let bare = json!({"error": {"code": "not_leader", "message": "n2 leads"}});
        assert_eq!(json!(Answer::Error(refusal.clone())), bare);
        refusal.hint = Some("n2".to_owned());
        assert_eq!(Answer::Error(refusal.clone()).status(), 421);
        let text = serde_json::to_string(&refusal).unwrap();
        assert_eq!(serde_json::from_str::<Refusal>(&text).unwrap(), refusal);
    }

    #[test]
    fn a_refusal_may_be_bare_but_its_code_must_be_known() {
        let bare: Refusal = serde_json::from_value(json!({"code": "timeout"})).unwrap();
        assert_eq!(bare, Refusal::new(ErrorCode::Timeout, ""));
        assert!(serde_json::from_value::<Refusal>(json!({"code": "tired"})).is_err());
    }
}
