//! A history as JSON Lines: one event a line, written as it happens.
//!
//! A run can end at any byte (Ctrl-C, power, a full disk), so the writer never leaves half an event before a
//! whole one, and the reader accepts a torn last line and says so.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::marker::PhantomData;
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::window::Window;
use crate::{Event, MAX_EVENT_BYTES, ReadError};

/// How much the writer gathers before it writes on its own.
const BUFFER_BYTES: usize = 64 << 10;

/// Appends events to a file.
///
/// Whole lines go out at a known offset. Where a write fails (a full disk), the file is cut back to the last
/// whole line, and the events that did not fit are kept and tried again with the next flush; until one
/// succeeds, no further event is accepted.
#[derive(Debug)]
pub struct Writer {
    file: File,
    /// Bytes of whole lines in the file.
    written: u64,
    /// Whole lines not yet in the file.
    pending: Vec<u8>,
}

impl Writer {
    /// A new, empty history at this path; what was there is lost.
    ///
    /// # Errors
    /// The system's own.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        Ok(Self { file, written: 0, pending: Vec::with_capacity(BUFFER_BYTES) })
    }

    /// Adds an event; it reaches the file with the next flush, or when enough have gathered.
    ///
    /// # Errors
    /// It is longer than [`MAX_EVENT_BYTES`], or what has gathered cannot be written; then it is no part of the history.
    pub fn append(&mut self, event: &Event) -> io::Result<()> {
        if self.pending.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        let start = self.pending.len();
        let line = serde_json::to_writer(&mut self.pending, event);
        let too_long = self.pending.len() - start >= MAX_EVENT_BYTES;
        if line.is_err() || too_long {
            self.pending.truncate(start);
            line?;
            let message = format!("event {} is longer than {MAX_EVENT_BYTES} bytes", event.index);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        self.pending.push(b'\n');
        Ok(())
    }

    /// Hands every event to the operating system.
    ///
    /// # Errors
    /// They cannot be written now; they are kept, and tried again with the next flush.
    pub fn flush(&mut self) -> io::Result<()> {
        if let Err(error) = self.file.write_all_at(&self.pending, self.written) {
            // Best effort: should even this fail, the torn line stays last, and the reader accepts that.
            let _ = self.file.set_len(self.written);
            return Err(error);
        }
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Flushes and waits until the disk has everything.
    ///
    /// # Errors
    /// As [`Writer::flush`], or the disk's own.
    pub fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file.sync_data()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// The events of a JSON Lines history. Empty lines are skipped and a torn last line is left out; [`Records`] also tells
/// whether there was one.
///
/// # Errors
/// A line that is no event, or the reader's own.
pub fn read_jsonl(reader: impl Read) -> Result<Vec<Event>, ReadError> {
    Records::new(reader).collect()
}

/// The records of any JSON Lines file, one by one; what is in memory is bounded by the longest line. Empty lines are
/// skipped. A last line without its end that is no record was being written when the writer was stopped: it is left out,
/// and [`torn_line`](Self::torn_line) tells of it.
///
/// After a line that cannot be read the next one follows; after an error of the file nothing does.
pub struct Records<R, T> {
    window: Window<R>,
    torn: Torn,
    is_over: bool,
    record: PhantomData<T>,
}

impl<R: Read, T: DeserializeOwned> Records<R, T> {
    /// The records that `reader` gives.
    pub fn new(reader: R) -> Self {
        let (window, torn) = (Window::new(reader), Torn::default());
        Self { window, torn, is_over: false, record: PhantomData }
    }

    /// The number of the last line, from 1, where it was cut off: known once there are no more records.
    #[must_use]
    pub fn torn_line(&self) -> Option<u64> {
        self.torn.line
    }
}

impl<R: Read, T: DeserializeOwned> Iterator for Records<R, T> {
    type Item = Result<T, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = next(&mut self.window, &mut self.torn);
        self.is_over = matches!(next, Ok(None) | Err(ReadError::Io { .. }));
        next.map(|found| found.map(|(_, record)| record)).transpose()
    }
}

/// The last line, if it was cut off.
#[derive(Default)]
pub(crate) struct Torn {
    pub(crate) line: Option<u64>,
}

/// The record of the next line that is not empty, and the line's number.
pub(crate) fn next<T: DeserializeOwned>(
    window: &mut Window<impl Read>,
    torn: &mut Torn,
) -> Result<Option<(u64, T)>, ReadError> {
    window.next_of_lines(|window, length, has_end| {
        if window.text()[..length].trim_ascii().is_empty() {
            return Ok(None);
        }
        match parse(window, length) {
            // A line without its end is the last one. No proper prefix of an object is an object, so that a
            // line that parses is whole even without the newline.
            Err(_) if !has_end => {
                torn.line = Some(window.line());
                Ok(None)
            }
            parsed => parsed.map(Some),
        }
    })
}

/// What the first `length` bytes hold.
pub(crate) fn parse<T: DeserializeOwned>(
    window: &Window<impl Read>,
    length: usize,
) -> Result<T, ReadError> {
    let text = &window.text()[..length];
    serde_json::from_slice(text).map_err(|error| {
        let (line, column) = (error.line().max(1), error.column());
        let line_start = text.split_inclusive(|&b| b == b'\n').take(line - 1).map(<[u8]>::len);
        let message = error.to_string();
        // The place is known here; the message's own would be that within the text.
        let message = message.split(" at line ").next().unwrap_or_default();
        window.syntax(line_start.sum::<usize>() + column.saturating_sub(1), message)
    })
}
