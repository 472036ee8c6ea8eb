//! A file in blocks that end with a line, where there are lines.

use std::io::{self, Read};

/// A part of a file.
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    /// Nothing follows it.
    pub(crate) is_last: bool,
}

impl Block {
    /// Adds the block that follows.
    pub(crate) fn add(&mut self, mut next: Block) {
        self.bytes.append(&mut next.bytes);
        self.is_last = next.is_last;
    }
}

/// The blocks of a file.
pub(crate) struct Blocks<R> {
    reader: R,
    block_bytes: usize,
    /// What was read after the last line's end.
    begun: Vec<u8>,
    /// Room of blocks that are done with.
    spare: Vec<Vec<u8>>,
    is_first: bool,
    is_over: bool,
}

impl<R: Read> Blocks<R> {
    pub(crate) fn new(reader: R, block_bytes: usize) -> Self {
        Self {
            reader,
            block_bytes: block_bytes.max(1),
            begun: Vec::new(),
            spare: Vec::new(),
            is_first: true,
            is_over: false,
        }
    }

    /// A block that is done with: the next ones need no new room.
    pub(crate) fn recycle(&mut self, block: Block) {
        /// Room for one that was as long as a long event is kept no longer than that.
        const TIMES_MAX: usize = 4;
        if block.bytes.capacity() <= TIMES_MAX * self.block_bytes {
            self.spare.push(block.bytes);
        }
    }

    /// The next block; nothing after the last one. A mark of the byte order at the beginning is left out.
    pub(crate) fn next(&mut self) -> io::Result<Option<Block>> {
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        if self.is_over {
            return Ok(None);
        }
        let wanted = self.begun.len() + self.block_bytes.max(BYTE_ORDER_MARK.len());
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        bytes.reserve(wanted);
        bytes.append(&mut self.begun);
        let missing = (wanted - bytes.len()) as u64;
        let read = self.reader.by_ref().take(missing).read_to_end(&mut bytes);
        self.is_over = read.inspect_err(|_| self.is_over = true)? < missing as usize;
        if std::mem::take(&mut self.is_first) && bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        if !self.is_over
            && let Some(end) = memchr::memrchr(b'\n', &bytes)
        {
            self.begun.extend_from_slice(&bytes[end + 1..]);
            bytes.truncate(end + 1);
        }
        Ok(Some(Block { bytes, is_last: self.is_over }))
    }
}
