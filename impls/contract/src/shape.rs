//! What a field of an operation holds: one row for each Rust type, in words and as a JSON schema.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::MicroOperation;

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// In words.
    pub words: &'static str,
    /// As a JSON schema.
    pub schema: fn() -> Value,
}

/// A type that fields of operations and results have.
pub trait Shaped {
    /// What such a field holds.
    const SHAPE: Shape;
}

macro_rules! shapes {
    ($($holder:ty: $words:literal, $schema:expr;)*) => {
        $(impl Shaped for $holder {
            const SHAPE: Shape = Shape { words: $words, schema: || $schema };
        })*
    };
}

shapes! {
    String: "string", text();
    Option<String>: "string or null", optional_text();
    Vec<String>: "list of strings", list(&text());
    Vec<Option<String>>: "list of strings or nulls", list(&optional_text());
    bool: "true or false", json!({ "type": "boolean" });
    u64: "whole number from 0", json!({ "type": "integer", "minimum": 0 });
    i64: "whole number", json!({ "type": "integer" });
    BTreeMap<String, Vec<String>>: "object: group → list of node ids", by_key(&list(&text()));
    BTreeMap<String, String>: "object: key → string", by_key(&text());
    BTreeMap<String, Option<String>>: "object: key → string or null", by_key(&optional_text());
    Vec<MicroOperation>:
        "list of `[\"r\",key]`, `[\"w\",key,value]`, `[\"append\",key,value]`",
        list(&json!({ "$ref": "#/components/schemas/MicroOperation" }));
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn optional_text() -> Value {
    json!({ "type": ["string", "null"] })
}

fn list(item: &Value) -> Value {
    json!({ "type": "array", "items": item })
}

fn by_key(value: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": value })
}
