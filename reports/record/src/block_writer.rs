//! Writes JSON Lines that are many: they go out in blocks.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::marker::PhantomData;

use serde::Serialize;

/// Writes a file of lines, each of them a `T`.
#[derive(Debug)]
pub struct BlockWriter<T> {
    file: BufWriter<File>,
    lines: PhantomData<fn(&T)>,
}

impl<T: Serialize> BlockWriter<T> {
    pub(crate) fn new(file: File) -> Self {
        Self { file: BufWriter::new(file), lines: PhantomData }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&mut self, line: &T) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, line)?;
        self.file.write_all(b"\n")
    }

    /// Brings the file up to date.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
