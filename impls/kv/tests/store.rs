//! The store against a naive model: an unsorted list of pairs, written without looking at the store.

use std::collections::BTreeMap;

use contract::{Answer, ErrorCode, MicroOperation, Operation, Outcome};
use kv::Store;
use node::Application;
use proptest::{collection, option, prelude::*};

/// Pairs in the order in which they were first written.
#[derive(Default)]
struct Model(Vec<(String, String)>);

impl Model {
    fn get(&self, wanted: &str) -> Option<String> {
        self.0.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.clone())
    }

    fn set(&mut self, key: &str, value: Option<&str>) {
        self.0.retain(|(present, _)| present != key);
        if let Some(value) = value {
            self.0.push((key.to_owned(), value.to_owned()));
        }
    }

    fn run(&mut self, operation: &Operation) -> Outcome {
        match operation {
            Operation::Get { key } => Outcome::Value { value: self.get(key) },
            Operation::Put { key, value } => {
                self.set(key, Some(value));
                Outcome::Done {}
            }
            Operation::Append { key, value } => {
                let whole = self.get(key).unwrap_or_default() + value;
                self.set(key, Some(&whole));
                Outcome::Value { value: Some(whole) }
            }
            Operation::PutHash { key, value } => {
                let previous = self.get(key).unwrap_or_default();
                let mut hash: u32 = 2_166_136_261;
                for byte in previous.bytes().chain(value.bytes()) {
                    hash = (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
                }
                self.set(key, Some(&hash.to_string()));
                Outcome::Previous { previous }
            }
            Operation::Cas { key, expect, value } => {
                let current = self.get(key);
                if current == *expect {
                    self.set(key, Some(value));
                    Outcome::Swapped { swapped: true, value: None }
                } else {
                    Outcome::Swapped { swapped: false, value: Some(current) }
                }
            }
            Operation::MultiGet { keys } => {
                Outcome::Values { values: keys.iter().map(|k| (k.clone(), self.get(k))).collect() }
            }
            Operation::MultiPut { values } => {
                for (key, value) in values {
                    self.set(key, Some(value));
                }
                Outcome::Done {}
            }
            Operation::Swap { a, b } => {
                let (first, second) = (self.get(a), self.get(b));
                self.set(a, second.as_deref());
                self.set(b, first.as_deref());
                Outcome::Done {}
            }
            Operation::Txn { guards, ops } => self.transaction(guards, ops),
            other => panic!("{other:?} is not asked of keys"),
        }
    }

    fn transaction(
        &mut self,
        guards: &BTreeMap<String, Option<String>>,
        ops: &[MicroOperation],
    ) -> Outcome {
        for (key, expect) in guards {
            if self.get(key) != *expect {
                return Outcome::Committed { committed: false, results: None };
            }
        }
        let mut results = Vec::new();
        for op in ops {
            let key = match op {
                MicroOperation::Read(key) => key,
                MicroOperation::Write(key, value) => {
                    self.set(key, Some(value));
                    key
                }
                MicroOperation::Append(key, value) => {
                    let whole = self.get(key).unwrap_or_default() + value;
                    self.set(key, Some(&whole));
                    key
                }
            };
            results.push(self.get(key));
        }
        Outcome::Committed { committed: true, results: Some(results) }
    }
}

// Few keys and values, so that conditions hold and fail about as often.
fn key() -> impl Strategy<Value = String> {
    "[a-d]"
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[01]", 1 => Just(String::new()), 1 => "\\PC{0,3}"]
}

fn micro_operation() -> impl Strategy<Value = MicroOperation> {
    prop_oneof![
        key().prop_map(MicroOperation::Read),
        (key(), value()).prop_map(|(key, value)| MicroOperation::Write(key, value)),
        (key(), value()).prop_map(|(key, value)| MicroOperation::Append(key, value)),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        key().prop_map(|key| Operation::Get { key }),
        (key(), value()).prop_map(|(key, value)| Operation::Put { key, value }),
        (key(), value()).prop_map(|(key, value)| Operation::Append { key, value }),
        (key(), value()).prop_map(|(key, value)| Operation::PutHash { key, value }),
        (key(), option::of(value()), value()).prop_map(|(key, expect, value)| Operation::Cas {
            key,
            expect,
            value
        }),
        collection::vec(key(), 0..4).prop_map(|keys| Operation::MultiGet { keys }),
        collection::btree_map(key(), value(), 0..4)
            .prop_map(|values| Operation::MultiPut { values }),
        (key(), key()).prop_map(|(a, b)| Operation::Swap { a, b }),
        (
            collection::btree_map(key(), option::of(value()), 0..2),
            collection::vec(micro_operation(), 0..5)
        )
            .prop_map(|(guards, ops)| Operation::Txn { guards, ops }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_operation_does_what_the_model_does(
        operations in collection::vec(operation(), 1..40)
    ) {
        let (mut store, mut model) = (Store::default(), Model::default());
        for operation in &operations {
            let before = store.clone();
            if let Some(outcome) = store.query(operation) {
                prop_assert!(operation.is_read_only());
                prop_assert_eq!(&store.clone().apply(operation), &outcome);
            } else {
                prop_assert!(!operation.is_read_only());
            }
            let Answer::Ok(outcome) = store.apply(operation) else { panic!("{operation:?}") };
            prop_assert_eq!(&outcome, &model.run(operation), "{:?}", operation);
            // What the store answers has the shape that the contract asks for.
            let wire = serde_json::to_value(&outcome).unwrap();
            prop_assert_eq!(operation.parse_outcome(&wire), Ok(outcome));
            if operation.is_read_only() {
                prop_assert_eq!(&before, &store);
            }
        }
        for key in ["a", "b", "c", "d"] {
            prop_assert_eq!(store.get(key).map(str::to_owned), model.get(key));
        }
        prop_assert_eq!(store.len(), model.0.len());
    }

    #[test]
    fn a_snapshot_restores_the_same_store(operations in collection::vec(operation(), 0..40)) {
        let mut store = Store::default();
        for operation in &operations {
            store.apply(operation);
        }
        let mut other = Store::default();
        other.apply(&Operation::Put { key: "stale".to_owned(), value: "1".to_owned() });
        other.restore(&store.snapshot()).unwrap();
        prop_assert_eq!(&other, &store);
        prop_assert_eq!(other.snapshot(), store.snapshot());
    }
}

#[test]
fn a_snapshot_that_is_none_changes_nothing() {
    let mut store = Store::default();
    store.apply(&Operation::Put { key: "x".to_owned(), value: "1".to_owned() });
    let before = store.clone();
    for bytes in [&b""[..], b"{", b"[]", b"{\"x\":1}", b"\xFF"] {
        let error = store.restore(bytes).unwrap_err();
        assert!(error.contains("no snapshot of a store"), "{error}");
        assert_eq!(store, before);
    }
}

#[test]
fn what_is_asked_of_shard_controllers_is_refused_and_changes_nothing() {
    let mut store = Store::default();
    for operation in [Operation::Query { num: -1 }, Operation::Leave { groups: Vec::new() }] {
        let Answer::Error(refusal) = store.apply(&operation) else { panic!("{operation:?}") };
        assert_eq!(refusal.code, ErrorCode::Unsupported);
    }
    assert!(store.is_empty());
}

#[test]
fn a_store_falls_into_parts_and_is_put_together_again() {
    let mut store = Store::default();
    for key in ["a1", "a2", "b1"] {
        store.set(key, Some(key.to_owned()));
    }
    let whole = store.clone();
    let taken = store.take(|key| key.starts_with('a'));
    assert_eq!((taken.len(), store.len(), store.get("b1")), (2, 1, Some("b1")));
    store.absorb(taken);
    assert_eq!(store, whole);
}
