//! EDN and Jepsen histories: nothing gets lost, nothing panics.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use history::edn::{self, Edn, from_json, parse, to_json};
use history::{Event, EventKind, Process, read_edn, write_edn};
use proptest::prelude::*;
use serde_json::{Value, json};

fn one(text: &str) -> Edn {
    let mut values = parse(text.as_bytes()).unwrap();
    assert_eq!(values.len(), 1, "{text}");
    values.remove(0)
}

#[test]
fn values_map_to_json_by_the_table() {
    for (text, expected) in [
        ("nil", json!(null)),
        ("[1 -2, 1.5 true]", json!([1, -2, 1.5, true])),
        ("18446744073709551615", json!(u64::MAX)),
        (r#""a\"\n\u00e9\ud83d\ude00""#, json!("a\"\né😀")),
        (":kw", json!(":kw")),
        (r#"":kw""#, json!("\\:kw")),
        (r#""\\:kw""#, json!("\\\\:kw")),
        (r#"": no keyword""#, json!(": no keyword")),
        (r#""\\plain""#, json!("\\plain")),
        ("#{:a 1}", json!({"#set": [1, ":a"]})),
        ("(1 2)", json!([1, 2])),
        ("sym/bol", json!({"#symbol": "sym/bol"})),
        ("\\newline", json!({"#char": "\n"})),
        ("\\(", json!({"#char": "("})),
        ("12N", json!(12)),
        ("18446744073709551617", json!({"#number": "18446744073709551617N"})),
        ("1/3", json!({"#number": "1/3"})),
        ("2/6", json!({"#number": "1/3"})),
        ("1.50M", json!({"#number": "1.5M"})),
        ("##NaN", json!({"#number": "##NaN"})),
        ("#inst \"2026\"", json!({"#tag": ["inst", "2026"]})),
        (
            r#"{:a 1 2 3 "b" 4 "2" 5 [5] 6 "" 7}"#,
            json!({":a": 1, "2": 3, "b": 4, "\\2": 5, "#edn [5]": 6, "": 7}),
        ),
        ("#:n{:a 1 :m/b 2}", json!({":n/a": 1, ":m/b": 2})),
        ("; comment\n #_ [dropped #_ #_ a b] 7 ; end", json!(7)),
    ] {
        let value = one(text);
        assert_eq!(to_json(&value), expected, "{text}");
        assert_eq!(one(&value.to_string()), value, "{text}");
        assert_eq!(from_json(&expected).to_string(), value.canonical().to_string(), "{text}");
        assert_eq!(to_json(&from_json(&expected)), expected, "{text}");
    }
}

#[test]
fn errors_name_line_and_column() {
    for (text, expected) in [
        ("[1\n 2", "line 1, column 1: this bracket is never closed"),
        ("{:a 1\n :b}", "line 1, column 1: a map with a key but no value"),
        ("{:a 1 :a 2}", "line 1, column 1: a map with a duplicate key"),
        ("1\n ]", "line 2, column 2: a closing bracket without an opening one"),
        ("[01]", "line 1, column 2: expected an EDN value, found `01`"),
        ("\n\"abc", "line 2, column 1: this string is never closed"),
        ("\"\\q\"", "line 1, column 3: an unknown escape"),
        ("\"\\ud800\"", "line 1, column 8: half a surrogate pair"),
        ("#tag", "line 1, column 5: the text ends where a value is expected"),
    ] {
        assert_eq!(parse(text.as_bytes()).unwrap_err().to_string(), expected, "{text}");
    }
    let deep = "[".repeat(100_000);
    assert!(parse(deep.as_bytes()).unwrap_err().message.contains("nested deeper"));
    let deep = "#_".repeat(100_000);
    assert!(parse(deep.as_bytes()).unwrap_err().message.contains("nested deeper"));
}

#[test]
fn reads_the_shapes_that_jepsen_writes() {
    let expected = vec![
        Event {
            index: 0,
            time_ns: 12,
            process: Process::Client(3),
            kind: EventKind::Invoke,
            f: "cas".into(),
            value: json!([1, 2]),
            error: None,
            node: None,
        },
        Event {
            index: 1,
            time_ns: 0,
            process: Process::Named("nemesis".into()),
            kind: EventKind::Info,
            f: "start".into(),
            value: json!(":majority"),
            error: Some("[:timeout nil]".into()),
            node: None,
        },
    ];
    let first =
        "{:index 0, :time 12, :process 3, :type :invoke, :f :cas, :value [1 2], :extra #{}}";
    let second =
        "{:process :nemesis :type :info :f :start :value :majority :time -1 :error [:timeout nil]}";
    for text in [
        format!("{first}\n{second}\n"),
        format!("[{first}\n {second}]"),
        format!("({first} {second})"),
        format!("#jepsen.history.Op{first} #jepsen.history.Op {second}"),
        format!("{{:name \"x\" :history [{first}\n {second}]}}"),
        format!("{{:n {{:history 1}}, :history #h ({first} #_ 5 {second}), :valid? {{:a [1]}}}}"),
    ] {
        assert_eq!(read_edn(text.as_bytes()).unwrap(), expected, "{text}");
    }
}

#[test]
fn a_wrong_event_is_named() {
    for (text, expected) in [
        ("{:type :ok}\n5", "line 2, column 1: expected an event, a map, found 5"),
        (
            "[{:type :ok} {:type :maybe}]",
            "line 1, column 21: :type must be :invoke, :ok, :fail or :info, found :maybe",
        ),
        ("{:f :read}", "line 1, column 1: expected an event with a `type`, found one without"),
        ("{:type :ok :process 1.5}", ":process must be a whole number or a keyword, found 1.5"),
        ("{:type :ok :type :ok}", "line 1, column 1: a map with a duplicate key"),
        ("{:type :ok :f}", "line 1, column 1: a map with a key but no value"),
        ("[{:type :ok}\n {:type :ok}", "line 2, column 13: the text ends within the history"),
        (
            "[{:type :ok}\n [{:type :ok}]]",
            "line 2, column 2: expected an event, a map, found [{:type :ok}]",
        ),
        (
            "{:history 5}",
            "line 1, column 11: expected the events of the history in a vector or list",
        ),
    ] {
        let error = read_edn(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

fn name() -> impl Strategy<Value = String> {
    "[a-z*!?<>=][a-z0-9./*!?#-]{0,5}"
        .prop_filter("a word of its own", |name| !matches!(name.as_str(), "nil" | "true" | "false"))
}

fn tricky_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        r"\\{0,3}:?[a-z]{0,2}",
        r"\\{0,3}-?[0-9]{0,3}",
        r"\\{0,2}#(set|list|tag|edn |edn \[1\]|edn :a)",
    ]
}

fn any_edn() -> impl Strategy<Value = Edn> {
    let leaf = prop_oneof![
        Just(Edn::Nil),
        any::<bool>().prop_map(Edn::Bool),
        any::<i64>().prop_map(|i| Edn::Int(i.into())),
        any::<u64>().prop_map(|i| Edn::Int(i.into())),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Edn::Float),
        "-?[1-9][0-9]{0,30}(N|M|/[1-9]|[.][0-9]{1,3}M|e-?[0-9]{1,3}M)".prop_map(Edn::Number),
        tricky_text().prop_map(Edn::String),
        any::<char>().prop_map(Edn::Char),
        name().prop_map(Edn::Keyword),
        name().prop_map(Edn::Symbol),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let items = prop::collection::vec(inner.clone(), 0..6);
        prop_oneof![
            items.clone().prop_map(Edn::List),
            items.clone().prop_map(Edn::Vector),
            items.prop_map(Edn::Set),
            (name(), inner.clone()).prop_map(|(tag, value)| Edn::Tagged(tag, Box::new(value))),
            prop::collection::btree_map(
                tricky_text(),
                (inner.clone(), inner.clone(), 0..3_u8),
                0..5
            )
            .prop_map(|entries| {
                let mut map: Vec<(Edn, Edn)> = Vec::new();
                for (text, (key, value, kind)) in entries {
                    let key = if kind == 0 { key } else { Edn::String(text) };
                    if map.iter().all(|(k, _)| k.canonical() != key.canonical()) {
                        map.push((key, value));
                    }
                }
                Edn::Map(map)
            }),
        ]
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|i| json!(i)),
        any::<f64>().prop_map(|f| json!(f)),
        tricky_text().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map(
                prop_oneof![any::<String>(), r"\\?:?[a-z0-9]{0,3}"],
                inner,
                0..5
            )
            .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn any_event() -> impl Strategy<Value = Event> {
    let process = prop_oneof![
        any::<u64>().prop_map(Process::Client),
        any::<String>().prop_map(Process::Named),
        name().prop_map(Process::Named),
    ];
    let kind = prop::sample::select(vec![
        EventKind::Invoke,
        EventKind::Ok,
        EventKind::Fail,
        EventKind::Info,
    ]);
    let text = || prop::option::of(tricky_text());
    let f = prop_oneof![any::<String>(), name()];
    (any::<u64>(), any::<u64>(), process, kind, f, any_json(), text(), text()).prop_map(
        |(index, time_ns, process, kind, f, value, error, node)| Event {
            index,
            time_ns,
            process,
            kind,
            f: f.into(),
            value,
            error,
            node,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edn_text_round_trips(value in any_edn()) {
        let text = value.to_string();
        prop_assert!(!text.contains('\n'));
        prop_assert_eq!(parse(text.as_bytes()).unwrap(), vec![value]);
    }

    #[test]
    fn edn_round_trips_through_json(value in any_edn()) {
        prop_assert_eq!(from_json(&to_json(&value)), value.canonical());
    }

    #[test]
    fn json_round_trips_through_edn(value in any_json()) {
        let text = from_json(&value).to_string();
        prop_assert_eq!(to_json(&one(&text)), value);
    }

    #[test]
    fn events_round_trip(events in prop::collection::vec(any_event(), 0..5)) {
        let mut text = Vec::new();
        write_edn(&events, &mut text).unwrap();
        prop_assert_eq!(read_edn(text.as_slice()).unwrap(), events);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
        let _ = read_edn(bytes.as_slice());
    }

    #[test]
    fn random_syntax_never_panics(text in r#"[\[\](){}#:_"\\ua0-9.+NM/e;, -]{0,60}"#) {
        if let Ok(values) = parse(text.as_bytes()) {
            for value in values {
                let json = edn::to_json(&value);
                prop_assert_eq!(edn::from_json(&json), value.canonical());
            }
        }
    }

    #[test]
    fn mutated_histories_never_panic(
        events in prop::collection::vec(any_event(), 1..4),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..8),
    ) {
        let mut text = Vec::new();
        write_edn(&events, &mut text).unwrap();
        for (place, byte, edit) in edits {
            let at = place.index(text.len());
            match edit {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                _ => text.truncate(at + 1),
            }
        }
        let _ = read_edn(text.as_slice());
    }
}

/// Lists of small integers with single spaces are read in one go: nothing may depend on how a list is spaced.
#[test]
fn a_list_is_the_same_however_its_items_are_spaced() {
    let tokens = [
        "0",
        "-0",
        "7",
        "-12",
        "04",
        "-04",
        "1N",
        "+3",
        "-",
        "x",
        "1.5",
        ":k",
        "[1 2 3 4]",
        "999999999999999999",
        "-999999999999999999",
        "9999999999999999999",
        "\"]\"",
    ];
    let mut lists = 0;
    for seed in 0..tokens.len().pow(2) {
        for length in 3..6 {
            // Mostly small integers, and two of any kind.
            let mut items = vec!["1"; length];
            items[seed % length] = tokens[seed % tokens.len()];
            items[(seed / 3) % length] = tokens[seed / tokens.len()];
            for (open, close) in [("[", "]"), ("(", ")"), ("#{", "}")] {
                let read = |space: &str| {
                    let text = format!("{open}{}{close}", items.join(space));
                    parse(text.as_bytes()).map_err(|error| error.message)
                };
                let spaced = read(" ");
                assert_eq!(spaced, read("  "), "{items:?}");
                assert_eq!(spaced, read(", "), "{items:?}");
                lists += usize::from(spaced.is_ok());
            }
        }
    }
    assert!(lists > 1000, "{lists}");
}

/// Found by fuzzing: a kilobyte of keys in keys took minutes, twice as long with each level.
#[test]
fn keys_that_nest_cost_no_more_than_their_length() {
    const LEVELS: usize = 55;
    for (open, close) in [("{", " 1}"), ("#{", "}"), ("#{{", " 1}}")] {
        let levels = LEVELS / open.matches('{').count();
        let key = format!("{}:k{}", open.repeat(levels), close.repeat(levels));
        let value = format!("{{{key} 1}}");
        let line = format!("{{:process 0 :type :invoke :f :write :value {value}}}");
        let events = read_edn(line.as_bytes()).unwrap();
        let (name, _) = events[0].value.as_object().unwrap().iter().next().unwrap();
        assert!(name.len() < 2 * key.len() + 10, "{name}");
    }
}
