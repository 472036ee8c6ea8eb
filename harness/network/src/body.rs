//! The kind of a message as its body says it, where its head does not: many systems send all their messages to one path.

use serde::Deserialize;

/// Longer bodies are not read.
const BYTES_MAX: usize = 4 << 10;
/// A longer name is none.
const NAME_CHARS_MAX: usize = 40;

/// The body of a message, as far as it was seen.
#[derive(Default)]
pub(crate) struct Body {
    bytes: Vec<u8>,
    is_too_long: bool,
}

/// The fields in which JSON messages name their kind.
#[derive(Deserialize)]
struct Named {
    #[serde(
        alias = "kind",
        alias = "msg_type",
        alias = "message_type",
        alias = "messageType",
        alias = "msgType",
        alias = "Type",
        alias = "rpc",
        alias = "method",
        alias = "cmd"
    )]
    r#type: String,
}

impl Body {
    /// More of it came.
    pub fn add(&mut self, bytes: &[u8]) {
        self.is_too_long |= self.bytes.len() + bytes.len() > BYTES_MAX;
        if self.is_too_long {
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// What it says, now that it is whole.
    pub fn kind(&self) -> Option<String> {
        let named: Named = serde_json::from_slice(&self.bytes).ok()?;
        let is_name = |name: &String| {
            (1..=NAME_CHARS_MAX).contains(&name.chars().count())
                && name.chars().all(|letter| letter.is_alphanumeric() || "-_./:".contains(letter))
        };
        Some(named.r#type).filter(is_name)
    }
}

/// What follows the head in these bytes, which hold its end.
pub(crate) fn after_head(bytes: &[u8]) -> &[u8] {
    let end = |blank: &[u8]| {
        bytes.windows(blank.len()).position(|at| at == blank).map(|at| at + blank.len())
    };
    let begin = [end(b"\r\n\r\n"), end(b"\n\n")].into_iter().flatten().min();
    begin.map_or(&[], |begin| &bytes[begin..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(parts: &[&str]) -> Option<String> {
        let mut body = Body::default();
        parts.iter().for_each(|part| body.add(part.as_bytes()));
        body.kind()
    }

    #[test]
    fn json_that_names_a_kind_has_it_and_nothing_else_has_any() {
        assert_eq!(kind(&[r#"{"term": 3, "ty"#, r#"pe": "Vote"}"#]).as_deref(), Some("Vote"));
        assert_eq!(
            kind(&[r#"{"rpc": "AppendEntries", "args": {}}"#]).as_deref(),
            Some("AppendEntries")
        );
        for none in ["", "[1]", r#"{"term": 3}"#, r#"{"type": 7}"#, r#"{"type": "<b>"}"#, "type"] {
            assert_eq!(kind(&[none]), None, "{none}");
        }
        let name = "a".repeat(NAME_CHARS_MAX + 1);
        assert_eq!(kind(&[&format!(r#"{{"type": "{name}"}}"#)]), None);
        let long = format!(r#"{{"type": "Vote", "entries": "{}"}}"#, "x".repeat(BYTES_MAX));
        assert_eq!(kind(&[&long[..10], &long[10..]]), None);
    }

    #[test]
    fn the_body_begins_behind_the_first_blank_line() {
        assert_eq!(after_head(b"POST / HTTP/1.1\r\nA: b\r\n\r\n{}\r\n\r\n"), b"{}\r\n\r\n");
        assert_eq!(after_head(b"POST / HTTP/1.1\nA: b\n\n{}"), b"{}");
        assert_eq!(after_head(b"POST / HTTP/1.1\r\n"), b"");
    }
}
