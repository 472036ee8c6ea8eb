//! Every format gives the same events, names the place of what is wrong, and reads any cut of its input alike.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use std::io::Read;
use std::path::Path;

use history::{Event, EventKind, Events, Format, Process, ReadError, read_edn};
use serde_json::{Value, json};

fn read(format: Format, text: &str) -> Result<Vec<Event>, ReadError> {
    Events::new(text.as_bytes(), format).map(|located| located.map(|l| l.event.into())).collect()
}

fn event(index: u64, process: u64, kind: EventKind, f: &str, value: Value) -> Event {
    let process = Process::Client(process);
    Event { index, time_ns: 0, process, kind, f: f.into(), value, error: None, node: None }
}

fn samples() -> [(Format, String); 9] {
    let edn = "{:process 1, :type :invoke, :f :cas, :value [1 2]}\n{:type :ok :process 1 :f :cas :value [1 2]}";
    let one = r#"{"process":1,"type":"invoke","f":"cas","value":[1,2]}"#;
    let two = r#"{"type":"ok","process":1,"f":"cas","value":[1,2],"index":1,"time":-1}"#;
    let log = "INFO  jepsen.util - 1\t:invoke\t:cas\t[1 2]\nstarting\n\nINFO  jepsen.util - 1   :ok  :cas [1 2]\n";
    [
        (Format::Edn, edn.into()),
        (Format::Edn, format!("[{}]", edn.replace('\n', ",\n"))),
        (Format::Json, format!("[{one},\n{two}]")),
        (Format::Json, format!("{one}\n{two}")),
        (
            Format::Json,
            format!(
                r#"{{"name":"x","n":{{"history":[1]}},"history":[{one},{two}],"valid":[true]}}"#
            ),
        ),
        (Format::Json, format!("[{}]", [one, two].join(",").replace("\"invoke\"", "\":invoke\""))),
        (Format::JsonLines, format!("{one}\n\n{two}\n")),
        (Format::JepsenLog, log.into()),
        (
            Format::JepsenLog,
            log.replace(
                "INFO  jepsen.util -",
                "2026-01-01 10:00:00,123\tINFO\t[jepsen worker 3] jepsen.util:",
            ),
        ),
    ]
}

#[test]
fn every_format_gives_the_same_events() {
    let cas = |index, kind| event(index, 1, kind, "cas", json!([1, 2]));
    let expected = vec![cas(0, EventKind::Invoke), cas(1, EventKind::Ok)];
    for (format, text) in samples() {
        assert_eq!(read(format, &text).unwrap(), expected, "{text}");
    }
}

#[test]
fn a_key_beside_the_value_is_read_as_the_key_of_a_store() {
    let text = r#"{:process 0, :type :invoke, :f :append, :key "k", :value "a"}
                  {:process 0, :type :ok, :f :append, :key "k", :value "a"}
                  {:process 0, :type :invoke, :f :get, :key "k", :value nil}
                  {:process 0, :type :ok, :f :get, :key "k", :value "a"}"#;
    let expected = vec![
        event(0, 0, EventKind::Invoke, "append", json!({ "key": "k", "value": "a" })),
        event(1, 0, EventKind::Ok, "append", json!(["k", "a"])),
        event(2, 0, EventKind::Invoke, "get", json!({ "key": "k", "value": null })),
        event(3, 0, EventKind::Ok, "get", json!("a")),
    ];
    assert_eq!(read(Format::PorcupineKv, text).unwrap(), expected);
    let error = read(Format::PorcupineKv, "\n{:type :ok :f :get}").unwrap_err().to_string();
    assert_eq!(error, "line 2, column 1: expected an event with a `key`, found one without");
}

/// Gives one byte at a time, so that every event is met cut in two at every place.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let (first, rest) = self.0.split_at(self.0.len().min(1));
        to[..first.len()].copy_from_slice(first);
        self.0 = rest;
        Ok(first.len())
    }
}

#[test]
fn long_histories_are_the_same_wherever_the_reader_cuts_them() {
    // Longer than what is read at a time, and no length that divides it.
    let line =
        |i: u64| format!("{{:process {}, :type :invoke, :f :write, :value \"v\\n{i}\"}}\n", i % 7);
    let text: String = (0..20_000).map(line).collect();
    let events = read_edn(text.as_bytes()).unwrap();
    assert_eq!(events.len(), 20_000);
    for (i, event) in (0..).zip(&events) {
        assert_eq!((event.index, &event.value), (i, &json!(format!("v\n{i}"))));
    }
    assert_eq!(read_edn(Drip(text.as_bytes())).unwrap(), events);
    let lines: Vec<u64> =
        Events::new(text.as_bytes(), Format::Edn).map(|located| located.unwrap().line).collect();
    assert_eq!(lines, (1..=20_000).collect::<Vec<_>>());
    let json: String =
        events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    for format in [Format::Json, Format::JsonLines] {
        assert_eq!(read(format, &json).unwrap(), events);
    }
    let array = format!("[{}]", json.trim().replace('\n', ",\n"));
    assert_eq!(read(Format::Json, &array).unwrap(), events);
    let broken = format!("{text}{{:process");
    let error = read(Format::Edn, &broken).unwrap_err().to_string();
    assert!(error.starts_with("line 20001, column 10: "), "{error}");
}

#[test]
fn errors_name_line_and_column() {
    for (format, text, expected) in [
        (Format::Json, "[{\"type\":\"ok\"},\n 5]", "line 2, column 2: expected an event"),
        (
            Format::Json,
            "[{\"type\":\"ok\"}",
            "line 1, column 15: expected the closing bracket of the history, found the end",
        ),
        (Format::Json, "[\n{\"type\":\"ok\"", "line 2, column 1: this bracket is never closed"),
        (
            Format::Json,
            "[\n {\"type\":\n \"maybe\"}]",
            "line 3, column 2: type must be invoke, ok, fail or info, found \"maybe\"",
        ),
        (Format::Json, "{\"f\":\"read\"}", "expected an event with a `type`, found one without"),
        (
            Format::JsonLines,
            "{\"type\":\"ok\"}\n{\"type\" 5}\n",
            "line 2, column 9: expected `:`, found `5`",
        ),
        (
            Format::JepsenLog,
            "x\nINFO - 0 :ok :read ]",
            "line 2, column 20: a closing bracket without",
        ),
        (
            Format::JepsenLog,
            "INFO - 0 :ok :read 1 2 3",
            "line 1, column 24: expected the end of the line",
        ),
    ] {
        let error = read(format, text).unwrap_err().to_string();
        assert!(error.starts_with(expected) || error.contains(expected), "{error}");
    }
}

#[test]
fn what_was_passed_over_is_said() {
    let notes = |format, text: &str| {
        let mut events = Events::new(text.as_bytes(), format);
        let count = events.by_ref().map(Result::unwrap).count();
        (count, events.notes().join(" "))
    };
    let (count, note) = notes(Format::JepsenLog, "hello\n\nINFO - 0 :ok :read 1\nbye :ok x\n");
    assert_eq!((count, note.as_str()), (1, "2 lines hold no operation and were passed over."));
    let (count, note) = notes(Format::JsonLines, "{\"type\":\"ok\"}\n{\"type\":");
    assert_eq!(count, 1);
    assert!(note.starts_with("Line 2 is cut off"), "{note}");
}

#[test]
fn an_endless_event_is_refused() {
    // Each would be one event of more than 16 MB; the source never ends.
    for (format, start) in [
        (Format::Edn, "{:type :ok :value \""),
        (Format::Edn, "; a comment "),
        (Format::PorcupineKv, "[{:type :ok :value [[[["),
        (Format::Json, "[{\"type\":\""),
        (Format::Json, "{\"history\":[{\"x\":[\""),
        (Format::JsonLines, "{"),
        (Format::JepsenLog, "INFO - 0 :ok :read "),
    ] {
        let reader = start.as_bytes().chain(std::io::repeat(b'a'));
        let error = Events::new(reader, format).find_map(Result::err).unwrap();
        assert!(matches!(error, ReadError::TooLong { line: 1 }), "{start}: {error}");
    }
}

#[test]
fn the_format_is_guessed_from_name_and_content() {
    for (name, start, expected) in [
        ("a.edn", "[{:type", Some(Format::Edn)),
        ("a.json", "[{", Some(Format::Json)),
        ("a.jsonl", "", Some(Format::JsonLines)),
        ("a.txt", "{:process 0, :type :invoke, :f :append, :key \"0\"}", Some(Format::PorcupineKv)),
        // A Jepsen event about a key: once taken for Porcupine's.
        ("a.txt", "{:type :invoke, :value {:key 1 :value 2}, :f :put}", Some(Format::Edn)),
        ("a.edn", "{:value {:key 1}, :type :invoke, :process 0", Some(Format::Edn)),
        ("a.edn", "{:value {:a 1}, :key 1", Some(Format::PorcupineKv)),
        ("a.txt", "; comment\n[{:type :invoke}]", Some(Format::Edn)),
        // Its middle looks like a line of a log: once taken for one.
        ("a", "{:process 0 :type :invoke :f :write :value 1}\n", Some(Format::Edn)),
        ("a", "#jepsen.history.Op{:type :ok}", Some(Format::Edn)),
        ("a", " [ {\"type\"", Some(Format::Json)),
        ("a", "{\"type\"", Some(Format::JsonLines)),
        (
            "a.log",
            "starting\nINFO  jepsen.util - 0\t:invoke\t:read\tnil\n",
            Some(Format::JepsenLog),
        ),
        ("a.log", "all is well", None),
        ("a", "", None),
    ] {
        assert_eq!(Format::guess(Path::new(name), start.as_bytes()), expected, "{start}");
    }
    for format in Format::ALL {
        assert_eq!(Format::by_name(format.name()), Some(format));
    }
}
