//! A history as JSON Lines: one event a line, written as it happens.
//!
//! A run can end at any byte (Ctrl-C, power, a full disk), so the writer never leaves half an event before a
//! whole one, and the reader accepts a torn last line and says so.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

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
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        Ok(Self { file, written: 0, pending: Vec::with_capacity(BUFFER_BYTES) })
    }

    /// Adds an event; it reaches the file with the next flush, or when enough have gathered.
    /// An error means that this event is not part of the history.
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

/// What was read, and whether the end was missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// Every whole event.
    pub events: Vec<Event>,
    /// The number of the last line (from 1), where it was cut off and left out: the run ended while it was
    /// being written.
    pub torn_line: Option<u64>,
}

/// The events of a JSON Lines history; a torn last line is left out. [`read_recording`] also tells whether
/// there was one.
pub fn read_jsonl(reader: impl BufRead) -> Result<Vec<Event>, ReadError> {
    read_recording(reader).map(|recording| recording.events)
}

/// Reads a JSON Lines history. Empty lines are skipped.
pub fn read_recording(mut reader: impl BufRead) -> Result<Recording, ReadError> {
    let mut recording = Recording::default();
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let limit = MAX_EVENT_BYTES as u64 + 1;
        let read = reader.by_ref().take(limit).read_until(b'\n', &mut bytes);
        if read.map_err(|source| ReadError::Io { line, source })? == 0 {
            break;
        }
        let whole = bytes.pop_if(|last| *last == b'\n').is_some();
        if bytes.len() > MAX_EVENT_BYTES {
            return Err(ReadError::TooLong { line });
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(&bytes) {
            Ok(event) => recording.events.push(event),
            // A line without its end is the last one. No proper prefix of an object is an object, so that a
            // line that parses is whole even without the newline.
            Err(_) if !whole => recording.torn_line = Some(line),
            Err(error) => return Err(syntax(line, &error)),
        }
    }
    Ok(recording)
}

fn syntax(line: u64, error: &serde_json::Error) -> ReadError {
    let message = error.to_string();
    // The line is known here; the message's own position would say "line 1".
    let message = message.split(" at line ").next().unwrap_or_default().to_owned();
    ReadError::Syntax { line, column: error.column() as u64, message }
}
