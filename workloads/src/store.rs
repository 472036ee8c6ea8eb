//! Keys as the contract says that they behave, for the checker of linearizability.

use std::collections::BTreeMap;

use contract::{MicroOperation, Operation as Asked, Outcome, puthash};
use history::words::cut;
use linearizability::{Content, Effect, Effects, Leaves, Model, Saw};

/// What the keys hold; a missing key has no entry.
pub type Values = BTreeMap<String, String>;
/// What an operation leaves at each key that it writes, `None` where it leaves nothing.
pub type Written = Vec<(String, Option<String>)>;

/// So much of an operation is told.
const SHOWN_CHARS_MAX: usize = 120;

/// Some keys of a store, all missing at first, and every operation of the contract on them at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Store;

impl Model for Store {
    type Input = Asked;
    type Output = Outcome;
    type State = Values;

    fn initial(&self) -> Values {
        Values::new()
    }

    fn step(&self, values: &Values, asked: &Asked, output: Option<&Outcome>) -> Option<Values> {
        let written = answered(values, asked, output)?;
        let mut next = values.clone();
        write(&mut next, written);
        Some(next)
    }

    fn describe(&self, asked: &Asked, output: Option<&Outcome>) -> String {
        let asked_for = format!("{} {}", asked.name(), asked.arguments());
        let answer = output.and_then(|outcome| serde_json::to_value(outcome).ok());
        match answer.filter(|answer| *answer != serde_json::json!({})) {
            Some(answer) => cut(&format!("{asked_for} = {answer}"), SHOWN_CHARS_MAX),
            None => cut(&asked_for, SHOWN_CHARS_MAX),
        }
    }

    fn effects<'a>(&'a self, asked: &'a Asked, output: Option<&'a Outcome>) -> Effects<'a> {
        effects(asked, output)
    }

    fn state_bytes(&self, values: &Values) -> usize {
        size_of::<Values>() + bytes(values)
    }
}

/// What an operation with this answer saw of each key, and what it leaves there.
#[must_use]
pub fn effects<'a>(asked: &'a Asked, output: Option<&'a Outcome>) -> Effects<'a> {
    let saw = |key: &'a String, value: &'a Option<String>| {
        let content = Content::of_text(value.as_deref());
        Effect::on(key.as_str(), Saw::Exactly(content), Leaves::Unchanged)
    };
    let wrote = |key: &'a String, value: &'a String| {
        Effect::on(key.as_str(), Saw::Anything, Leaves::Exactly(Content::from(value.as_str())))
    };
    match (asked, output) {
        (Asked::Get { .. } | Asked::MultiGet { .. }, None) => Effects::none(),
        (Asked::Get { key }, Some(Outcome::Value { value })) => {
            [saw(key, value)].into_iter().collect()
        }
        (Asked::MultiGet { .. }, Some(Outcome::Values { values })) => {
            values.iter().map(|(key, value)| saw(key, value)).collect()
        }
        (Asked::Put { key, value }, _) => [wrote(key, value)].into_iter().collect(),
        (Asked::MultiPut { values }, _) => {
            values.iter().map(|(key, value)| wrote(key, value)).collect()
        }
        _ if asked.is_read_only() => Effects::whole(Saw::Something, Leaves::Unchanged),
        _ => Effects::unknown(),
    }
}

/// About how many bytes these values take.
#[must_use]
pub fn bytes(values: &Values) -> usize {
    values.iter().map(|(key, value)| key.len() + value.len() + 48).sum()
}

/// Puts into effect what an operation writes.
pub fn write(values: &mut Values, written: Written) {
    for (key, value) in written {
        match value {
            Some(value) => drop(values.insert(key, value)),
            None => drop(values.remove(&key)),
        }
    }
}

/// What the operation writes here, where its answer can be this one; `output` of `None`: any.
#[must_use]
pub fn answered(values: &Values, asked: &Asked, output: Option<&Outcome>) -> Option<Written> {
    let (outcome, written) = carried_out(values, asked);
    output.is_none_or(|output| says(output, &outcome)).then_some(written)
}

/// A refusal need not say why.
fn says(output: &Outcome, outcome: &Outcome) -> bool {
    let refused = Outcome::Swapped { swapped: false, value: None };
    *output == refused && matches!(outcome, Outcome::Swapped { swapped: false, .. })
        || output == outcome
}

/// What the operation comes to on these values, and what it writes.
fn carried_out(values: &Values, asked: &Asked) -> (Outcome, Written) {
    let at = |key: &String| values.get(key).cloned();
    let one = |key: &String, value: String| vec![(key.clone(), Some(value))];
    match asked {
        Asked::Get { key } => (Outcome::Value { value: at(key) }, Vec::new()),
        Asked::MultiGet { keys } => {
            let values = keys.iter().map(|key| (key.clone(), at(key))).collect();
            (Outcome::Values { values }, Vec::new())
        }
        Asked::Put { key, value } => (Outcome::Done {}, one(key, value.clone())),
        Asked::Append { key, value } => {
            let new = at(key).unwrap_or_default() + value;
            (Outcome::Value { value: Some(new.clone()) }, one(key, new))
        }
        Asked::PutHash { key, value } => {
            let previous = at(key).unwrap_or_default();
            let hash = puthash(&previous, value);
            (Outcome::Previous { previous }, one(key, hash))
        }
        Asked::Cas { key, expect, value } => match at(key) {
            found if found == *expect => {
                (Outcome::Swapped { swapped: true, value: None }, one(key, value.clone()))
            }
            found => (Outcome::Swapped { swapped: false, value: Some(found) }, Vec::new()),
        },
        Asked::MultiPut { values } => {
            let written = values.iter().map(|(key, value)| (key.clone(), Some(value.clone())));
            (Outcome::Done {}, written.collect())
        }
        Asked::Swap { a, b } => (Outcome::Done {}, vec![(a.clone(), at(b)), (b.clone(), at(a))]),
        Asked::Txn { guards, ops } => transacted(values, guards, ops),
        // Not asked of keys.
        Asked::Join { .. }
        | Asked::Leave { .. }
        | Asked::Move { .. }
        | Asked::Query { .. }
        | Asked::Internal { .. } => (Outcome::Done {}, Vec::new()),
    }
}

fn transacted(
    values: &Values,
    guards: &BTreeMap<String, Option<String>>,
    ops: &[MicroOperation],
) -> (Outcome, Written) {
    if guards.iter().any(|(key, expected)| values.get(key) != expected.as_ref()) {
        return (Outcome::Committed { committed: false, results: None }, Vec::new());
    }
    let mut now = values.clone();
    let mut written = Written::new();
    let results = ops.iter().map(|op| {
        let (MicroOperation::Read(key)
        | MicroOperation::Write(key, _)
        | MicroOperation::Append(key, _)) = op;
        match op {
            MicroOperation::Read(_) => {}
            MicroOperation::Write(_, value) => drop(now.insert(key.clone(), value.clone())),
            MicroOperation::Append(_, value) => now.entry(key.clone()).or_default().push_str(value),
        }
        let value = now.get(key).cloned();
        if !matches!(op, MicroOperation::Read(_)) {
            written.push((key.clone(), value.clone()));
        }
        value
    });
    let results = Some(results.collect());
    (Outcome::Committed { committed: true, results }, written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What the operation comes to on `{"x": "a"}`, and what the keys hold then.
    fn on_a(f: &str, arguments: &Value) -> (Value, Value) {
        let asked = Asked::from_parts(f, arguments).unwrap();
        let values = Values::from([("x".to_owned(), "a".to_owned())]);
        let (outcome, written) = carried_out(&values, &asked);
        let next = Store.step(&values, &asked, Some(&outcome)).expect("its own answer is right");
        let mut after = values.clone();
        write(&mut after, written);
        assert_eq!(next, after);
        (serde_json::to_value(outcome).unwrap(), serde_json::to_value(after).unwrap())
    }

    #[test]
    fn every_operation_does_what_the_contract_says() {
        for (f, arguments, outcome, after) in [
            ("get", json!({ "key": "x" }), json!({ "value": "a" }), json!({ "x": "a" })),
            ("get", json!({ "key": "y" }), json!({ "value": null }), json!({ "x": "a" })),
            ("put", json!({ "key": "x", "value": "b" }), json!({}), json!({ "x": "b" })),
            (
                "append",
                json!({ "key": "y", "value": "b" }),
                json!({ "value": "b" }),
                json!({ "x": "a", "y": "b" }),
            ),
            (
                "puthash",
                json!({ "key": "x", "value": "b" }),
                json!({ "previous": "a" }),
                json!({ "x": puthash("a", "b") }),
            ),
            (
                "cas",
                json!({ "key": "x", "expect": "a", "value": "b" }),
                json!({ "swapped": true }),
                json!({ "x": "b" }),
            ),
            (
                "cas",
                json!({ "key": "x", "expect": null, "value": "b" }),
                json!({ "swapped": false, "value": "a" }),
                json!({ "x": "a" }),
            ),
            (
                "multiget",
                json!({ "keys": ["x", "y"] }),
                json!({ "values": { "x": "a", "y": null } }),
                json!({ "x": "a" }),
            ),
            (
                "multiput",
                json!({ "values": { "y": "b" } }),
                json!({}),
                json!({ "x": "a", "y": "b" }),
            ),
            ("swap", json!({ "a": "x", "b": "y" }), json!({}), json!({ "y": "a" })),
            (
                "txn",
                json!({ "guards": { "x": "a" }, "ops": [["r", "x"], ["append", "x", "b"], ["w", "y", "c"], ["r", "y"]] }),
                json!({ "committed": true, "results": ["a", "ab", "c", "c"] }),
                json!({ "x": "ab", "y": "c" }),
            ),
            (
                "txn",
                json!({ "guards": { "y": "a" }, "ops": [["w", "x", "b"]] }),
                json!({ "committed": false }),
                json!({ "x": "a" }),
            ),
        ] {
            assert_eq!(on_a(f, &arguments), (outcome, after), "{f} {arguments}");
        }
    }

    #[test]
    fn a_wrong_answer_is_none_and_a_refusal_need_not_say_why() {
        let asked = |f: &str, arguments: Value| Asked::from_parts(f, &arguments).unwrap();
        let refused = |value| Outcome::Swapped { swapped: false, value };
        let cas = asked("cas", json!({ "key": "x", "expect": "a", "value": "b" }));
        let says = |outcome: Outcome| Store.step(&Values::new(), &cas, Some(&outcome)).is_some();
        assert!(says(refused(None)) && says(refused(Some(None))));
        assert!(!says(refused(Some(Some("c".to_owned())))));
        assert!(!says(Outcome::Swapped { swapped: true, value: None }));
    }
}
