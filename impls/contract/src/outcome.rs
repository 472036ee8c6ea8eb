//! What an operation came to, and how a store's answer is read as that.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Configuration, MicroOperation, Operation};

/// The result of an operation that took effect (or of a condition that did not hold).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// `get`: the value or `null`; `append`: the new value.
    Value {
        /// The key's value, `None` where it is missing.
        value: Option<String>,
    },
    /// `puthash`: what the key held before (a missing key counts as empty).
    Previous {
        /// The value before.
        previous: String,
    },
    /// `cas`: whether it took place and, where it did not, the value that stood in the way.
    Swapped {
        /// Whether the value was written.
        swapped: bool,
        /// `Some(current)` where it was not written and the store says what the key holds.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<Option<String>>,
    },
    /// `multiget`: each key's value, `None` where it is missing.
    Values {
        /// Exactly the keys that were asked for.
        values: BTreeMap<String, Option<String>>,
    },
    /// `txn`: whether every guard held; the results only where it committed.
    Committed {
        /// Whether the transaction took effect.
        committed: bool,
        /// One entry a micro-operation: the key's value right after it.
        #[serde(skip_serializing_if = "Option::is_none")]
        results: Option<Vec<Option<String>>>,
    },
    /// `query`: the configuration.
    Configuration(Configuration),
    /// `put`, `multiput`, `swap`, `join`, `leave` and `move` have nothing to say.
    Done {},
}

impl Operation {
    /// Reads a store's result of this operation and checks that it has the shape this operation asks for.
    ///
    /// # Errors
    /// Says what is wrong with the result: the caller records a protocol error.
    pub fn parse_outcome(&self, result: &Value) -> Result<Outcome, String> {
        let Value::Object(fields) = result else {
            return Err(format!("the result of `{}` must be an object", self.name()));
        };
        self.outcome(fields).map_err(|reason| format!("the result of `{}` {reason}", self.name()))
    }

    fn outcome(&self, fields: &Map<String, Value>) -> Result<Outcome, String> {
        match self {
            Self::Get { .. } => Ok(Outcome::Value { value: optional_string(fields, "value")? }),
            Self::Append { .. } => Ok(Outcome::Value { value: Some(string(fields, "value")?) }),
            Self::PutHash { .. } => Ok(Outcome::Previous { previous: string(fields, "previous")? }),
            Self::Cas { .. } => {
                let swapped = boolean(fields, "swapped")?;
                let has_value = !swapped && fields.contains_key("value");
                let value = if has_value { Some(optional_string(fields, "value")?) } else { None };
                Ok(Outcome::Swapped { swapped, value })
            }
            Self::MultiGet { keys } => Ok(Outcome::Values { values: values_of(keys, fields)? }),
            Self::Query { .. } => Configuration::parse(fields).map(Outcome::Configuration),
            Self::Put { .. }
            | Self::MultiPut { .. }
            | Self::Swap { .. }
            | Self::Join { .. }
            | Self::Leave { .. }
            | Self::Move { .. }
            | Self::Internal { .. } => Ok(Outcome::Done {}),
            Self::Txn { ops, .. } => {
                let committed = boolean(fields, "committed")?;
                let results = if committed { Some(results_of(ops, fields)?) } else { None };
                Ok(Outcome::Committed { committed, results })
            }
        }
    }
}

fn values_of(
    keys: &[String],
    fields: &Map<String, Value>,
) -> Result<BTreeMap<String, Option<String>>, String> {
    let Some(Value::Object(found)) = fields.get("values") else {
        return Err("lacks the object `values`".to_owned());
    };
    if let Some(extra) = found.keys().find(|key| !keys.contains(key)) {
        return Err(format!("holds `{extra}`, a key that was not asked for"));
    }
    keys.iter().map(|key| Ok((key.clone(), optional_string(found, key)?))).collect()
}

fn results_of(
    ops: &[MicroOperation],
    fields: &Map<String, Value>,
) -> Result<Vec<Option<String>>, String> {
    let Some(Value::Array(found)) = fields.get("results") else {
        return Err("lacks the array `results`".to_owned());
    };
    if found.len() != ops.len() {
        return Err(format!("has {} results for {} micro-operations", found.len(), ops.len()));
    }
    let read = |(op, value): (&MicroOperation, &Value)| match (op, value) {
        (_, Value::String(text)) => Ok(Some(text.clone())),
        (MicroOperation::Read(_), Value::Null) => Ok(None),
        _ => Err(format!("has {value} where a micro-operation's value belongs")),
    };
    ops.iter().zip(found).map(read).collect()
}

fn string(fields: &Map<String, Value>, name: &str) -> Result<String, String> {
    match fields.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("has a `{name}` that is no string")),
        None => Err(format!("lacks `{name}`")),
    }
}

fn optional_string(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match fields.get(name) {
        Some(Value::Null) => Ok(None),
        _ => string(fields, name).map(Some),
    }
}

fn boolean(fields: &Map<String, Value>, name: &str) -> Result<bool, String> {
    match fields.get(name) {
        Some(Value::Bool(value)) => Ok(*value),
        _ => Err(format!("lacks the boolean `{name}`")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn operation(name: &str, arguments: &Value) -> Operation {
        Operation::from_parts(name, arguments).unwrap()
    }

    #[test]
    fn results_that_do_not_fit_are_refused() {
        let get = operation("get", &json!({"key": "x"}));
        let append = operation("append", &json!({"key": "x", "value": "1"}));
        let puthash = operation("puthash", &json!({"key": "x", "value": "1"}));
        let cas = operation("cas", &json!({"key": "x", "value": "1"}));
        let multiget = operation("multiget", &json!({"keys": ["x", "y"]}));
        let txn = operation("txn", &json!({"ops": [["r", "x"], ["w", "x", "1"]]}));
        for (asked, result) in [
            (&get, json!("1")),
            (&get, json!({})),
            (&get, json!({"value": 1})),
            (&append, json!({"value": null})),
            (&puthash, json!({"previous": null})),
            (&cas, json!({"swapped": "yes"})),
            (&cas, json!({"swapped": false, "value": 3})),
            (&multiget, json!({"values": {"x": "1"}})),
            (&multiget, json!({"values": {"x": "1", "y": 2}})),
            (&multiget, json!({"values": {"x": "1", "y": null, "z": "3"}})),
            (&multiget, json!({"values": ["1", null]})),
            (&txn, json!({"results": ["1", "1"]})),
            (&txn, json!({"committed": true})),
            (&txn, json!({"committed": true, "results": ["1"]})),
            (&txn, json!({"committed": true, "results": [null, null]})),
            (&txn, json!({"committed": true, "results": [1, "1"]})),
        ] {
            let error = asked.parse_outcome(&result).unwrap_err();
            assert!(error.contains(asked.name()), "{result}: {error}");
        }
    }

    #[test]
    fn what_the_contract_leaves_open_is_accepted() {
        let cas = operation("cas", &json!({"key": "x", "expect": null, "value": "1"}));
        let silent = Outcome::Swapped { swapped: false, value: None };
        assert_eq!(cas.parse_outcome(&json!({"swapped": false})), Ok(silent));
        let put = operation("put", &json!({"key": "x", "value": "1"}));
        assert_eq!(put.parse_outcome(&json!({"took_ms": 3})), Ok(Outcome::Done {}));
        let txn = operation("txn", &json!({"ops": [["r", "x"]]}));
        let missing = Outcome::Committed { committed: true, results: Some(vec![None]) };
        assert_eq!(txn.parse_outcome(&json!({"committed": true, "results": [null]})), Ok(missing));
    }
}
