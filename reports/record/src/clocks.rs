//! What a message says of its sender's logical clocks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A vector that is written longer than this is not kept: of many messages, all must fit into one file.
const VECTOR_BYTES_MAX: usize = 2048;
/// Nor is one of more nodes.
const VECTOR_ENTRIES_MAX: usize = 64;
/// Nor is one with a longer id.
const ID_BYTES_MAX: usize = 64;

/// The headers of a message that tell of its sender's clocks, as the contract names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// `X-DS-Term`: term, view or ballot round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<u64>,
    /// `X-DS-Lamport`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lamport: Option<u64>,
    /// `X-DS-Vector`: how many events of each node the sender knew of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<BTreeMap<String, u64>>,
    /// Whether one of these headers held something else, or too much.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub malformed: bool,
    /// Nanoseconds since the start of the run, when the head was complete at the proxy, if that was before the request
    /// was: its receiver may have read the head by then.
    #[serde(rename = "head", default, skip_serializing_if = "Option::is_none")]
    pub head_ns: Option<u64>,
}

impl Clocks {
    /// Reads the headers of a message; `None` where it has none of them. Whatever they hold, the result is small.
    #[must_use]
    pub fn of_headers<'h>(header: impl Fn(&str) -> Option<&'h [u8]>) -> Option<Self> {
        let (term, lamport) = (header("x-ds-term"), header("x-ds-lamport"));
        let vector = header("x-ds-vector");
        if term.is_none() && lamport.is_none() && vector.is_none() {
            return None;
        }
        let mut clocks = Self {
            term: term.and_then(number),
            lamport: lamport.and_then(number),
            vector: vector.and_then(counts),
            ..Self::default()
        };
        // A term is no clock: one in another form is only not shown.
        let is_read = (clocks.lamport.is_some(), clocks.vector.is_some());
        clocks.malformed = is_read != (lamport.is_some(), vector.is_some());
        Some(clocks)
    }
}

/// Digits only.
fn number(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()
}

fn counts(value: &[u8]) -> Option<BTreeMap<String, u64>> {
    let value = (value.len() <= VECTOR_BYTES_MAX).then_some(value)?;
    let counts: BTreeMap<String, u64> = serde_json::from_slice(value).ok()?;
    let is_small =
        counts.len() <= VECTOR_ENTRIES_MAX && counts.keys().all(|id| id.len() <= ID_BYTES_MAX);
    is_small.then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)]) -> Option<Clocks> {
        Clocks::of_headers(|name| {
            let found = headers.iter().find(|(header, _)| *header == name);
            found.map(|(_, value)| value.as_bytes())
        })
    }

    #[test]
    fn the_headers_are_read_and_written_to_one_line() {
        let headers =
            [("x-ds-term", "3"), ("x-ds-lamport", "17"), ("x-ds-vector", r#"{"n1":5,"n9":0}"#)];
        let clocks = read(&headers).unwrap();
        let line = serde_json::to_string(&clocks).unwrap();
        assert_eq!(line, r#"{"term":3,"lamport":17,"vector":{"n1":5,"n9":0}}"#);
        assert_eq!(serde_json::from_str::<Clocks>(&line).unwrap(), clocks);
        assert_eq!(read(&[]), None);
        assert_eq!(read(&headers[1..2]).unwrap().lamport, Some(17));
    }

    #[test]
    fn what_is_no_clock_or_too_much_of_one_is_told_and_not_kept() {
        let entries = |count: usize, id: &str| {
            let entries: Vec<String> = (0..count).map(|at| format!("\"{id}{at}\":1")).collect();
            format!("{{{}}}", entries.join(","))
        };
        assert!(!read(&[("x-ds-vector", &entries(VECTOR_ENTRIES_MAX, "n"))]).unwrap().malformed);
        let nonsense = Clocks { malformed: true, ..Clocks::default() };
        for vector in [
            entries(VECTOR_ENTRIES_MAX + 1, "n"),
            entries(1, &"n".repeat(ID_BYTES_MAX)),
            format!("{{{}}}", " ".repeat(VECTOR_BYTES_MAX)),
            "[".repeat(1000),
            "{\"n1\":-1}".to_owned(),
            "{\"n1\":1.5}".to_owned(),
            "{\"n1\":18446744073709551616}".to_owned(),
            "null".to_owned(),
            String::new(),
        ] {
            assert_eq!(read(&[("x-ds-vector", &vector)]), Some(nonsense.clone()), "{vector}");
        }
        for lamport in ["-1", "+1", "", "1 2", "0x1", "18446744073709551616"] {
            assert_eq!(read(&[("x-ds-lamport", lamport)]), Some(nonsense.clone()), "{lamport}");
        }
    }
}
