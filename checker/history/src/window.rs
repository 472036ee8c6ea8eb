//! A sliding window over a text: readers see whole pieces of it, the file is never in memory as a whole.

use std::io::{self, Read};

/// The longest event that is read: far above any honest one, far below what hurts.
pub const MAX_EVENT_BYTES: usize = 16 << 20;

/// How much is read at a time, at least.
const CHUNK_BYTES: usize = 256 << 10;

/// Why a file could not be read as a history.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file could not be read.
    #[error("line {line}: {source}")]
    Io {
        /// The line that was being read, from 1.
        line: u64,
        /// What the system said.
        source: io::Error,
    },
    /// Not an event.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// Line, from 1.
        line: u64,
        /// Column in bytes, from 1.
        column: u64,
        /// What is wrong there.
        message: String,
    },
    /// Longer than [`MAX_EVENT_BYTES`].
    #[error("line {line}: an event longer than {MAX_EVENT_BYTES} bytes, so this is no history")]
    TooLong {
        /// Line, from 1.
        line: u64,
    },
}

/// What was read and not yet taken.
pub(crate) struct Window<R> {
    reader: R,
    bytes: Vec<u8>,
    /// Bytes before this are taken.
    start: usize,
    /// Nothing follows `bytes`.
    at_end: bool,
    /// The line under way was refused; whoever asks for the next one means the one after it.
    is_too_long: bool,
    /// The line of `start`, from 1.
    line: u64,
    /// Bytes of that line before `start`.
    column: u64,
}

impl<R: Read> Window<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            bytes: Vec::new(),
            start: 0,
            at_end: false,
            is_too_long: false,
            line: 1,
            column: 0,
        }
    }

    /// What is there; more may follow: see [`Window::lengthen`].
    pub(crate) fn text(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Lengthens the text, at least doubling it, so that looking again costs no more than looking once.
    pub(crate) fn lengthen(&mut self) -> Result<(), ReadError> {
        self.bytes.drain(..self.start);
        self.start = 0;
        if self.bytes.len() > MAX_EVENT_BYTES {
            return Err(ReadError::TooLong { line: self.line });
        }
        let wanted = CHUNK_BYTES.max(self.bytes.len());
        self.bytes.reserve(wanted);
        let read = self.reader.by_ref().take(wanted as u64).read_to_end(&mut self.bytes);
        let read = read.map_err(|source| ReadError::Io { line: self.line, source })?;
        self.at_end = read < wanted;
        Ok(())
    }

    /// Takes the first `length` bytes.
    pub(crate) fn advance(&mut self, length: usize) {
        (self.line, self.column) = self.position(length);
        self.start += length;
    }

    /// The line of the text's first byte.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Line, from 1, and bytes of it before this offset.
    fn position(&self, offset: usize) -> (u64, u64) {
        let before = &self.text()[..offset.min(self.text().len())];
        match memchr::memrchr(b'\n', before) {
            None => (self.line, self.column + before.len() as u64),
            Some(last) => {
                let lines = memchr::memchr_iter(b'\n', &before[..=last]).count();
                (self.line + lines as u64, (before.len() - last - 1) as u64)
            }
        }
    }

    /// An error at this offset.
    pub(crate) fn syntax(&self, offset: usize, message: impl Into<String>) -> ReadError {
        let (line, before) = self.position(offset);
        ReadError::Syntax { line, column: before + 1, message: message.into() }
    }

    /// What the next line holds that holds anything, and its number. `read` gets the line's length, and whether the line
    /// has an end. After an error that is not one of the file the next line follows.
    pub(crate) fn next_of_lines<T>(
        &mut self,
        mut read: impl FnMut(&Self, usize, bool) -> Result<Option<T>, ReadError>,
    ) -> Result<Option<(u64, T)>, ReadError> {
        while let Some((length, has_end)) = self.next_line()? {
            let (line, found) = (self.line, read(self, length, has_end));
            self.advance(length + usize::from(has_end));
            if let Some(found) = found? {
                return Ok(Some((line, found)));
            }
        }
        Ok(None)
    }

    /// The length of the next line without its end, and whether it has one; nothing at the end of the file.
    fn next_line(&mut self) -> Result<Option<(usize, bool)>, ReadError> {
        if std::mem::take(&mut self.is_too_long) {
            self.skip_line()?;
        }
        let mut searched = 0;
        let (length, has_end) = loop {
            if let Some(found) = memchr::memchr(b'\n', &self.text()[searched..]) {
                break (searched + found, true);
            }
            searched = self.text().len();
            if self.at_end || searched > MAX_EVENT_BYTES {
                break (searched, false);
            }
            self.lengthen()?;
        };
        if length > MAX_EVENT_BYTES {
            self.is_too_long = true;
            return Err(ReadError::TooLong { line: self.line });
        }
        Ok((length > 0 || has_end).then_some((length, has_end)))
    }

    fn skip_line(&mut self) -> Result<(), ReadError> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', self.text()) {
                self.advance(end + 1);
                return Ok(());
            }
            self.advance(self.text().len());
            if self.at_end {
                return Ok(());
            }
            self.lengthen()?;
        }
    }
}
