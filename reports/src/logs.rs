//! The nodes' logs: their tails, and the lines written around a moment.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use record::stamped;

/// The end of a log that is shown.
const TAIL_BYTES_MAX: usize = 64 << 10;
/// All tails together.
const TAILS_BYTES_MAX: usize = 4 << 20;
/// The end of a log that is searched for lines near a violation; logs of the bench are smaller.
const SEARCHED_BYTES_MAX: u64 = 16 << 20;
const NODES_MAX: usize = 200;
/// Lines of one node shown around one violation.
pub const NEAR_LINES_MAX: usize = 60;
const LINE_CHARS_MAX: usize = 400;
/// How far before and after a violation lines are near.
const NEAR_NS: u64 = 500_000_000;

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

/// A line of a log.
#[derive(Clone, Debug)]
pub struct Line {
    /// Nanoseconds since the start of the run, when it arrived.
    pub at_ns: u64,
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
    /// Reads `nodes/*/{stdout,stderr}.log`, looking for lines near the windows, which are nanoseconds of the record.
    ///
    /// A log that cannot be read is left out: the verdict does not hang on it.
    pub fn read(nodes: &Path, windows: &[Option<(u64, u64)>]) -> Self {
        let mut logs = Self { tails: Vec::new(), near: vec![Vec::new(); windows.len()] };
        let names = node_names(nodes);
        let tail_bytes = TAIL_BYTES_MAX.min(TAILS_BYTES_MAX / (2 * names.len().max(1)));
        for node in names {
            for (stream, file) in [("stdout", "stdout.log"), ("stderr", "stderr.log")] {
                let Some((text, bytes)) = read_end(&nodes.join(&node).join(file)) else { continue };
                for (near, window) in logs.near.iter_mut().zip(windows) {
                    near.extend(window.iter().flat_map(|&window| lines_near(&node, &text, window)));
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
}

/// The lines that arrived near a window, the nearest where there are too many.
fn lines_near(node: &str, text: &str, (from, to): (u64, u64)) -> Vec<Line> {
    let distance = |at: u64| from.saturating_sub(at).max(at.saturating_sub(to));
    let mut near: Vec<(u64, &str)> =
        text.lines().filter_map(stamped).filter(|(at, _)| distance(*at) <= NEAR_NS).collect();
    near.sort_by_key(|(at, _)| distance(*at));
    near.truncate(NEAR_LINES_MAX);
    let line = |(at_ns, text): (u64, &str)| {
        let text = crate::markup::cut(&without_colours(text), LINE_CHARS_MAX);
        Line { at_ns, node: node.to_owned(), text }
    };
    near.into_iter().map(line).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_lines_the_nearest_are_shown() {
        let text: String = (0..1000).map(|ms| format!("1.{ms:03}000 line {ms}\n")).collect();
        let window = (1_500_000_000, 1_500_000_000);
        let lines = lines_near("n1", &text, window);
        assert_eq!(lines.len(), NEAR_LINES_MAX);
        let furthest = lines.iter().map(|line| line.at_ns.abs_diff(window.0)).max().unwrap();
        assert!(furthest <= 30_000_000, "{furthest}");
        let far = lines_near("n1", &text, (2_500_000_001, 2_600_000_000));
        assert!(far.is_empty(), "{far:?}");
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
