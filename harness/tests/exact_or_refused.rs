//! What a history says is taken exactly, or refused with what was found and what was expected.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

mod common;

use common::{HARNESS, Ran, finish};
use std::process::Command;

/// Checks a history in a file of this name.
fn check(name: &str, text: &str, model: &str) -> Ran {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join(name);
    std::fs::write(&path, text).unwrap();
    finish(Command::new(HARNESS).arg("check").arg(path).args(["--model", model]))
}

/// One process; `f argument result` three by three. Times are left out.
fn edn(steps: &[(&str, &str, &str)]) -> String {
    let event = |kind: &str, f: &str, value: &str| {
        format!("{{:process 0 :type :{kind} :f :{f} :value {value}}}\n")
    };
    let step =
        |&(f, asked, done): &(&str, &str, &str)| event("invoke", f, asked) + &event("ok", f, done);
    steps.iter().map(step).collect()
}

fn jsonl(steps: &[(&str, &str, &str)]) -> String {
    let event = |kind: &str, f: &str, value: &str| {
        format!("{{\"process\":0,\"type\":\"{kind}\",\"f\":\"{f}\",\"value\":{value}}}\n")
    };
    let step =
        |&(f, asked, done): &(&str, &str, &str)| event("invoke", f, asked) + &event("ok", f, done);
    steps.iter().map(step).collect()
}

#[test]
fn numbers_of_json_are_exact() {
    let written = |value: &str, read: &str| {
        let history = jsonl(&[("write", value, value), ("read", "null", read)]);
        check("a.jsonl", &history, "register")
    };
    for (value, same) in [
        ("18446744073709551617", "18446744073709551617"),
        ("1.5", "1.50"),
        ("1e3", "1000.0"),
        ("-0.0", "0.0"),
    ] {
        written(value, same).expect(0, "VALID");
    }
    for (value, other) in [
        // The same double.
        ("18446744073709551617", "18446744073709551616"),
        ("9007199254740993.0", "9007199254740992.0"),
        ("0.1", "0.1000000000000000055"),
        ("1", "1.0"),
    ] {
        written(value, other).expect(1, other);
    }
    written("1e99999999999", "1")
        .expect(2, "line 1, column 50: expected a number, found `1e99999999999`");
}

#[test]
fn what_is_equal_in_clojure_is_equal_here() {
    let written = |value: &str, read: &str| {
        let history = edn(&[("write", value, value), ("read", "nil", read)]);
        check("a.edn", &history, "register")
    };
    for (value, same) in [
        ("1", "1N"),
        ("18446744073709551617", "18446744073709551617N"),
        ("#{1 2}", "#{2 1}"),
        ("[1 2]", "(1 2)"),
        ("1/2", "2/4"),
        ("4/2", "2"),
        ("1.5M", "1.50M"),
        ("{[1 2] :a, 3 {:b #{1 2}}}", "{3N {:b #{2 1N}}, (1 2) :a}"),
        ("[{:a (1 #{2/4})}]", "({:a [1N #{1/2}]})"),
    ] {
        written(value, same).expect(0, "VALID");
    }
    for (value, other) in [
        ("1", "1.0"),
        ("1.5", "1.5M"),
        ("1/2", "0.5"),
        ("[1 2]", "[2 1]"),
        (":a", "\"a\""),
        ("[1]", "#{1}"),
    ] {
        written(value, other).expect(1, "VIOLATION");
    }
    written("1/0", "1").expect(2, "line 1, column 44: expected an EDN value, found `1/0`");
}

/// Keys of transactions, too.
#[test]
fn equal_keys_are_one_key() {
    let history = edn(&[
        ("txn", "[[:w [1 2] 5]]", "[[:w [1 2] 5]]"),
        ("txn", "[[:r (1 2) nil]]", "[[:r (1 2) nil]]"),
    ]);
    check("a.edn", &history, "rw-register").expect(1, "VIOLATION");
}

#[test]
fn a_completion_that_contradicts_its_invocation_is_refused() {
    let expected = "contradicts its invocation";
    for (model, f, asked, done) in [
        ("register", "write", "1", "2"),
        ("cas-register", "cas", "[1 2]", "[1 3]"),
        ("kv", "put", "[:x 1]", "[:x 2]"),
        ("kv", "append", "[:x \"a\"]", "[:y \"a\"]"),
        ("kv", "put", "{\"key\" \"x\" \"value\" \"1\"}", "{\"value\" \"2\"}"),
        ("counter", "add", "1", "2"),
        ("set", "add", "1", "2"),
        ("queue", "enqueue", "1", "2"),
        ("stack", "push", "1", "2"),
        ("multi-register", "txn", "[[:w :x 1]]", "[[:w :x 2]]"),
        ("list-append", "txn", "[[:append 1 1]]", "[[:append 1 2]]"),
        ("list-append", "txn", "[[:append 1 1]]", "[]"),
        ("rw-register", "txn", "[[:w 1 1] [:r 2 nil]]", "[[:w 1 1] [:r 3 4]]"),
    ] {
        let expected = if model == "multi-register" { "of another one" } else { expected };
        check("a.edn", &edn(&[(f, asked, done)]), model).expect(2, expected);
    }
    for (model, read) in [("set-full", "[1]"), ("total-queue", "nil"), ("causal", "1")] {
        let f = if model == "total-queue" {
            "enqueue"
        } else if model == "causal" {
            "write"
        } else {
            "add"
        };
        let history = edn(&[(f, "1", "2"), ("read", "nil", read)]);
        let history =
            if model == "total-queue" { history.replace(":read", ":dequeue") } else { history };
        check("a.edn", &history, model).expect(3, expected);
    }
}

/// What tools fill in when an operation ends.
#[test]
fn a_completion_may_say_what_came_of_it() {
    for (model, steps) in [
        ("register", &[("write", "1", "nil"), ("write", "2", "true"), ("read", "nil", "2")][..]),
        ("register", &[("write", "1", "{\"took\" 5}"), ("read", "nil", "1")]),
        (
            "cas-register",
            &[
                ("write", "1", "1"),
                ("cas", "[1 2]", "true"),
                ("cas", "[1 2]", "false"),
                ("read", "nil", "2"),
            ],
        ),
        (
            "kv",
            &[
                ("put", "[:x \"a\"]", "[:x \"a\"]"),
                ("append", "[:x \"b\"]", "nil"),
                ("get", "[:x nil]", "[:x \"ab\"]"),
            ],
        ),
        ("set", &[("add", "1", "true"), ("add", "1", "false"), ("read", "nil", "#{1}")]),
        (
            "list-append",
            &[
                ("txn", "[[:append 1 1] [:r 1 nil]]", "[[:append 1 1] [:r 1 [1]]]"),
                ("txn", "[[:r 1 nil]]", "[[:r 1 [1]]]"),
            ],
        ),
        ("list-append", &[("txn", "nil", "[[:append 1 1]]"), ("txn", "nil", "[[:r 1 [1]]]")]),
    ] {
        check("a.edn", &edn(steps), model).expect(0, "VALID");
    }
    // What did not happen, or perhaps, may come with any value.
    let doubtful = "{:process 0 :type :invoke :f :write :value 1}
{:process 0 :type :fail :f :write :value :lost :error :timeout}
{:process 1 :type :invoke :f :write :value 2}
{:process 1 :type :info :f :write :value [2 :timed-out]}
{:process 2 :type :invoke :f :read}
{:process 2 :type :ok :f :read :value 2}
";
    check("a.edn", doubtful, "register").expect(0, "VALID");
}

#[test]
fn misspelt_fields_are_told_from_missing_ones() {
    let cas = jsonl(&[("cas", r#"{"key":"k","old":"1","value":"2"}"#, r#"{"swapped":true}"#)]);
    check("a.jsonl", &cas, "kv")
        .expect(2, "line 1: `cas` with {\"key\": \"k\", \"old\": \"1\", \"value\": \"2\"} is no operation of a key-value store: `old` is no field of `cas`, which has `key`, `expect`, `value`: did you mean `expect`?");
    let read = ("get", r#"{"key":"k"}"#, r#"{"value":"a"}"#);
    let put = jsonl(&[read, ("put", r#"{"key":"k","val":"a"}"#, "null")]);
    check("a.jsonl", &put, "kv").expect(2, "line 3: `put` with {\"key\": \"k\", \"val\": \"a\"} is no operation of a key-value store: `val` is no field of `put`, which has `key`, `value`: did you mean `value`?");
    let lacks = jsonl(&[("cas", r#"{"key":"k","value":"2"}"#, "true")]);
    check("a.jsonl", &lacks, "kv").expect(2, "`cas` lacks `expect`");
    let kee = jsonl(&[("get", r#"{"kee":"k"}"#, "null")]);
    check("a.jsonl", &kee, "kv").expect(2, "did you mean `key`?");
    let answer = jsonl(&[("get", r#"{"key":"k"}"#, r#"{"val":"a"}"#)]);
    check("a.jsonl", &answer, "kv").expect(2, "its result must have `value`, but has `val`");
}

#[test]
fn what_tested_nothing_is_never_valid() {
    let only_in_doubt = "{\"process\":0,\"type\":\"invoke\",\"f\":\"F\",\"value\":V}
{\"process\":0,\"type\":\"info\",\"f\":\"F\",\"value\":V}
{\"process\":1,\"type\":\"invoke\",\"f\":\"F\",\"value\":V}
{\"process\":1,\"type\":\"fail\",\"f\":\"F\",\"value\":V}
";
    for (model, f, value) in [
        ("register", "write", "1"),
        ("cas-register", "read", "null"),
        ("kv", "put", "[1,2]"),
        ("multi-register", "txn", "[[\"r\",1,null]]"),
        ("counter", "add", "1"),
        ("set", "add", "1"),
        ("queue", "enqueue", "1"),
        ("stack", "push", "1"),
        ("mutex", "acquire", "null"),
        ("lock", "acquire", "null"),
        ("bank", "read", "null"),
        ("set-final", "add", "1"),
        ("set-full", "add", "1"),
        ("counter-bounds", "add", "1"),
        ("unordered-queue", "enqueue", "1"),
        ("total-queue", "enqueue", "1"),
        ("unique-ids", "generate", "null"),
        ("long-fork", "write", "[[\"w\",1,1]]"),
        ("causal", "write", "1"),
        ("causal-reverse", "write", "1"),
        ("sequential", "write", "1"),
        ("g2", "insert", "[1,[2,null]]"),
        ("monotonic", "add", "null"),
        ("configurations", "leave", "{\"groups\":[\"g1\"]}"),
        ("list-append", "txn", "[[\"append\",1,1]]"),
        ("rw-register", "txn", "[[\"w\",1,1]]"),
    ] {
        let doubtful = only_in_doubt.replace('F', f).replace('V', value);
        check("a.jsonl", &doubtful, model).expect(3, "No operation in it succeeded");
        check("a.jsonl", "", model).expect(3, "nothing was tested");
    }
    for (model, f, value) in [
        ("register", "write", "1"),
        ("kv", "put", "[:x 1]"),
        ("multi-register", "txn", "[[:w :x 1]]"),
        ("counter", "add", "1"),
        ("set", "add", "1"),
        ("queue", "enqueue", "1"),
        ("stack", "push", "1"),
    ] {
        check("a.edn", &edn(&[(f, value, value)]), model)
            .expect(3, "Nothing was tested: none of the operations");
    }
    for (model, value) in [("list-append", "[[:append 1 1]]"), ("rw-register", "[[:w 1 1]]")] {
        check("a.edn", &edn(&[("txn", value, value)]), model).expect(3, "INCONCLUSIVE");
    }
    let blind = edn(&[
        ("read", "nil", "{}"),
        ("transfer", "{:from 0 :to 1 :amount 5}", "nil"),
        ("read", "nil", "{}"),
    ]);
    check("a.edn", &blind, "bank").expect(3, "No read shows the balance of an account");
}

#[test]
fn a_counter_is_exact() {
    let high = "9223372036854775807";
    let sum = |read: &str| edn(&[("add", high, high), ("add", "1", "1"), ("read", "nil", read)]);
    check("a.edn", &sum("9223372036854775808"), "counter").expect(0, "VALID");
    // Sums once wrapped around.
    check("a.edn", &sum("-9223372036854775808"), "counter").expect(1, "VIOLATION");
    let large = edn(&[("add", "9223372036854775808", "nil"), ("read", "nil", "0")]);
    check("a.edn", &large, "counter").expect(2, "9223372036854775808 is beyond 64 bits");
}

#[test]
fn a_mark_of_the_byte_order_is_skipped() {
    let steps = [("write", "1", "1"), ("read", "nil", "1")];
    check("a.edn", &format!("\u{feff}{}", edn(&steps)), "register").expect(0, "VALID");
    let json = jsonl(&steps).replace("nil", "null");
    check("a.jsonl", &format!("\u{feff}{json}"), "register").expect(0, "VALID");
    let array = format!("\u{feff}[{}]", json.trim().replace('\n', ","));
    check("a.json", &array, "register").expect(0, "VALID");
}

#[test]
fn messages_have_no_holes_and_tell_lines_from_events() {
    let nothing = r#"{"process":0,"type":"ok","value":1}"#;
    check("a.jsonl", nothing, "register").expect(3, "line 1: process 0 completes an operation without a function (`f`), but has invoked nothing");
    let overlap = "\n{:type :invoke :f :read}\n\n{:type :invoke :f :write}";
    check("a.edn", overlap, "register")
        .expect(3, "line 4: process 0 invokes write while its operation of line 2 is open");
    let used = "{:type :invoke :f :read}\n{:type :info :f :read}\n{:type :invoke :f :read}";
    check("a.edn", used, "register").expect(
        3,
        "line 3: process 0 goes on after its operation of unknown outcome ended at line 2",
    );
    let one = "{:process 0 :type :invoke :f :read}";
    check("a.edn", one, "register").expect(3, "read 1 event (edn)");
    let acquired = edn(&[("acquire", "nil", "nil")]);
    check("a.edn", &acquired, "mutex").expect(0, "1 operation.");
    let skew = edn(&[("txn", "[[:append 9 2] [:r 9 nil]]", "[[:append 9 2] [:r 9 [1 2]]]")]);
    check("a.edn", &skew, "list-append").expect(1, "txn [[:append 9 2] [:r 9 [1 2]]] → ok");
}
