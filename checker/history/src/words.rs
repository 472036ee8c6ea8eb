//! Operations and values in words: who did what, and when.

use serde_json::Value;

use crate::{Datum, Operation};

/// `the read of process 3 (10.203–10.207 s)`, or the event where the history has no times.
#[must_use]
pub fn who(operation: &Operation) -> String {
    let Operation { f, process, call, call_ns, return_ns, .. } = operation;
    named(f, *process, *call, *call_ns, *return_ns)
}

/// The same from the parts of an operation.
#[must_use]
pub fn named(f: &str, process: u64, call: u64, call_ns: u64, return_ns: Option<u64>) -> String {
    let from = seconds(call_ns, 3);
    match return_ns.map(|ns| seconds(ns, 3)) {
        _ if call_ns == 0 && return_ns.is_none_or(|ns| ns == 0) => {
            format!("the {f} of process {process} (event {call})")
        }
        Some(to) => format!("the {f} of process {process} ({from}–{to} s)"),
        None => format!("the {f} of process {process} (from {from} s, never answered)"),
    }
}

/// `10.203`, with so many digits after the point, at most nine.
#[must_use]
pub fn seconds(ns: u64, digits: usize) -> String {
    let fraction = format!("{:09}", ns % 1_000_000_000);
    format!("{}.{fraction:.digits$}", ns / 1_000_000_000)
}

/// A value, short.
#[must_use]
pub fn shown(value: &Value) -> String {
    const CHARS: usize = 60;
    cut(&Datum::from(value).to_string(), CHARS)
}

/// The first characters of a text, nothing among them that a terminal would obey: it may come from anywhere.
#[must_use]
pub fn cut(text: &str, chars: usize) -> String {
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let start: String = text.chars().take(chars).map(visible).collect();
    if text.chars().nth(chars).is_some() { format!("{start}…") } else { start }
}

/// `1 read`, `2 reads`.
#[must_use]
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_named_by_its_times_or_else_by_its_event() {
        let read = |call_ns, return_ns| named("read", 3, 17, call_ns, return_ns);
        let at = 10_203_999_999;
        assert_eq!(read(at, Some(at + 4_000_000)), "the read of process 3 (10.203–10.207 s)");
        assert_eq!(read(at, None), "the read of process 3 (from 10.203 s, never answered)");
        assert_eq!(read(0, Some(0)), "the read of process 3 (event 17)");
        // The first of a history with times.
        assert_eq!(read(0, Some(4_000_000)), "the read of process 3 (0.000–0.004 s)");
        assert_eq!(
            (seconds(1_000_002_999, 6), seconds(7, 9)),
            ("1.000002".into(), "0.000000007".into())
        );
    }

    #[test]
    fn what_comes_from_elsewhere_is_short_and_harmless() {
        assert_eq!(cut("a\u{1b}[2Jé", 9), "a\u{fffd}[2Jé");
        assert_eq!((cut("ééé", 3), cut("éééé", 3)), ("ééé".into(), "ééé…".into()));
        assert_eq!((shown(&Value::Null), counted(1, "read")), ("nil".into(), "1 read".into()));
    }
}
