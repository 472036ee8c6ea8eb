//! JSON Lines: a history survives however the run ended.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use std::fs;
use std::io::BufReader;

use history::{Event, EventKind, Process, ReadError, Records, Writer, read_jsonl};
use proptest::prelude::*;
use serde_json::json;

fn event(index: u64) -> Event {
    Event {
        index,
        time_ns: 1000 * index,
        process: if index % 3 == 2 {
            Process::Named("nemesis".into())
        } else {
            Process::Client(index)
        },
        kind: if index.is_multiple_of(2) { EventKind::Invoke } else { EventKind::Info },
        f: "put".into(),
        value: json!({"key": "x", "value": "é\n\""}),
        error: (index % 2 == 1).then(|| "timeout".into()),
        node: Some("n1".into()),
    }
}

fn write(events: &[Event]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let mut writer = Writer::create(&path).unwrap();
    events.iter().for_each(|event| writer.append(event).unwrap());
    writer.sync().unwrap();
    fs::read(&path).unwrap()
}

#[test]
fn what_is_written_is_read() {
    let events: Vec<Event> = (0..2_000).map(event).collect();
    let bytes = write(&events);
    assert!(
        bytes.starts_with(br#"{"index":0,"time":0,"process":0,"type":"invoke","f":"put","value":"#)
    );
    assert_eq!(read_jsonl(bytes.as_slice()).unwrap(), events);
}

/// Nothing reaches the file before a flush, everything after it, and the rest when the writer goes.
#[test]
fn flush_is_explicit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let lines = || fs::read_to_string(&path).unwrap().lines().count();
    let mut writer = Writer::create(&path).unwrap();
    writer.append(&event(0)).unwrap();
    assert_eq!(lines(), 0);
    writer.flush().unwrap();
    assert_eq!(lines(), 1);
    writer.append(&event(1)).unwrap();
    drop(writer);
    assert_eq!(lines(), 2);
}

/// A run may end at any byte.
#[test]
fn a_torn_last_line_is_left_out_and_reported() {
    let events: Vec<Event> = (0..3).map(event).collect();
    let bytes = write(&events);
    for end in 0..bytes.len() {
        let mut records = Records::new(&bytes[..end]);
        let read: Vec<Event> = records.by_ref().collect::<Result<_, _>>().unwrap();
        let torn_line = records.torn_line();
        let whole_lines = bytes[..end].iter().filter(|&&b| b == b'\n').count();
        let rest =
            &bytes[..end][bytes[..end].iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1)..];
        // Only the newline is missing: the event is whole.
        let complete = rest.ends_with(b"}") && bytes[end] == b'\n';
        assert_eq!(read, events[..whole_lines + usize::from(complete)], "cut at {end}");
        let torn = !rest.is_empty() && !complete;
        assert_eq!(torn_line, torn.then_some(whole_lines as u64 + 1), "cut at {end}");
    }
}

#[test]
fn a_full_disk_is_an_error_each_time() {
    let Ok(mut writer) = Writer::create("/dev/full") else {
        println!("skipped: this system has no /dev/full");
        return;
    };
    writer.append(&event(0)).unwrap();
    assert!(writer.flush().is_err());
    assert!(writer.sync().is_err());
    let refused = (1..10_000).find(|&i| writer.append(&event(i)).is_err());
    assert!(refused.is_some(), "the buffer must stay bounded");
}

#[test]
fn errors_name_line_and_column() {
    let good = r#"{"index":0,"time":0,"process":0,"type":"ok","f":"get"}"#;
    let read = |text: String| read_jsonl(text.as_bytes()).unwrap_err();
    let error = read(format!(
        "{good}\n\n{}\n{good}\n",
        r#"{"index":0,"time":0,"process":0,"type":"okay","f":"get"}"#
    ));
    let ReadError::Syntax { line: 3, column, message } = error else { panic!("{error}") };
    assert!(message.contains("unknown variant `okay`"), "{message}");
    assert_eq!(column, 45);
    let error = read(format!("{good}\n{{\"index\":\n"));
    assert!(error.to_string().starts_with("line 2, column"), "{error}");
    assert!(matches!(
        read(format!("{good}\n\"{}\"", "x".repeat(17 << 20))),
        ReadError::TooLong { line: 2 }
    ));
}

/// Readers that count what they cannot read go on with the next line.
#[test]
fn after_a_bad_line_the_next_one_follows() {
    let mut text = b"1\n\xff\xfe\n\n3\n".to_vec();
    text.resize(text.len() + (17 << 20), b'7');
    text.extend(b"\n5\n[6");
    let mut records = Records::<_, u64>::new(text.as_slice());
    let read: Vec<_> = records.by_ref().map(|record| record.map_err(|e| e.to_string())).collect();
    let [Ok(1), Err(bad), Ok(3), Err(long), Ok(5)] = &read[..] else { panic!("{read:?}") };
    assert!(bad.starts_with("line 2, column 1"), "{bad}");
    assert!(long.starts_with("line 5: "), "{long}");
    assert_eq!(records.torn_line(), Some(7));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_histories_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes: Vec<u8> = Vec::new();
        for i in 0..3 {
            serde_json::to_writer(&mut bytes, &event(i)).unwrap();
            bytes.push(b'\n');
        }
        for (place, byte) in edits {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read_jsonl(BufReader::with_capacity(7, bytes.as_slice()));
    }
}
