//! The nodes' logs: their tails, and the lines written around a moment.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use jiff::Timestamp;

/// The end of a log that is shown.
const TAIL_BYTES_MAX: usize = 64 << 10;
/// All tails together.
const TAILS_BYTES_MAX: usize = 4 << 20;
/// The end of a log that is searched for timestamps.
const SEARCHED_BYTES_MAX: u64 = 16 << 20;
const NODES_MAX: usize = 200;
/// A timestamp further into the line is none.
const TIMESTAMP_WITHIN_CHARS: usize = 120;
/// Lines shown around one violation.
pub const NEAR_LINES_MAX: usize = 60;
const LINE_CHARS_MAX: usize = 400;
/// How far around a violation lines are near. The start of the run may be known to the second only, rounded down, so
/// that a line seems up to a second later than it was.
const NEAR_BEFORE_NS: i128 = 500_000_000;
const NEAR_AFTER_NS: i128 = 1_500_000_000;

/// The end of one log.
#[derive(Clone, Debug)]
pub struct Tail {
    /// The node.
    pub node: String,
    /// `stdout` or `stderr`.
    pub stream: &'static str,
    /// Bytes of the whole log.
    pub bytes: u64,
    /// The end of it.
    pub text: String,
    /// Whether more came before.
    pub is_cut: bool,
}

/// A line of a log with a time.
#[derive(Clone, Debug)]
pub struct Line {
    /// Nanoseconds since the start of the run.
    pub at_ns: i128,
    /// The node.
    pub node: String,
    /// The line.
    pub text: String,
}

/// All logs of a run.
#[derive(Debug, Default)]
pub struct Logs {
    /// By node and stream.
    pub tails: Vec<Tail>,
    /// For each window, the lines near it, in order of time.
    pub near: Vec<Vec<Line>>,
}

impl Logs {
    /// Reads `nodes/*/{stdout,stderr}.log`, looking for lines near the windows, which are nanoseconds since `started`.
    ///
    /// A log that cannot be read is left out: the verdict does not hang on it.
    pub fn read(nodes: &Path, started: Option<Timestamp>, windows: &[Option<(u64, u64)>]) -> Self {
        let mut logs = Self { tails: Vec::new(), near: vec![Vec::new(); windows.len()] };
        let names = node_names(nodes);
        let tail_bytes = TAIL_BYTES_MAX.min(TAILS_BYTES_MAX / (2 * names.len().max(1)));
        for node in names {
            for (stream, file) in [("stdout", "stdout.log"), ("stderr", "stderr.log")] {
                let Some((text, bytes)) = read_end(&nodes.join(&node).join(file)) else { continue };
                if let Some(started) = started {
                    logs.search(&node, &text, started, windows);
                }
                let tail = tail(&text, tail_bytes);
                let is_cut = (tail.len() as u64) < bytes;
                let text = without_colours(tail);
                logs.tails.push(Tail { node: node.clone(), stream, bytes, text, is_cut });
            }
        }
        for lines in &mut logs.near {
            lines.sort_by_key(|line| line.at_ns);
        }
        logs
    }

    fn search(
        &mut self,
        node: &str,
        text: &str,
        started: Timestamp,
        windows: &[Option<(u64, u64)>],
    ) {
        if windows.iter().all(Option::is_none) {
            return;
        }
        for text in text.lines() {
            let Some(timestamp) = timestamp(text) else { continue };
            let at_ns = timestamp.as_nanosecond() - started.as_nanosecond();
            for (lines, window) in self.near.iter_mut().zip(windows) {
                let Some((from, to)) = window else { continue };
                let near = i128::from(*from) - NEAR_BEFORE_NS..=i128::from(*to) + NEAR_AFTER_NS;
                if !near.contains(&at_ns) {
                    continue;
                }
                // Each node gets its share, so that a chatty one does not silence the others.
                let of_node = lines.iter().filter(|line| line.node == node).count();
                if of_node < NEAR_LINES_MAX {
                    let text = crate::markup::cut(&without_colours(text), LINE_CHARS_MAX);
                    lines.push(Line { at_ns, node: node.to_owned(), text });
                }
            }
        }
    }
}

/// The folders in `nodes/`, `n2` before `n10`.
fn node_names(nodes: &Path) -> Vec<String> {
    // A link would lead to the logs of somebody else.
    if !nodes.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Vec::new();
    }
    let Ok(entries) = fs::read_dir(nodes) else { return Vec::new() };
    let folders =
        entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut names: Vec<String> =
        folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    names.truncate(NODES_MAX);
    names
}

/// The end of a log and the length of the whole.
fn read_end(path: &Path) -> Option<(String, u64)> {
    let mut file = plain_file::open(path, u64::MAX).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(SEARCHED_BYTES_MAX))).ok()?;
    let mut bytes = Vec::new();
    file.take(SEARCHED_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some((String::from_utf8_lossy(&bytes).into_owned(), length))
}

/// The last whole lines within so many bytes.
fn tail(text: &str, bytes: usize) -> &str {
    let mut from = text.len().saturating_sub(bytes);
    if from == 0 {
        return text;
    }
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let end = &text[from..];
    end.split_once('\n').map_or(end, |(_, lines)| lines)
}

/// The text without terminal colours (ECMA-48 control sequences) and carriage returns.
fn without_colours(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                // Parameters and intermediates, then one final character; anything else ends it too.
                while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
                chars.next_if(|c| matches!(c, '@'..='~'));
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            _ => out.push(c),
        }
    }
    out
}

/// The first RFC 3339 timestamp near the beginning of a line.
fn timestamp(line: &str) -> Option<Timestamp> {
    let bytes = line.as_bytes();
    let starts = 0..bytes.len().min(TIMESTAMP_WITHIN_CHARS);
    let is_date = |at: usize| {
        // 2026-01-31T
        let Some(date) = bytes.get(at..at + 11) else { return false };
        date.iter().enumerate().all(|(position, byte)| match position {
            4 | 7 => *byte == b'-',
            10 => matches!(byte, b'T' | b't' | b' '),
            _ => byte.is_ascii_digit(),
        })
    };
    let from = starts.into_iter().find(|at| is_date(*at))?;
    let within = |byte: &u8| byte.is_ascii_digit() || b"TtZz:.+-".contains(byte);
    let length = 11 + bytes[from + 11..].iter().take(30).take_while(|byte| within(byte)).count();
    line.get(from..from + length)?.trim_end_matches([':', '.', '-']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_found_near_the_beginning() {
        let at: Timestamp = "2026-01-31T10:00:00.25Z".parse().unwrap();
        for line in [
            "2026-01-31T10:00:00.25Z INFO hello",
            "2026-01-31T11:00:00.250+01:00: hello",
            "2026-01-31 10:00:00.25Z hello",
            r#"{"level":"info","ts":"2026-01-31T10:00:00.25Z"}"#,
            "\u{1b}[2m2026-01-31T10:00:00.250000Z\u{1b}[0m INFO",
        ] {
            assert_eq!(timestamp(line), Some(at), "{line}");
        }
        for line in
            ["", "hello", "2026-01-31", "2026-99-31T10:00:00Z", "2026-01-31T10:00:00 no offset"]
        {
            assert_eq!(timestamp(line), None, "{line}");
        }
    }

    #[test]
    fn colours_are_taken_out_and_nothing_else() {
        assert_eq!(without_colours("\u{1b}[1;31mred\u{1b}[0m\r\nplain\u{1b}"), "red\nplain\u{1b}");
    }

    #[test]
    fn a_tail_begins_with_a_whole_line() {
        assert_eq!(tail("one\ntwo\nthree\n", 9), "three\n");
        assert_eq!(tail("short", 9), "short");
        assert_eq!(tail("äöüäöü", 4), "äöüäöü".get(8..).unwrap());
    }
}
