//! The API of a view service: what servers ask it, and what it answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::NodeId;

/// The path at which servers ping.
pub const PING_PATH: &str = "/v1/ping";
/// The path at which anybody asks for the current view.
pub const VIEW_PATH: &str = "/v1/view";

/// The body of `POST /v1/ping`: a server lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// The server.
    pub node: NodeId,
    /// The number of the view that it is in; 0 where it knows none, as after a start without data.
    pub view: u64,
}

/// Who is primary and who is backup; the result of a ping and of `GET /v1/view`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct View {
    /// Counts the views; 0 before the first server pinged.
    pub num: u64,
    /// Answers clients; `None` in view 0 alone.
    pub primary: Option<NodeId>,
    /// Has everything that the primary has answered; `None`: there is none.
    pub backup: Option<NodeId>,
}

impl View {
    /// Reads a view service's result.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(result: &Value) -> Result<Self, String> {
        let Value::Object(fields) = result else {
            return Err("the result is no object with `num`, `primary` and `backup`".to_owned());
        };
        let server = |name: &str| match fields.get(name) {
            Some(Value::String(id)) => Ok(Some(id.clone())),
            Some(Value::Null) => Ok(None),
            Some(_) => Err(format!("the view's `{name}` is neither a server's id nor null")),
            None => Err(format!("the view lacks `{name}`")),
        };
        let num = fields.get("num").and_then(Value::as_u64);
        let num = num.ok_or("the view lacks `num`, a whole number from 0")?;
        Ok(Self { num, primary: server("primary")?, backup: server("backup")? })
    }
}

/// A field of a ping or a view.
#[derive(Clone, Copy, Debug)]
pub struct ViewField {
    /// Its name.
    pub name: &'static str,
    /// Whether it is in the answer, rather than in the ping.
    pub is_answer: bool,
    /// Its JSON types.
    pub kinds: &'static [&'static str],
    /// What it means.
    pub meaning: &'static str,
}

/// Every field of a ping and of a view.
pub const FIELDS: [ViewField; 5] = [
    ping("node", &["string"], "the server's id, one of `DS_MEMBERS`"),
    ping(
        "view",
        &["integer"],
        "the number of the view it is in; 0 where it knows none, as after a start without data",
    ),
    answer("num", &["integer"], "the current view's number; 0 before the first server pinged"),
    answer("primary", &["string", "null"], "its primary; null in view 0 alone"),
    answer("backup", &["string", "null"], "its backup; null where there is none"),
];

const fn ping(
    name: &'static str,
    kinds: &'static [&'static str],
    meaning: &'static str,
) -> ViewField {
    ViewField { name, is_answer: false, kinds, meaning }
}

const fn answer(
    name: &'static str,
    kinds: &'static [&'static str],
    meaning: &'static str,
) -> ViewField {
    ViewField { is_answer: true, ..ping(name, kinds, meaning) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_view_travels_as_the_contract_writes_it() {
        let result = json!({ "num": 4, "primary": "n1", "backup": null });
        let view = View { num: 4, primary: Some("n1".to_owned()), backup: None };
        assert_eq!(View::parse(&result), Ok(view.clone()));
        assert_eq!(json!(view), result);
        let ping = Ping { node: "n1".to_owned(), view: 3 };
        assert_eq!(json!(ping), json!({ "node": "n1", "view": 3 }));
        for field in FIELDS {
            let of = if field.is_answer { &json!(view) } else { &json!(ping) };
            assert!(of.get(field.name).is_some(), "{}", field.name);
        }
    }

    #[test]
    fn what_is_no_view_is_refused_with_what_is_wrong() {
        for (result, complaint) in [
            (json!([4, "n1", null]), "no object"),
            (json!({ "num": -1, "primary": null, "backup": null }), "`num`"),
            (json!({ "num": "4", "primary": null, "backup": null }), "`num`"),
            (json!({ "num": 1.5, "primary": null, "backup": null }), "`num`"),
            (json!({ "num": 4, "backup": null }), "lacks `primary`"),
            (json!({ "num": 4, "primary": "n1", "backup": 7 }), "`backup` is neither"),
        ] {
            let error = View::parse(&result).unwrap_err();
            assert!(error.contains(complaint), "{result}: {error}");
        }
    }
}
