//! The operations of the client API.

mod examples;
mod registry;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use registry::{Field, OperationEntry};

use crate::{
    MicroOperation,
    manifest::Capability::{Append, Cas, Configurations, Multi, PutHash, Txn},
    shape::Shaped,
};
use registry::operations;

operations! {
    /// Reads one key.
    Get "get" (None, examples::get) {
        /// the key
        key: String,
    } => {
        /// null when the key is missing
        value: Option<String>,
    }

    /// Overwrites one key.
    Put "put" (None, examples::put) {
        /// the key
        key: String,
        /// the new value
        value: String,
    } => {}

    /// Appends to a key's value; a missing key counts as empty.
    Append "append" (Some(Append), examples::append) {
        /// the key
        key: String,
        /// what is appended
        value: String,
    } => {
        /// the whole new value
        value: String,
    }

    /// Stores the decimal FNV-1a-32 hash of previous + value; a missing key counts as empty.
    PutHash "puthash" (Some(PutHash), examples::puthash) {
        /// the key
        key: String,
        /// what is hashed behind the previous value
        value: String,
    } => {
        /// the value before; empty when the key was missing
        previous: String,
    }

    /// Writes only where the key holds what is expected.
    Cas "cas" (Some(Cas), examples::cas) {
        /// the key
        key: String,
        /// what the key must hold; null or absent: it must be missing
        #[serde(default)]
        expect: Option<String>,
        /// the new value
        value: String,
    } => {
        /// whether the value was written
        swapped: bool,
        /// what the key holds instead, where nothing was written
        #[serde(default)]
        value: Option<String>,
    }

    /// Reads several keys in one atomic step.
    MultiGet "multiget" (Some(Multi), examples::multiget) {
        /// the keys
        keys: Vec<String>,
    } => {
        /// exactly the keys that were asked for
        values: BTreeMap<String, Option<String>>,
    }

    /// Writes several keys in one atomic step.
    MultiPut "multiput" (Some(Multi), examples::multiput) {
        /// the new value of each key
        values: BTreeMap<String, String>,
    } => {}

    /// Exchanges the values of two keys in one atomic step; absence swaps too.
    Swap "swap" (Some(Multi), examples::swap) {
        /// one key
        a: String,
        /// the other key
        b: String,
    } => {}

    /// Runs the steps in order, all or nothing, if every guard holds.
    Txn "txn" (Some(Txn), examples::txn) {
        /// what each key must hold (null: missing) for the transaction to commit
        #[serde(default)]
        guards: BTreeMap<String, Option<String>>,
        /// the steps, in order
        ops: Vec<MicroOperation>,
    } => {
        /// false when a guard did not hold; nothing happened then
        committed: bool,
        /// where it committed, one entry a step: the key's value right after it
        #[serde(default)]
        results: Vec<Option<String>>,
    }

    /// Adds replica groups: a new configuration.
    Join "join" (Some(Configurations), examples::join) {
        /// the servers of each new group
        groups: BTreeMap<String, Vec<String>>,
    } => {}

    /// Removes replica groups: a new configuration.
    Leave "leave" (Some(Configurations), examples::leave) {
        /// the groups
        groups: Vec<String>,
    } => {}

    /// Gives a shard to a group: a new configuration.
    Move "move" (Some(Configurations), examples::move_shard) {
        /// the shard, counted from 0
        shard: u64,
        /// the group
        group: String,
    } => {}

    /// Asks for a configuration.
    Query "query" (Some(Configurations), examples::query) {
        /// its number; negative, or past the latest: the latest one
        num: i64,
    } => {
        /// its number
        num: u64,
        /// the group that owns each shard; null where there are no groups
        shards: Vec<Option<String>>,
        /// the servers of each group
        groups: BTreeMap<String, Vec<String>>,
    }
}

/// Whether the operation of this name is asked of shard controllers, and not of stores with keys.
#[must_use]
pub fn is_of_controllers(name: &str) -> bool {
    entry(name).is_some_and(|entry| entry.capability == Some(Configurations))
}

/// The registry's row of the operation with this name.
#[must_use]
pub fn entry(name: &str) -> Option<&'static OperationEntry> {
    OPERATIONS.iter().find(|entry| entry.name == name)
}

impl Operation {
    /// Whether the operation can change nothing: such an operation may be `fail` where a write must be `info`.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::Get { .. } | Self::MultiGet { .. } | Self::Query { .. } => true,
            Self::Txn { ops, .. } => ops.iter().all(|op| matches!(op, MicroOperation::Read(_))),
            _ => false,
        }
    }

    /// The keys that it names: none, where it is asked of a shard controller.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        match self {
            Self::Get { key }
            | Self::Put { key, .. }
            | Self::Append { key, .. }
            | Self::PutHash { key, .. }
            | Self::Cas { key, .. } => vec![key],
            Self::MultiGet { keys } => keys.iter().map(String::as_str).collect(),
            Self::MultiPut { values } => values.keys().map(String::as_str).collect(),
            Self::Swap { a, b } => vec![a, b],
            Self::Txn { guards, ops } => {
                let guarded = guards.keys().map(String::as_str);
                guarded.chain(ops.iter().map(MicroOperation::key)).collect()
            }
            Self::Join { .. }
            | Self::Leave { .. }
            | Self::Move { .. }
            | Self::Query { .. }
            | Self::Internal { .. } => Vec::new(),
        }
    }

    /// Whether it is asked of shard controllers, and not of stores with keys.
    #[must_use]
    pub fn is_of_controllers(&self) -> bool {
        is_of_controllers(self.name())
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
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn operation(name: &str, arguments: &Value) -> Operation {
        Operation::from_parts(name, arguments).unwrap()
    }

    #[test]
    fn each_example_is_of_its_own_operation() {
        for entry in OPERATIONS {
            assert_eq!((entry.example)().0.name(), entry.name);
        }
    }

    #[test]
    fn fields_are_those_that_travel() {
        for entry in OPERATIONS {
            let (operation, outcomes) = (entry.example)();
            assert_eq!(names(&operation.arguments()), declared(entry.fields), "{}", entry.name);
            let returned = outcomes.iter().flat_map(|outcome| names(&json!(outcome))).collect();
            let expected: BTreeSet<String> = declared(entry.result);
            assert_eq!(expected, returned, "{}", entry.name);
        }
    }

    #[test]
    fn leaving_out_a_field_is_refused_exactly_where_it_is_required() {
        for entry in OPERATIONS {
            let (operation, outcomes) = (entry.example)();
            for field in entry.fields {
                let mut arguments = operation.arguments();
                arguments.as_object_mut().unwrap().remove(field.name);
                let read = Operation::from_parts(entry.name, &arguments);
                assert_eq!(read.is_err(), field.required, "{} without {}", entry.name, field.name);
            }
            for field in entry.result.iter().filter(|field| field.required) {
                let mut result = json!(outcomes[0]);
                result.as_object_mut().unwrap().remove(field.name);
                assert!(
                    operation.parse_outcome(&result).is_err(),
                    "{} without {}",
                    entry.name,
                    field.name
                );
            }
        }
    }

    #[test]
    fn examples_survive_the_wire() {
        for entry in OPERATIONS {
            let (operation, outcomes) = (entry.example)();
            let text = serde_json::to_string(&operation).unwrap();
            assert_eq!(serde_json::from_str::<Operation>(&text).unwrap(), operation);
            let rebuilt = Operation::from_parts(operation.name(), &operation.arguments());
            assert_eq!(rebuilt.unwrap(), operation);
            for outcome in outcomes {
                assert_eq!(operation.parse_outcome(&json!(outcome)).unwrap(), outcome);
            }
        }
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
            ("query", json!({"num": -1}), true),
            ("leave", json!({"groups": []}), false),
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

    fn names(value: &Value) -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    }

    fn declared(fields: &[Field]) -> BTreeSet<String> {
        fields.iter().map(|field| field.name.to_owned()).collect()
    }
}
