//! The registry of operations: fields, result, capability, meaning and an example of each.

use std::collections::BTreeMap;

use crate::{
    MicroOperation, Operation, Outcome,
    manifest::Capability::{self, Append, Cas, Multi, PutHash, Txn},
};

/// One row of the registry of operations.
#[derive(Clone, Copy, Debug)]
pub struct OperationEntry {
    /// The operation's name: its `type` on the wire, its `f` in a history.
    pub name: &'static str,
    /// The capability that a manifest must claim; `None`: every store serves it.
    pub capability: Option<Capability>,
    /// The fields beside `type`.
    pub fields: &'static [Field],
    /// The fields of the result.
    pub result: &'static [Field],
    /// What it does, in one sentence.
    pub meaning: &'static str,
    /// A request and every kind of answer it can get.
    pub example: fn() -> (Operation, Vec<Outcome>),
}

/// A field of an operation or of its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// What it means, in a few words.
    pub meaning: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// A string, or `null` where the key is missing.
    OptionalText,
    /// A list of strings.
    Texts,
    /// `true` or `false`.
    Boolean,
    /// An object: key → string.
    TextByKey,
    /// An object: key → string, or `null` where the key is missing.
    OptionalTextByKey,
    /// A list of strings and `null`s.
    OptionalTexts,
    /// A list of `["r",key]`, `["w",key,value]` and `["append",key,value]`.
    MicroOperations,
}

impl Shape {
    /// The shape in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::OptionalText => "string or null",
            Self::Texts => "list of strings",
            Self::Boolean => "true or false",
            Self::TextByKey => "object: key → string",
            Self::OptionalTextByKey => "object: key → string or null",
            Self::OptionalTexts => "list of strings or nulls",
            Self::MicroOperations => {
                "list of `[\"r\",key]`, `[\"w\",key,value]`, `[\"append\",key,value]`"
            }
        }
    }
}

const KEY: Field = must("key", Shape::Text, "the key");

/// Every operation of the client API.
pub const OPERATIONS: [OperationEntry; 9] = [
    OperationEntry {
        name: "get",
        capability: None,
        fields: &[KEY],
        result: &[must("value", Shape::OptionalText, "null when the key is missing")],
        meaning: "Reads one key.",
        example: get,
    },
    OperationEntry {
        name: "put",
        capability: None,
        fields: &[KEY, must("value", Shape::Text, "the new value")],
        result: &[],
        meaning: "Overwrites one key.",
        example: put,
    },
    OperationEntry {
        name: "append",
        capability: Some(Append),
        fields: &[KEY, must("value", Shape::Text, "what is appended")],
        result: &[must("value", Shape::Text, "the whole new value")],
        meaning: "Appends to a key's value; a missing key counts as empty.",
        example: append,
    },
    OperationEntry {
        name: "puthash",
        capability: Some(PutHash),
        fields: &[KEY, must("value", Shape::Text, "what is hashed behind the previous value")],
        result: &[must(
            "previous",
            Shape::Text,
            "the value before; empty when the key was missing",
        )],
        meaning: "Stores the decimal FNV-1a-32 hash of previous + value; a missing key counts as empty.",
        example: puthash,
    },
    OperationEntry {
        name: "cas",
        capability: Some(Cas),
        fields: &[
            KEY,
            may(
                "expect",
                Shape::OptionalText,
                "what the key must hold; null or absent: it must be missing",
            ),
            must("value", Shape::Text, "the new value"),
        ],
        result: &[
            must("swapped", Shape::Boolean, "whether the value was written"),
            may(
                "value",
                Shape::OptionalText,
                "what the key holds instead, where nothing was written",
            ),
        ],
        meaning: "Writes only where the key holds what is expected.",
        example: cas,
    },
    OperationEntry {
        name: "multiget",
        capability: Some(Multi),
        fields: &[must("keys", Shape::Texts, "the keys")],
        result: &[must("values", Shape::OptionalTextByKey, "exactly the keys that were asked for")],
        meaning: "Reads several keys in one atomic step.",
        example: multiget,
    },
    OperationEntry {
        name: "multiput",
        capability: Some(Multi),
        fields: &[must("values", Shape::TextByKey, "the new value of each key")],
        result: &[],
        meaning: "Writes several keys in one atomic step.",
        example: multiput,
    },
    OperationEntry {
        name: "swap",
        capability: Some(Multi),
        fields: &[must("a", Shape::Text, "one key"), must("b", Shape::Text, "the other key")],
        result: &[],
        meaning: "Exchanges the values of two keys in one atomic step; absence swaps too.",
        example: swap,
    },
    OperationEntry {
        name: "txn",
        capability: Some(Txn),
        fields: &[
            may(
                "guards",
                Shape::OptionalTextByKey,
                "what each key must hold (null: missing) for the transaction to commit",
            ),
            must("ops", Shape::MicroOperations, "the steps, in order"),
        ],
        result: &[
            must(
                "committed",
                Shape::Boolean,
                "false when a guard did not hold; nothing happened then",
            ),
            may(
                "results",
                Shape::OptionalTexts,
                "where it committed, one entry a step: the key's value right after it",
            ),
        ],
        meaning: "Runs the steps in order, all or nothing, if every guard holds.",
        example: txn,
    },
];

/// The row of the operation with this name.
#[must_use]
pub fn operation(name: &str) -> Option<&'static OperationEntry> {
    OPERATIONS.iter().find(|entry| entry.name == name)
}

const fn must(name: &'static str, shape: Shape, meaning: &'static str) -> Field {
    Field { name, shape, required: true, meaning }
}

const fn may(name: &'static str, shape: Shape, meaning: &'static str) -> Field {
    Field { name, shape, required: false, meaning }
}

fn text(value: &str) -> String {
    value.to_owned()
}

fn get() -> (Operation, Vec<Outcome>) {
    let found = Outcome::Value { value: Some(text("1")) };
    (Operation::Get { key: text("x") }, vec![found, Outcome::Value { value: None }])
}

fn put() -> (Operation, Vec<Outcome>) {
    (Operation::Put { key: text("x"), value: text("1") }, vec![Outcome::Done {}])
}

fn append() -> (Operation, Vec<Outcome>) {
    let operation = Operation::Append { key: text("x"), value: text("2") };
    (operation, vec![Outcome::Value { value: Some(text("12")) }])
}

fn puthash() -> (Operation, Vec<Outcome>) {
    let operation = Operation::PutHash { key: text("x"), value: text("2") };
    (operation, vec![Outcome::Previous { previous: text("1") }])
}

fn cas() -> (Operation, Vec<Outcome>) {
    let operation = Operation::Cas { key: text("x"), expect: Some(text("1")), value: text("2") };
    let outcomes = vec![
        Outcome::Swapped { swapped: true, value: None },
        Outcome::Swapped { swapped: false, value: Some(Some(text("7"))) },
    ];
    (operation, outcomes)
}

fn multiget() -> (Operation, Vec<Outcome>) {
    let values = BTreeMap::from([(text("x"), Some(text("1"))), (text("y"), None)]);
    (Operation::MultiGet { keys: vec![text("x"), text("y")] }, vec![Outcome::Values { values }])
}

fn multiput() -> (Operation, Vec<Outcome>) {
    let values = BTreeMap::from([(text("x"), text("1")), (text("y"), text("2"))]);
    (Operation::MultiPut { values }, vec![Outcome::Done {}])
}

fn swap() -> (Operation, Vec<Outcome>) {
    (Operation::Swap { a: text("x"), b: text("y") }, vec![Outcome::Done {}])
}

fn txn() -> (Operation, Vec<Outcome>) {
    let operation = Operation::Txn {
        guards: BTreeMap::from([(text("x"), Some(text("1"))), (text("y"), None)]),
        ops: vec![
            MicroOperation::Read(text("x")),
            MicroOperation::Write(text("y"), text("2")),
            MicroOperation::Append(text("y"), text("3")),
        ],
    };
    let results = ["1", "2", "23"].map(|value| Some(text(value))).to_vec();
    let outcomes = vec![
        Outcome::Committed { committed: true, results: Some(results) },
        Outcome::Committed { committed: false, results: None },
    ];
    (operation, outcomes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;

    /// Fails to compile when the enum grows: add the variant here, its row above, and its place in the examples.
    fn number(operation: &Operation) -> usize {
        match operation {
            Operation::Get { .. } => 0,
            Operation::Put { .. } => 1,
            Operation::Append { .. } => 2,
            Operation::PutHash { .. } => 3,
            Operation::Cas { .. } => 4,
            Operation::MultiGet { .. } => 5,
            Operation::MultiPut { .. } => 6,
            Operation::Swap { .. } => 7,
            Operation::Txn { .. } => 8,
        }
    }

    #[test]
    fn the_registry_and_the_enum_hold_the_same_operations() {
        for (at, entry) in OPERATIONS.iter().enumerate() {
            let (example, _) = (entry.example)();
            assert_eq!((number(&example), example.name()), (at, entry.name));
        }
        // What serde itself knows: its error for an unknown name lists the variants.
        let error = Operation::from_parts("?", &json!({})).unwrap_err();
        let known: BTreeSet<&str> = error.split('`').skip(5).step_by(2).collect();
        assert_eq!(known, OPERATIONS.iter().map(|entry| entry.name).collect(), "{error}");
    }

    #[test]
    fn fields_are_those_that_travel() {
        for entry in &OPERATIONS {
            let (operation, outcomes) = (entry.example)();
            assert_eq!(names(&operation.arguments()), declared(entry.fields), "{}", entry.name);
            let told = outcomes.iter().flat_map(|outcome| names(&json!(outcome))).collect();
            let expected: BTreeSet<String> = declared(entry.result);
            assert_eq!(expected, told, "{}", entry.name);
        }
    }

    #[test]
    fn leaving_out_a_field_is_refused_exactly_where_it_is_required() {
        for entry in &OPERATIONS {
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
        for entry in &OPERATIONS {
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

    fn names(value: &Value) -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    }

    fn declared(fields: &[Field]) -> BTreeSet<String> {
        fields.iter().map(|field| field.name.to_owned()).collect()
    }
}
