//! The operations of the client API and the shape of each one's result.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

/// One operation of a client, as it travels in `{"type":"put","key":"x","value":"1"}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Operation {
    /// Reads one key.
    Get {
        /// The key to read.
        key: String,
    },
    /// Overwrites one key.
    Put {
        /// The key to write.
        key: String,
        /// Its new value.
        value: String,
    },
    /// Appends to a key's value; a missing key counts as empty.
    Append {
        /// The key to extend.
        key: String,
        /// What is appended.
        value: String,
    },
    /// Stores the decimal FNV-1a-32 hash of previous + value and returns the previous value.
    PutHash {
        /// The key to write.
        key: String,
        /// What is hashed behind the previous value.
        value: String,
    },
    /// Writes `value` only where the key holds `expect` (`null`: only where it is missing).
    Cas {
        /// The key to write.
        key: String,
        /// What the key must hold.
        #[serde(default)]
        expect: Option<String>,
        /// Its new value.
        value: String,
    },
    /// Reads several keys in one atomic step.
    MultiGet {
        /// The keys to read.
        keys: Vec<String>,
    },
    /// Writes several keys in one atomic step.
    MultiPut {
        /// The new value of each key.
        values: BTreeMap<String, String>,
    },
    /// Exchanges the values of two keys in one atomic step; absence swaps too.
    Swap {
        /// One key.
        a: String,
        /// The other key.
        b: String,
    },
    /// Runs `ops` in order, all or nothing, if every guard holds.
    Txn {
        /// What each key must hold (`null`: missing) for the transaction to commit.
        #[serde(default)]
        guards: BTreeMap<String, Option<String>>,
        /// The micro-operations, in order.
        ops: Vec<MicroOperation>,
    },
}

/// One step of a transaction: `["r",k]`, `["w",k,v]` or `["append",k,v]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MicroOperation {
    /// Reads a key.
    Read(String),
    /// Overwrites a key.
    Write(String, String),
    /// Appends to a key's value.
    Append(String, String),
}

impl Serialize for MicroOperation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Read(key) => ("r", key).serialize(serializer),
            Self::Write(key, value) => ("w", key, value).serialize(serializer),
            Self::Append(key, value) => ("append", key, value).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for MicroOperation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parts: Vec<String> = Vec::deserialize(deserializer)?;
        let words: Vec<&str> = parts.iter().map(String::as_str).collect();
        match words[..] {
            ["r", key] => Ok(Self::Read(key.to_owned())),
            ["w", key, value] => Ok(Self::Write(key.to_owned(), value.to_owned())),
            ["append", key, value] => Ok(Self::Append(key.to_owned(), value.to_owned())),
            _ => Err(de::Error::custom(format!(
                "{parts:?} is no micro-operation; expected [\"r\",key], [\"w\",key,value] or [\"append\",key,value]"
            ))),
        }
    }
}

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
    /// `put`, `multiput`, `swap`: nothing to tell.
    Done {},
}

impl Operation {
    /// The operation's name on the wire, which is also its `f` in a history.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Get { .. } => "get",
            Self::Put { .. } => "put",
            Self::Append { .. } => "append",
            Self::PutHash { .. } => "puthash",
            Self::Cas { .. } => "cas",
            Self::MultiGet { .. } => "multiget",
            Self::MultiPut { .. } => "multiput",
            Self::Swap { .. } => "swap",
            Self::Txn { .. } => "txn",
        }
    }

    /// Whether the operation can change nothing: such an operation may be `fail` where a write must be `info`.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::Get { .. } | Self::MultiGet { .. } => true,
            Self::Txn { ops, .. } => ops.iter().all(|op| matches!(op, MicroOperation::Read(_))),
            _ => false,
        }
    }

    /// The operation's fields without its `type`: what a history records as the invocation's value.
    #[must_use]
    pub fn arguments(&self) -> Value {
        let mut value = serde_json::to_value(self).unwrap_or(Value::Null);
        if let Value::Object(fields) = &mut value {
            fields.remove("type");
        }
        value
    }

    /// Rebuilds an operation from a history's `f` and the value of its invocation.
    ///
    /// # Errors
    /// Says which field does not fit, where `name` and `arguments` are no operation of the contract.
    pub fn from_parts(name: &str, arguments: &Value) -> Result<Self, String> {
        let mut fields = match arguments {
            Value::Object(fields) => fields.clone(),
            other => return Err(format!("the arguments of `{name}` are {other}, not an object")),
        };
        fields.insert("type".to_owned(), Value::String(name.to_owned()));
        serde_json::from_value(Value::Object(fields)).map_err(|error| format!("`{name}`: {error}"))
    }

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
                let told = !swapped && fields.contains_key("value");
                let value = if told { Some(optional_string(fields, "value")?) } else { None };
                Ok(Outcome::Swapped { swapped, value })
            }
            Self::MultiGet { keys } => Ok(Outcome::Values { values: values_of(keys, fields)? }),
            Self::Put { .. } | Self::MultiPut { .. } | Self::Swap { .. } => Ok(Outcome::Done {}),
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

    #[test]
    fn only_what_can_change_nothing_is_read_only() {
        for (name, arguments, read_only) in [
            ("get", json!({"key": "x"}), true),
            ("multiget", json!({"keys": []}), true),
            ("txn", json!({"ops": [["r", "x"]]}), true),
            ("txn", json!({"ops": [["r", "x"], ["append", "x", "1"]]}), false),
            ("cas", json!({"key": "x", "value": "1"}), false),
            ("swap", json!({"a": "x", "b": "x"}), false),
        ] {
            assert_eq!(operation(name, &arguments).is_read_only(), read_only, "{name} {arguments}");
        }
    }

    #[test]
    fn arguments_that_fit_no_operation_are_refused() {
        for (name, arguments) in
            [("get", json!(["x"])), ("get", json!({})), ("steal", json!({"key": "x"}))]
        {
            let error = Operation::from_parts(name, &arguments).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
    }
}
