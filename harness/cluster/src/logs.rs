//! Bounded logs of what a node prints: a head, a tail, and a line between that says how much was cut.
//!
//! ```text
//! | head: the first MiB, over all lives of the node | marker | tail: the last one to two MiB |
//! ```
//!
//! A start is where the reason for a failure most often stands, an end where its consequence does. The tail grows at
//! the end of the file until it is twice its size, then is rewritten to its newer half: a quiet node costs one small
//! write a line, and one that prints gigabytes costs a copy in memory and a rewrite of the same blocks.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// How many bytes of the beginning are kept.
pub const HEAD_BYTES: u64 = 1 << 20;
/// How many bytes of the end are kept at least; at most twice as many.
pub const TAIL_BYTES: usize = 1 << 20;
/// No log file is larger than this.
pub const MAX_BYTES: u64 = HEAD_BYTES + MARKER_BYTES as u64 + 2 * TAIL_BYTES as u64;

/// The marker has one length, so that it can be rewritten in place.
const MARKER_BYTES: usize = MARKER_START.len() + 20 + MARKER_END.len();
const MARKER_START: &str = "\n[--- ";
const MARKER_END: &str = " bytes of this log were cut here ---]\n";

/// A log file that is being written.
pub(crate) struct BoundedLog {
    file: File,
    /// Bytes of the head that are in the file.
    head: u64,
    /// Bytes lost between head and tail.
    cut: u64,
    /// The tail.
    tail: Vec<u8>,
    /// How many bytes of the tail are in the file.
    flushed: usize,
    /// Whether writing failed; the rest of the log is then dropped, since the node must not block on it.
    broken: bool,
    /// Why, until somebody asked.
    error: Option<io::Error>,
}

impl BoundedLog {
    /// Opens a log, to append to it if an earlier life of the node left one.
    pub(crate) fn open(path: &Path) -> io::Result<BoundedLog> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            // A node must not lead its own log elsewhere with a link.
            .custom_flags(libc::O_NOFOLLOW)
            .open(path)?;
        let len = file.metadata()?.len();
        let mut log = BoundedLog {
            file,
            head: len.min(HEAD_BYTES),
            cut: 0,
            tail: Vec::new(),
            flushed: 0,
            broken: false,
            error: None,
        };
        if len > HEAD_BYTES {
            log.recover_tail(len)?;
        }
        Ok(log)
    }

    /// Whether nothing was ever written.
    pub(crate) fn is_empty(&self) -> bool {
        self.head == 0
    }

    /// Adds bytes; what belongs to the tail reaches the file with the next [`BoundedLog::flush`].
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        let room = usize::try_from(HEAD_BYTES - self.head).unwrap_or(usize::MAX);
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        if !first.is_empty() {
            self.write_at(first, self.head);
            self.head += first.len() as u64;
        }
        self.tail.extend_from_slice(rest);
        if self.tail.len() > 2 * TAIL_BYTES {
            self.shorten_tail();
            self.flush();
        }
    }

    /// Brings the file up to date.
    pub(crate) fn flush(&mut self) {
        if self.flushed == self.tail.len() {
            return;
        }
        let mut start = HEAD_BYTES;
        if self.cut > 0 {
            if self.flushed == 0 {
                self.write_at(marker(self.cut).as_bytes(), start);
            }
            start += MARKER_BYTES as u64;
        }
        let tail = std::mem::take(&mut self.tail);
        self.write_at(&tail[self.flushed..], start + self.flushed as u64);
        if self.flushed == 0 {
            self.attempt(|file| file.set_len(start + tail.len() as u64));
        }
        self.flushed = tail.len();
        self.tail = tail;
    }

    /// Why writing failed, once.
    pub(crate) fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// Drops the older half of the tail, to the next line if one begins soon.
    fn shorten_tail(&mut self) {
        let mut drop = self.tail.len() - TAIL_BYTES;
        if let Some(line_end) = self.tail[drop..][..4096].iter().position(|&byte| byte == b'\n') {
            drop += line_end + 1;
        }
        self.tail.drain(..drop);
        self.cut += drop as u64;
        self.flushed = 0;
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) {
        self.attempt(|file| file.write_all_at(bytes, offset));
    }

    fn attempt(&mut self, write: impl FnOnce(&File) -> io::Result<()>) {
        if !self.broken {
            self.error = write(&self.file).err();
            self.broken = self.error.is_some();
        }
    }

    /// Reads back marker and tail of an earlier life.
    fn recover_tail(&mut self, len: u64) -> io::Result<()> {
        let mut text = [0; MARKER_BYTES];
        let mut start = HEAD_BYTES;
        if self.file.read_exact_at(&mut text, start).is_ok()
            && let Some(cut) = parse_marker(&text)
        {
            self.cut = cut;
            start += MARKER_BYTES as u64;
        }
        // Only a foreign hand makes a log that is longer than its bound.
        let excess = (len - start).saturating_sub(2 * TAIL_BYTES as u64);
        self.cut = self.cut.saturating_add(excess);
        self.tail.resize(usize::try_from(len - start - excess).unwrap_or(0), 0);
        self.file.read_exact_at(&mut self.tail, start + excess)?;
        self.flushed = if excess == 0 { self.tail.len() } else { 0 };
        Ok(())
    }
}

fn marker(cut: u64) -> String {
    format!("{MARKER_START}{cut:>20}{MARKER_END}")
}

fn parse_marker(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    text.strip_prefix(MARKER_START)?.strip_suffix(MARKER_END)?.trim_start().parse().ok()
}

/// The last `max_bytes` of a log, safe to show on a terminal: see [`printable`].
///
/// # Errors
/// When the file cannot be read, or a node put something else in its place.
pub fn tail(path: &Path, max_bytes: usize) -> io::Result<String> {
    let mut file = plain_file::open(path, u64::MAX).map_err(io::Error::other)?;
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(max_bytes as u64)))?;
    let mut bytes = Vec::new();
    file.take(max_bytes as u64).read_to_end(&mut bytes)?;
    // The first character may have been cut in two.
    let whole = bytes.iter().take(3).take_while(|&&byte| byte & 0xC0 == 0x80).count();
    Ok(printable(&bytes[whole..]))
}

/// Bytes as text that does nothing to a terminal: what is not UTF-8 becomes U+FFFD, and control characters other than
/// line feed and tab are escaped.
pub fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\n' | '\t' => out.push(character),
            '\r' if characters.peek() == Some(&'\n') => {}
            // Bidirectional overrides reorder what a person reads.
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                let _ = write!(out, "{}", character.escape_unicode());
            }
            _ if character.is_control() => {
                let _ = write!(out, "{}", character.escape_default());
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout.log");
        (folder, path)
    }

    #[test]
    fn a_short_log_is_kept_whole_over_several_lives() {
        let (_folder, path) = temporary();
        for text in ["one\n", "two\n", "three\n"] {
            let mut log = BoundedLog::open(&path).unwrap();
            log.append(text.as_bytes());
            log.flush();
        }
        assert_eq!(tail(&path, 1000).unwrap(), "one\ntwo\nthree\n");
        assert_eq!(tail(&path, 6).unwrap(), "three\n");
    }

    #[test]
    fn a_long_log_keeps_head_and_tail_and_counts_the_rest() {
        let (_folder, path) = temporary();
        let line = |number: u64| format!("{number:0>15}\n");
        let (lives, lines) = (4, 100_000);
        for life in 0..lives {
            let mut log = BoundedLog::open(&path).unwrap();
            for number in life * lines..(life + 1) * lines {
                log.append(line(number).as_bytes());
            }
            log.flush();
            assert!(std::fs::metadata(&path).unwrap().len() <= MAX_BYTES);
        }
        let bytes = std::fs::read(&path).unwrap();
        let head = usize::try_from(HEAD_BYTES).unwrap();
        let cut = parse_marker(&bytes[head..][..MARKER_BYTES]).unwrap();
        assert_eq!(bytes.len() as u64 - MARKER_BYTES as u64 + cut, lives * lines * 16);
        assert!(bytes.starts_with(line(0).as_bytes()));
        assert!(bytes.ends_with(line(lives * lines - 1).as_bytes()));
        // What is left is contiguous: the head from the first line, the tail to the last.
        let first_of_tail = (head as u64 + cut) / 16;
        assert!(bytes[head + MARKER_BYTES..].starts_with(line(first_of_tail).as_bytes()));
        assert!(bytes.len() - head - MARKER_BYTES > TAIL_BYTES - 4096);
    }

    #[test]
    fn an_overlong_file_is_brought_back_to_its_bound() {
        let (_folder, path) = temporary();
        std::fs::write(&path, vec![b'x'; 2 * usize::try_from(MAX_BYTES).unwrap()]).unwrap();
        let mut log = BoundedLog::open(&path).unwrap();
        log.append(b"end");
        log.flush();
        drop(log);
        assert!(std::fs::metadata(&path).unwrap().len() <= MAX_BYTES);
        assert!(tail(&path, 10).unwrap().ends_with("end"));
    }

    #[test]
    fn a_full_disk_is_told_once_and_does_no_harm() {
        let mut log = BoundedLog::open(Path::new("/dev/full")).unwrap();
        for _ in 0..100 {
            log.append(&[b'x'; 100_000]);
            log.flush();
        }
        assert!(log.take_error().is_some());
        assert!(log.take_error().is_none());
    }

    #[test]
    fn a_log_is_not_led_elsewhere() {
        let (folder, path) = temporary();
        std::os::unix::fs::symlink(folder.path().join("other"), &path).unwrap();
        assert!(BoundedLog::open(&path).is_err());
    }

    /// A node that put a pipe in the place of its log once held the bench up for ever.
    #[test]
    fn only_a_file_is_quoted() {
        let (folder, path) = temporary();
        std::fs::write(folder.path().join("secret"), "root").unwrap();
        std::os::unix::fs::symlink("secret", &path).unwrap();
        assert!(tail(&path, 10).is_err());
        std::fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(tail(&path, 10).unwrap_err().to_string().contains("is a pipe"));
    }

    #[test]
    fn what_is_shown_cannot_command_a_terminal() {
        assert_eq!(printable(b"a\x1b[2Jb\r\nc\rd\xff"), "a\\u{1b}[2Jb\nc\\rd\u{FFFD}");
        assert_eq!(printable("é\u{202E}x\u{9b}".as_bytes()), "é\\u{202e}x\\u{9b}");
        let (_folder, path) = temporary();
        std::fs::write(&path, "aéb").unwrap();
        assert_eq!(tail(&path, 2).unwrap(), "b");
    }
}
