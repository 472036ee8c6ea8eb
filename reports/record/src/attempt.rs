//! `attempts.jsonl`: the requests behind an operation, where it took more than one plain answer.

use serde::{Deserialize, Serialize};

use crate::BlockWriter;

/// So many lines are written; more are counted. The run notes how many were left out.
pub const LINES_MAX: u64 = 1_000_000;
/// A longer reason is cut.
const REASON_CHARS_MAX: usize = 200;

/// One line of `attempts.jsonl`: one request and what came of it.
///
/// An operation whose only request was answered has no line: its node is in the history. The lines of an operation are
/// written when it has ended, those of a copy when the copy has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// The index of the operation's invocation in `history.jsonl`.
    pub operation: u64,
    /// The process that invoked it.
    pub process: u64,
    /// The node that was asked.
    pub node: String,
    /// Nanoseconds since the start of the run, just before it was sent.
    #[serde(rename = "sent")]
    pub sent_ns: u64,
    /// When the answer had been read, or was no longer waited for.
    #[serde(rename = "ended")]
    pub ended_ns: u64,
    /// Whether the bench sent it as a copy: nobody waits for its answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copy: bool,
    /// What came of it.
    pub end: AttemptEnd,
    /// The error code of a refusal, or why there was no answer that could be used.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptEnd {
    /// The node answered as the contract says.
    Answered,
    /// The node refused with an error code.
    Refused,
    /// It never left: there was no connection.
    NotSent,
    /// It was sent, and no whole answer came in time.
    NoAnswer,
    /// The answer broke the contract.
    Garbled,
    /// The node answered, and the bench dropped the reply: a client fault.
    ReplyLost,
}

/// Text of a reason, bounded.
#[must_use]
pub fn bounded_reason(text: &str) -> String {
    text.chars().take(REASON_CHARS_MAX).collect()
}

/// Writes `attempts.jsonl`.
pub type AttemptWriter = BlockWriter<AttemptRecord>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Folder, files};

    fn record(reason: String) -> AttemptRecord {
        AttemptRecord {
            operation: 7,
            process: 3,
            node: "n1".to_owned(),
            sent_ns: 5,
            ended_ns: 9,
            copy: true,
            end: AttemptEnd::NoAnswer,
            reason,
        }
    }

    #[test]
    fn a_line_is_read_as_it_was_written_and_a_torn_one_is_told() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::existing(place.path().to_owned());
        let mut writer = folder.create_attempts().unwrap();
        let written = record("\u{1b}\"</script>".to_owned());
        writer.append(&written).unwrap();
        writer.flush().unwrap();
        let path = place.path().join(files::ATTEMPTS);
        let line = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{line}{}", &line[..20])).unwrap();
        let mut read = Vec::new();
        let reading = folder.read_attempts(|attempt| read.push(attempt)).unwrap();
        assert_eq!(read, [written]);
        assert_eq!((reading.torn_line, reading.unreadable), (Some(2), 0));
    }

    /// The largest line, so many times, is a file that is read.
    #[test]
    fn what_is_written_is_not_too_large_to_be_read() {
        let longest = record(bounded_reason(&"\u{1}".repeat(100_000)));
        let bytes = serde_json::to_vec(&longest).unwrap().len() as u64 + 1;
        assert!(bytes * LINES_MAX <= crate::bytes_max::ATTEMPTS, "{bytes} bytes a line");
    }
}
