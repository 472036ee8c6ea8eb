//! Recorded operations reach the models in every spelling, and what a model does not know is said.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use history::{Datum, Event, Events, Format, Operation, Verdict, operations};
use linearizability::{Limits, Named, Report};

/// One process; `f argument result` three by three, as EDN.
fn history(steps: &[(&str, &str, &str)]) -> Vec<Operation<Datum>> {
    let event = |kind: &str, f: &str, value: &str| {
        format!("{{:process 0 :type :{kind} :f :{f} :value {value}}}\n")
    };
    let text: String = steps
        .iter()
        .map(|(f, asked, answered)| event("invoke", f, asked) + &event("ok", f, answered))
        .collect();
    let events = Events::new(text.as_bytes(), Format::Edn);
    let events: Vec<Event<Datum>> = events.map(|located| located.unwrap().event).collect();
    operations(&events).unwrap()
}

fn check(model: Named, steps: &[(&str, &str, &str)]) -> Report {
    model.check(history(steps), None, &Limits::default()).unwrap()
}

type Steps<'a> = &'a [(&'a str, &'a str, &'a str)];

#[test]
fn each_model_tells_right_from_wrong() {
    let cases: [(Named, Steps<'_>, Steps<'_>); 14] = [
        (Named::Register, &[("write", "1", "1"), ("read", "nil", "1")], &[("read", "nil", "1")]),
        (Named::Register, &[("read", "nil", "nil")], &[("w", "1", "1"), ("r", "nil", "nil")]),
        (
            Named::CasRegister,
            &[("cas", "[nil 2]", "[nil 2]"), ("read", "nil", "2")],
            &[("cas", "[1 2]", "[1 2]")],
        ),
        (
            Named::CasRegister,
            &[("cas", "[1 2]", "false")],
            &[("write", "1", "1"), ("cas", "[1 2]", "false")],
        ),
        (
            Named::Kv,
            &[
                ("append", "{\"key\" \"x\" \"value\" \"a\"}", "{\"value\" \"a\"}"),
                ("get", "[\"x\" nil]", "[\"x\" \"a\"]"),
            ],
            &[
                ("put", "{\"key\" \"x\" \"value\" \"a\"}", "nil"),
                ("get", "{\"key\" \"x\"}", "{\"value\" nil}"),
            ],
        ),
        (
            Named::Kv,
            &[
                ("cas", "[:x [nil \"a\"]]", "true"),
                ("puthash", "[:x \"b\"]", "{\"previous\" \"a\"}"),
            ],
            &[("cas", "{\"key\" 1 \"expect\" \"z\" \"value\" \"a\"}", "{\"swapped\" true}")],
        ),
        (
            Named::MultiRegister,
            &[
                ("txn", "[[:w :x 1] [:r :x nil]]", "[[:w :x 1] [:r :x 1]]"),
                ("txn", "[[:read :y nil]]", "[[:read :y nil]]"),
            ],
            &[
                ("txn", "[[:w :x 1] [:w :y 1]]", "[[:w :x 1] [:w :y 1]]"),
                ("txn", "[[:r :x nil] [:r :y nil]]", "[[:r :x 1] [:r :y nil]]"),
            ],
        ),
        (
            Named::Counter,
            &[("add", "2", "2"), ("decrement", "nil", "nil"), ("read", "nil", "1")],
            &[("inc", "nil", "nil"), ("read", "nil", "0")],
        ),
        (
            Named::Set,
            &[
                ("add", "1", "1"),
                ("read", "nil", "#{1}"),
                ("remove", "1", "true"),
                ("contains", "1", "false"),
            ],
            &[("add", "1", "1"), ("read", "nil", "[]")],
        ),
        (
            Named::Queue,
            &[("enqueue", "1", "1"), ("enqueue", "2", "2"), ("dequeue", "nil", "1")],
            &[("enqueue", "1", "1"), ("enqueue", "2", "2"), ("dequeue", "nil", "2")],
        ),
        (
            Named::Stack,
            &[("push", "1", "1"), ("push", "2", "2"), ("pop", "nil", "2")],
            &[("push", "1", "1"), ("push", "2", "2"), ("pop", "nil", "1")],
        ),
        (
            Named::Mutex,
            &[("acquire", "nil", "nil"), ("acquire", "nil", "false")],
            &[("lock", "nil", "nil"), ("lock", "nil", "nil")],
        ),
        (
            Named::Lock,
            &[("acquire", "nil", "nil"), ("release", "nil", "nil")],
            &[("release", "nil", "nil")],
        ),
        // Independent keys: what is wrong on one key would be right on two.
        (
            Named::Register,
            &[("write", "[1 5]", "[1 5]"), ("read", "[2 nil]", "[2 nil]")],
            &[("write", "[1 5]", "[1 5]"), ("read", "[1 nil]", "[1 nil]")],
        ),
    ];
    for (model, right, wrong) in cases {
        assert_eq!(check(model, right).verdict, Verdict::Valid, "{model:?} {right:?}");
        assert_eq!(check(model, wrong).verdict, Verdict::Violation, "{model:?} {wrong:?}");
    }
}

#[test]
fn independent_keys_are_told_from_pairs() {
    let keys = |steps: Steps<'_>| check(Named::CasRegister, steps).statistics.keys;
    assert_eq!(keys(&[("cas", "[nil 2]", "[nil 2]"), ("cas", "[2 3]", "[2 3]")]), 1);
    assert_eq!(
        keys(&[("cas", "[:a [nil 2]]", "[:a [nil 2]]"), ("read", "[:b nil]", "[:b nil]")]),
        2
    );
    assert_eq!(keys(&[("write", "[1 2]", "[1 2]"), ("read", "nil", "[1 2]")]), 1);
}

#[test]
fn the_initial_value_can_be_chosen() {
    let read = history(&[("read", "nil", "7")]);
    let verdict = |model: Named, initial: Datum| {
        model.check(read.clone(), Some(&initial), &Limits::default()).map(|report| report.verdict)
    };
    for model in [Named::Register, Named::CasRegister, Named::Counter] {
        assert_eq!(verdict(model, Datum::Int(7)), Ok(Verdict::Valid));
        assert_eq!(verdict(model, Datum::Int(8)), Ok(Verdict::Violation));
    }
    assert!(verdict(Named::Counter, Datum::text("x")).is_err());
    assert!(verdict(Named::Set, Datum::Int(1)).is_err());
}

#[test]
fn a_missing_key_may_read_as_nil_or_as_empty() {
    let get = |answer| ("get", "{\"key\" \"x\"}", answer);
    let put = |value| ("put", value, "nil");
    assert_eq!(check(Named::Kv, &[get("\"\"")]).verdict, Verdict::Valid);
    let lost = [put("{\"key\" \"x\" \"value\" \"a\"}"), get("\"\"")];
    assert_eq!(check(Named::Kv, &lost).verdict, Verdict::Violation);
    let told_apart = [get("nil"), put("{\"key\" \"x\" \"value\" \"\"}"), get("\"\"")];
    assert_eq!(check(Named::Kv, &told_apart).verdict, Verdict::Valid);
    let unclear = history(&[get("\"\""), put("{\"key\" \"x\" \"value\" \"\"}")]);
    assert!(Named::Kv.check(unclear, None, &Limits::default()).is_err());
}

#[test]
fn what_a_model_does_not_know_is_said() {
    for (model, step, expected) in [
        (Named::Register, ("cas", "[1 2]", "nil"), "read, write V"),
        (Named::CasRegister, ("cas", "1", "1"), "takes a pair"),
        (Named::Kv, ("get", "nil", "nil"), "names no key"),
        (Named::Counter, ("add", ":x", ":x"), "no integer"),
        (Named::Set, ("read", "nil", "5"), "no set"),
        (Named::MultiRegister, ("txn", "[[:append 1 2]]", "nil"), "[write K V]"),
        (Named::MultiRegister, ("txn", "[[:r 1 nil]]", "[[:r 2 nil]]"), "of another one"),
        (Named::Queue, ("drain", "\"\\u001b[2J\"", "nil"), "enqueue V, dequeue"),
    ] {
        let unfit = model.check(history(&[step]), None, &Limits::default()).unwrap_err();
        assert_eq!(unfit.event, Some(0));
        assert!(unfit.message.contains(expected), "{unfit}");
        assert!(!unfit.message.contains('\u{1b}'), "{unfit}");
    }
    for model in Named::ALL {
        assert_eq!(Named::by_name(model.name()), Some(model));
    }
}
