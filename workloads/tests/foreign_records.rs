//! A record of other clients, or a broken one, is never a violation of this bench's own premises.

mod by_hand;

use by_hand::judge;
use history::{CheckResult, Verdict};
use serde_json::{Value, json};

fn verdict(results: &[CheckResult]) -> Verdict {
    results.iter().fold(Verdict::Valid, |all, result| all.merge(result.verdict))
}

#[test]
fn registers_whose_values_come_back_are_left_to_the_search() {
    let put = |value: &str| ("put", json!({"key": "x", "value": value}), json!({}));
    let get = |value: &str| ("get", json!({"key": "x"}), json!({"value": value}));
    let append = ("append", json!({"key": "x", "value": "2"}), json!({"value": "12"}));
    let right = [put("1"), get("1"), put("2"), get("2"), put("1"), get("1"), append, get("12")];
    assert_eq!(verdict(&judge("register", &right)), Verdict::Valid);
    let empty = [put(""), get(""), put("1"), put(""), get("")];
    assert_eq!(verdict(&judge("register", &empty)), Verdict::Valid);
    assert_eq!(verdict(&judge("register", &[put("1"), put("2"), get("1")])), Verdict::Violation);
}

#[test]
fn banks_with_operations_of_others_are_inconclusive() {
    let put = ("put", json!({"key": "account0", "value": "1"}), json!({}));
    let append = (
        "txn",
        json!({"ops": [["append", "account0", "1"]]}),
        json!({"committed": true, "results": ["1"]}),
    );
    let read = ("multiget", json!({"keys": ["account0"]}), json!({"values": {"account0": "1"}}));
    for name in ["bank:txn", "bank:swap"] {
        for write in [&put, &append] {
            assert_eq!(
                verdict(&judge(name, &[write.clone(), read.clone()])),
                Verdict::Inconclusive,
                "{name}"
            );
        }
    }
}

#[test]
fn the_small_workloads_judge_no_operations_of_others() {
    let put = ("put", json!({"key": "x", "value": "1"}), json!({}));
    let append = ("append", json!({"key": "x", "value": "1"}), json!({"value": "1"}));
    for (name, foreign) in [
        ("set", &put),
        ("counter", &put),
        ("multi", &put),
        ("write-skew", &put),
        ("long-fork", &append),
    ] {
        let results = judge(name, std::slice::from_ref(foreign));
        assert!(results.iter().all(|result| result.verdict == Verdict::Inconclusive), "{name}");
    }
    // A counter that somebody set to what is no number.
    let odd = ("get", json!({"key": "counter0"}), json!({"value": "many"}));
    assert_eq!(verdict(&judge("counter", &[odd])), Verdict::Inconclusive);
}

#[test]
fn values_that_are_not_unique_make_a_bank_inconclusive() {
    let opening = |expect: Value| {
        let arguments = json!({"guards": {"account0": expect}, "ops": [["w", "account0", "1 t"]]});
        ("txn", arguments, json!({"committed": true, "results": ["1 t"]}))
    };
    let twice = [opening(Value::Null), opening(json!("1 t"))];
    assert_eq!(verdict(&judge("bank:txn", &twice)), Verdict::Inconclusive);
    let keys = ["account0", "account1", "account2", "account3"];
    let values: Value = keys.iter().map(|key| ((*key).to_owned(), json!(*key))).collect();
    let fill = ("multiput", json!({"values": values}), json!({}));
    assert_eq!(verdict(&judge("bank:swap", &[fill.clone(), fill])), Verdict::Inconclusive);
}

#[test]
fn random_transactions_that_tested_nothing_are_inconclusive() {
    for (name, f, value) in [("list-append", "append", "c0.1;"), ("rw-register", "w", "c0.1")] {
        let write = ("txn", json!({"ops": [[f, "k0", value]]}));
        let done = json!({"committed": true, "results": [value]});
        let written = (write.0, write.1.clone(), done);
        let refused = (write.0, write.1, json!({"committed": false}));
        let read =
            |seen: Value| ("multiget", json!({"keys": ["k0"]}), json!({"values": {"k0": seen}}));
        let foreign = ("put", json!({"key": "k0", "value": "7"}), json!({}));
        let judge = |operations: &[_]| verdict(&judge(name, operations));
        assert_eq!(judge(&[written.clone(), read(json!(value))]), Verdict::Valid, "{name}");
        assert_eq!(judge(&[]), Verdict::Inconclusive, "{name}");
        assert_eq!(judge(&[read(Value::Null)]), Verdict::Inconclusive, "{name}");
        assert_eq!(judge(std::slice::from_ref(&written)), Verdict::Inconclusive, "{name}");
        assert_eq!(judge(&[written.clone(), foreign]), Verdict::Inconclusive, "{name}");
        assert_eq!(judge(&[written, read(Value::Null)]), Verdict::Violation, "{name}");
        assert_eq!(judge(&[refused, read(Value::Null)]), Verdict::Violation, "{name}: no guard");
    }
}

#[test]
fn records_that_cannot_be_read_are_inconclusive_and_events_of_the_bench_are_skipped() {
    let of_stores = workloads::WORKLOADS.into_iter().map(|entry| entry.name);
    for name in of_stores.filter(|name| *name != "bank") {
        let broken = [("get", json!({"clef": "x"}), json!({}))];
        assert_eq!(verdict(&judge(name, &broken)), Verdict::Inconclusive, "{name}");
        let foreign = [("phase", json!("main"), Value::Null)];
        assert!(judge(name, &foreign).iter().all(|result| result.violations.is_empty()), "{name}");
    }
}

#[test]
fn an_answer_that_does_not_fit_counts_as_unknown() {
    let put = ("put", json!({"key": "k0", "value": "c1.1;"}), json!({}));
    let garbled = ("get", json!({"key": "k0"}), json!({"value": 7}));
    assert_eq!(verdict(&judge("register", &[put, garbled])), Verdict::Valid);
}
