//! Operations in a few words: `put x=1`, `get x → 3`, from the fields that operations commonly have.
//!
//! Nothing here knows a workload. What has none of the common fields is shown as `name=value` pairs.

use serde_json::{Map, Value};

/// A text that stops growing at its bound, so that a huge value costs no more than a small one.
struct Bounded {
    text: String,
    room: usize,
    full: bool,
}

impl Bounded {
    fn new(chars: usize) -> Self {
        Self { text: String::new(), room: chars, full: false }
    }

    fn push(&mut self, text: &str) {
        if self.full {
            return;
        }
        for c in text.chars() {
            if self.room == 0 {
                self.text.push('…');
                self.full = true;
                return;
            }
            // A label is one line.
            self.text.push(if c == '\n' || c == '\t' { ' ' } else { c });
            self.room -= 1;
        }
    }

    /// Appends each item, with a separator between them, as long as there is room.
    fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        separator: &str,
        mut each: impl FnMut(&mut Self, T),
    ) {
        for (position, item) in items.into_iter().enumerate() {
            if self.full {
                return;
            }
            if position > 0 {
                self.push(separator);
            }
            each(self, item);
        }
    }
}

/// The function and its arguments: `put x=1`.
pub fn call(f: &str, arguments: &Value, chars: usize) -> String {
    let mut out = Bounded::new(chars);
    out.push(f);
    let arguments = self::arguments(f, arguments, chars);
    if !arguments.is_empty() {
        out.push(" ");
        out.push(&arguments);
    }
    out.text
}

/// The function's arguments alone: `x=1`.
pub fn arguments(f: &str, arguments: &Value, chars: usize) -> String {
    let mut out = Bounded::new(chars);
    match arguments {
        // A read in Jepsen's way has a place for the value, with nothing in it; who writes null means it.
        Value::Object(fields)
            if has_just(fields, &["key", "value"]) && fields["value"].is_null() && is_read(f) =>
        {
            value(&fields["key"], &mut out);
        }
        arguments => fields_into(arguments, &mut out),
    }
    out.text
}

/// Any value in the same way.
pub fn fields(value: &Value, chars: usize) -> String {
    let mut out = Bounded::new(chars);
    fields_into(value, &mut out);
    out.text
}

fn is_read(f: &str) -> bool {
    matches!(f, "get" | "read" | "r")
}

fn has_just(fields: &Map<String, Value>, names: &[&str]) -> bool {
    fields.len() == names.len() && names.iter().all(|name| fields.contains_key(*name))
}

/// The result of a successful operation: empty where it says nothing that the call does not. What a read found always
/// says something, be it nothing.
pub fn result(f: &str, arguments: &Value, result: &Value, chars: usize) -> String {
    let mut out = Bounded::new(chars);
    let has = |name| arguments.get(name).is_some_and(|value| !value.is_null());
    let writes = has("value") || has("values");
    match result {
        Value::Null if !is_read(f) && (writes || arguments.is_null()) => {}
        Value::Object(fields)
            if is_read(f)
                && has_just(fields, &["key", "value"])
                && arguments.get("key") == fields.get("key") =>
        {
            value(&fields["value"], &mut out);
        }
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("value") => {
            value(&fields["value"], &mut out);
        }
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("values") => {
            value(&fields["values"], &mut out);
        }
        Value::Object(fields) if has_just(fields, &["num", "primary", "backup"]) => {
            view(fields, &mut out);
        }
        same if same == arguments && !same.is_array() && !is_read(f) => {}
        Value::Object(fields) => out.list(fields, ", ", |out, (name, field)| match field {
            Value::Bool(true) => out.push(name),
            Value::Bool(false) => {
                out.push("not ");
                out.push(name);
            }
            other => pair(name, other, out),
        }),
        other => value(other, &mut out),
    }
    out.text
}

fn fields_into(given: &Value, out: &mut Bounded) {
    match given {
        Value::Null => {}
        Value::Object(fields) => fields_of_call(fields, out),
        other => value(other, out),
    }
}

fn fields_of_call(fields: &Map<String, Value>, out: &mut Bounded) {
    let has = |names: &[&str]| has_just(fields, names);
    if has(&["key"]) {
        value(&fields["key"], out);
    } else if has(&["key", "value"]) {
        value(&fields["key"], out);
        out.push("=");
        value(&fields["value"], out);
    } else if has(&["key", "expect", "value"]) {
        value(&fields["key"], out);
        out.push(": ");
        value(&fields["expect"], out);
        out.push(" ⇒ ");
        value(&fields["value"], out);
    } else if has(&["keys"]) {
        items(&fields["keys"], out);
    } else if has(&["values"]) {
        items(&fields["values"], out);
    } else if has(&["a", "b"]) {
        value(&fields["a"], out);
        out.push(" ↔ ");
        value(&fields["b"], out);
    } else if has(&["node", "view"]) {
        value(&fields["node"], out);
        out.push(" with ");
        value(&fields["view"], out);
    } else if fields.contains_key("ops") {
        transaction(fields, out);
    } else {
        out.list(fields, " ", |out, (name, field)| pair(name, field, out));
    }
}

/// `view 2: n1, n2`, the primary first.
fn view(fields: &Map<String, Value>, out: &mut Bounded) {
    out.push("view ");
    value(&fields["num"], out);
    let servers = ["primary", "backup"].map(|name| &fields[name]);
    if servers.iter().any(|server| !server.is_null()) {
        out.push(": ");
        out.list(servers, ", ", |out, server| match server {
            Value::Null => out.push("–"),
            server => value(server, out),
        });
    }
}

/// `if x=1: r x, w y=2`.
fn transaction(fields: &Map<String, Value>, out: &mut Bounded) {
    if let Some(guards) = fields.get("guards").filter(|guards| !is_empty(guards)) {
        out.push("if ");
        items(guards, out);
        out.push(": ");
    }
    items(&fields["ops"], out);
    for (name, field) in fields.iter().filter(|(name, _)| *name != "ops" && *name != "guards") {
        out.push(" ");
        pair(name, field, out);
    }
}

fn pair(name: &str, field: &Value, out: &mut Bounded) {
    out.push(name);
    out.push("=");
    value(field, out);
}

/// The items of a list or the pairs of an object, without brackets.
fn items(list: &Value, out: &mut Bounded) {
    match list {
        Value::Array(list) => out.list(list, ", ", |out, item| match micro_operation(item) {
            Some((f, key, argument)) => {
                out.push(f);
                out.push(" ");
                value(key, out);
                if let Some(argument) = argument {
                    out.push("=");
                    value(argument, out);
                }
            }
            None => value(item, out),
        }),
        Value::Object(fields) => {
            out.list(fields, ", ", |out, (name, field)| pair(name, field, out));
        }
        other => value(other, out),
    }
}

/// `["r", k]`, `["w", k, v]`: one step of a transaction.
fn micro_operation(item: &Value) -> Option<(&str, &Value, Option<&Value>)> {
    let item = item.as_array()?;
    let f = item.first()?.as_str()?;
    let argument = item.get(2).filter(|argument| !argument.is_null());
    (matches!(item.len(), 2 | 3) && !f.is_empty() && f.len() <= 8 && f.is_ascii())
        .then(|| (f, &item[1], argument))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn value(value: &Value, out: &mut Bounded) {
    match value {
        Value::Null => out.push("null"),
        Value::Bool(true) => out.push("true"),
        Value::Bool(false) => out.push("false"),
        Value::Number(number) => out.push(&number.to_string()),
        // A plain word needs no quotes; anything else would be ambiguous without.
        Value::String(text) if is_word(text) => out.push(text),
        Value::String(text) => {
            out.push("\"");
            out.push(text);
            out.push("\"");
        }
        Value::Array(_) => {
            out.push("[");
            items(value, out);
            out.push("]");
        }
        Value::Object(_) => {
            out.push("{");
            items(value, out);
            out.push("}");
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && !matches!(text, "null" | "true" | "false")
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn calls_are_short() {
        let cases = [
            ("get", json!({"key": "x"}), "get x"),
            ("get", json!({"key": "x", "value": null}), "get x"),
            ("read", json!({"key": "x", "value": null}), "read x"),
            ("write", json!({"key": "x", "value": null}), "write x=null"),
            ("put", json!({"key": "x", "value": "1"}), "put x=1"),
            ("put", json!({"key": "x", "value": ""}), "put x=\"\""),
            ("cas", json!({"key": "x", "expect": null, "value": "2"}), "cas x: null ⇒ 2"),
            ("multiget", json!({"keys": ["x", "y"]}), "multiget x, y"),
            ("multiput", json!({"values": {"x": "1", "y": "2"}}), "multiput x=1, y=2"),
            ("swap", json!({"a": "x", "b": "y"}), "swap x ↔ y"),
            (
                "txn",
                json!({"guards": {"x": "1"}, "ops": [["r", "x"], ["w", "y", "2"]]}),
                "txn if x=1: r x, w y=2",
            ),
            ("txn", json!([["r", "x", null], ["append", "x", 4]]), "txn [r x, append x=4]"),
            ("ping", json!({"node": "n1", "view": 2}), "ping n1 with 2"),
            ("transfer", json!({"from": 1, "amount": 5}), "transfer amount=5 from=1"),
            ("read", json!(null), "read"),
        ];
        for (f, arguments, expected) in cases {
            assert_eq!(call(f, &arguments, 100), expected);
        }
    }

    #[test]
    fn results_say_only_what_is_new() {
        let get = json!({"key": "x"});
        let asked = json!({"key": "x", "value": null});
        let put = json!({"key": "x", "value": "1"});
        let cases = [
            ("get", &get, json!({"value": "3"}), "3"),
            ("get", &get, json!({"value": null}), "null"),
            ("get", &get, json!(null), "null"),
            ("get", &get, json!("a b"), "\"a b\""),
            ("get", &asked, json!({"value": null}), "null"),
            ("get", &asked, json!(null), "null"),
            ("put", &put, json!(null), ""),
            ("put", &put, json!({}), ""),
            ("put", &put, put.clone(), ""),
            ("cas", &put, json!({"swapped": false, "value": "7"}), "not swapped, value=7"),
            (
                "txn",
                &put,
                json!({"committed": true, "results": [1, null]}),
                "committed, results=[1, null]",
            ),
            ("ping", &put, json!({"num": 2, "primary": "n1", "backup": "n2"}), "view 2: n1, n2"),
            ("ping", &put, json!({"num": 1, "primary": "n1", "backup": null}), "view 1: n1, –"),
            ("view", &put, json!({"num": 0, "primary": null, "backup": null}), "view 0"),
            ("multiget", &get, json!({"values": {"x": null, "y": "2"}}), "{x=null, y=2}"),
        ];
        for (f, arguments, given, expected) in cases {
            assert_eq!(result(f, arguments, &given, 100), expected, "{given}");
        }
    }

    /// Of a read that found nothing the result is as empty as what was asked.
    #[test]
    fn a_read_of_nothing_is_shown() {
        let asked = json!({"key": "x", "value": null});
        assert_eq!(result("read", &asked, &asked, 100), "null");
        assert_eq!(result("read", &asked, &json!({"key": "x", "value": 3}), 100), "3");
        assert_eq!(result("read", &json!(null), &json!(null), 100), "null");
        assert_eq!(result("acquire", &json!(null), &json!(null), 100), "");
        assert_eq!(result("write", &asked, &asked, 100), "");
    }

    #[test]
    fn huge_values_are_cut() {
        let huge = json!({"key": "k".repeat(1 << 20), "value": vec!["v"; 1 << 16]});
        let label = call("put", &huge, 20);
        assert_eq!(label.chars().count(), 21);
        assert!(label.ends_with('…'));
    }
}
