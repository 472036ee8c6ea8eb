//! A file, block by block, with what the threads that read it made of each.

use std::io::{self, Read};

use crate::blocks::{Block, Blocks};
use crate::edn::Failure;
use crate::readers::{Done, Readers, Work};
use crate::source::{Found, Piece, Source, lines};
use crate::{Format, MAX_EVENT_BYTES, ReadError, Reading};

/// What is read of a file, and how far. Nothing follows an error.
pub(crate) struct Text<R, W: Work> {
    blocks: Blocks<R>,
    /// The reader at the end of what was read for certain.
    source: Source,
    readers: Readers<W>,
    /// What the last block left: the beginning of an event.
    rest: Vec<u8>,
    /// The place of the first byte that was not read: line, from 1, and bytes of it before.
    place: (u64, u64),
    /// What follows the last block.
    failure: Option<ReadError>,
    is_over: bool,
    passed: u64,
    torn_line: Option<u64>,
}

/// A block, and what was made of it.
pub(crate) struct Part<M> {
    pub(crate) made: M,
    block: Block,
    /// The reader before it.
    before: Source,
    /// The line at which it begins.
    line: u64,
}

impl<R: Read, W: Work> Text<R, W> {
    pub(crate) fn new(reader: R, format: Format, reading: Reading) -> Self {
        Self {
            blocks: Blocks::new(reader, reading.block_bytes),
            source: Source::new(format),
            readers: Readers::new(reading.threads),
            rest: Vec::new(),
            place: (1, 0),
            failure: None,
            is_over: false,
            passed: 0,
            torn_line: None,
        }
    }

    /// What a reader of the history should know: lines that were passed over, an end that is missing.
    pub(crate) fn notes(&self) -> Vec<String> {
        let passed = match self.passed {
            0 => None,
            1 => Some("1 line holds no operation and was passed over.".to_owned()),
            many => Some(format!("{many} lines hold no operation and were passed over.")),
        };
        let torn = self.torn_line.map(|line| {
            format!(
                "Line {line} is cut off and was left out: the run ended while it was being written."
            )
        });
        passed.into_iter().chain(torn).collect()
    }

    /// The next block, with what this work makes of it.
    pub(crate) fn next(&mut self, work: &mut W) -> Option<Result<Part<W::Made>, ReadError>> {
        if let Some(failure) = self.failure.take() {
            self.is_over = true;
            return Some(Err(failure));
        }
        if self.is_over {
            return None;
        }
        let next = self.advance(work).transpose();
        self.is_over |= matches!(next, None | Some(Err(_)));
        next
    }

    /// No block is needed any more whose part this is.
    pub(crate) fn recycle<M>(&mut self, part: Part<M>) {
        self.blocks.recycle(part.block);
    }

    fn advance(&mut self, work: &mut W) -> Result<Option<Part<W::Made>>, ReadError> {
        let line = self.place.0;
        let io = |source| ReadError::Io { line, source };
        let Some(done) = self.readers.next(&mut self.blocks, &self.source, work) else {
            return Ok(None);
        };
        let Done { block, before, work: assumed, after, piece, made } = done.map_err(io)?;
        let was_right = self.rest.is_empty() && before == self.source && assumed.is_same(work);
        self.readers.note(was_right);
        if was_right {
            self.source = after;
            self.take(&block, piece);
            return Ok(Some(Part { made, block, before, line }));
        }
        let block = self.with_rest(block).map_err(io)?;
        let before = self.source.clone();
        let mut events = Vec::new();
        let piece = self.source.read(&block.bytes, block.is_last, &mut events);
        self.take(&block, piece);
        Ok(Some(Part { made: work.make(&mut events), block, before, line }))
    }

    /// The block after what the last one left: at least twice as much, so that reading an event again whenever some more
    /// of it is there costs no more than reading it once.
    fn with_rest(&mut self, next: Block) -> io::Result<Block> {
        let mut block = Block { bytes: std::mem::take(&mut self.rest), is_last: false };
        let wanted = 2 * block.bytes.len();
        block.add(next);
        while block.bytes.len() < wanted && !block.is_last {
            let Some(next) = self.readers.next_block(&mut self.blocks) else { break };
            block.add(next?);
        }
        Ok(block)
    }

    /// Notes what was read of a block.
    fn take(&mut self, block: &Block, piece: Piece) {
        let Piece { taken, lines, passed, is_torn, failure } = piece;
        self.passed += passed;
        let end = match (&failure, block.is_last) {
            (Some(failure), _) => failure.offset,
            (None, true) if !is_torn => block.bytes.len(),
            (None, _) => taken,
        };
        let end = end.min(block.bytes.len());
        self.place = place_at(&block.bytes[..end], self.place, (lines, taken.min(end)));
        let (line, before) = self.place;
        if let Some(Failure { message, .. }) = failure {
            self.failure = Some(ReadError::Syntax { line, column: before + 1, message });
        } else if block.is_last {
            self.is_over = true;
            self.torn_line = is_torn.then_some(line);
        } else if block.bytes.len() - taken > MAX_EVENT_BYTES {
            self.failure = Some(ReadError::TooLong { line });
        } else {
            self.rest = block.bytes[taken..].to_vec();
        }
    }
}

impl<M> Part<M> {
    /// What was made, and the rest.
    pub(crate) fn split(self) -> (M, Part<()>) {
        let Self { made, block, before, line } = self;
        (made, Part { made: (), block, before, line })
    }

    /// Its events, read once more.
    pub(crate) fn events(&self) -> Vec<Found> {
        let mut events = Vec::new();
        self.before.clone().read(&self.block.bytes, self.block.is_last, &mut events);
        events
    }

    /// The lines of what begins at these offsets, which must be asked for in their order.
    pub(crate) fn lines(&self) -> impl FnMut(usize) -> u64 + '_ {
        let (mut line, mut counted) = (self.line, 0);
        move |start| {
            line += lines(&self.block.bytes[counted..start]);
            counted = start;
            line
        }
    }
}

/// The place after a text that begins at this one, and of which so many lines end before some offset in it.
fn place_at(
    text: &[u8],
    (line, before): (u64, u64),
    (counted, offset): (u64, usize),
) -> (u64, u64) {
    match memchr::memrchr(b'\n', text) {
        None => (line, before + text.len() as u64),
        Some(last) => (line + counted + lines(&text[offset..]), (text.len() - last - 1) as u64),
    }
}
