//! Histories in any format, event by event.

use std::io::{self, Read};

use crate::blocks::{Block, Blocks};
use crate::edn::Failure;
use crate::readers::{Done, Readers};
use crate::source::{Found, Pack, Piece, Source, lines};
use crate::{Datum, Event, Format, Located, MAX_EVENT_BYTES, ReadError};

/// Reads a Jepsen history: maps one after another, or in a vector or list, or in one under the `:history` of a map.
///
/// An event without `:index` gets its position, one without `:process` belongs to process 0, one without
/// `:time` happened at 0. Keys that are not listed above (but `:node`) are skipped.
///
/// # Errors
/// What is no event, and where it stands; or the reader's own error.
pub fn read_edn(reader: impl Read) -> Result<Vec<Event>, ReadError> {
    Events::new(reader, Format::Edn).map(|located| located.map(|l| l.event.into())).collect()
}

/// How a file is read: the events are the same in any case.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// How many blocks are read at a time.
    pub threads: usize,
    /// About how long a block is.
    pub block_bytes: usize,
}

impl Default for Reading {
    /// As many threads as the machine has cores, up to eight, and blocks that fit into their caches and that the
    /// allocator keeps at hand.
    fn default() -> Self {
        const THREADS_MAX: usize = 8;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { threads: threads.min(THREADS_MAX), block_bytes: 48 << 10 }
    }
}

/// The events of a file. They are read as they are asked for; what is in memory is bounded by the longest event and by
/// some blocks for each thread.
///
/// Nothing follows an error.
pub struct Events<R, V = Datum> {
    blocks: Blocks<R>,
    /// The reader at the end of what was read for certain.
    source: Source,
    readers: Readers<V>,
    pack: Pack<V>,
    /// What the last block left: the beginning of an event.
    rest: Vec<u8>,
    /// The place of the first byte that was not read: line, from 1, and bytes of it before.
    place: (u64, u64),
    /// How many events there were.
    count: u64,
    ready: std::vec::IntoIter<Found<V>>,
    /// The line at which the block of those that are ready begins.
    ready_line: u64,
    /// What follows those that are ready.
    failure: Option<ReadError>,
    is_over: bool,
    passed: u64,
    torn_line: Option<u64>,
}

impl<R: Read> Events<R> {
    /// The events that `reader` gives, in this format.
    pub fn new(reader: R, format: Format) -> Self {
        Self::with(reader, format, Reading::default())
    }

    /// The same, read in this way.
    pub fn with(reader: R, format: Format, reading: Reading) -> Self {
        Self::packed(reader, format, reading, |event| event)
    }
}

impl<R: Read, V: Send + 'static> Events<R, V> {
    /// The same with what `pack` makes of each event. The threads that read do that, so that only what is left has to be
    /// freed by another thread than took it.
    pub fn packed(
        reader: R,
        format: Format,
        reading: Reading,
        pack: fn(Event<Datum>) -> Event<V>,
    ) -> Self {
        Self {
            blocks: Blocks::new(reader, reading.block_bytes),
            source: Source::new(format),
            readers: Readers::new(reading.threads, pack),
            pack,
            rest: Vec::new(),
            place: (1, 0),
            count: 0,
            ready: Vec::new().into_iter(),
            ready_line: 1,
            failure: None,
            is_over: false,
            passed: 0,
            torn_line: None,
        }
    }

    /// What a reader of the history should know: lines that were passed over, an end that is missing.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
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

    /// Reads the next block.
    fn advance(&mut self) -> Result<(), ReadError> {
        let line = self.place.0;
        let io = |source| ReadError::Io { line, source };
        let done = match self.readers.next(&mut self.blocks, &self.source) {
            Some(done) => done.map_err(io)?,
            None => {
                self.is_over = true;
                return Ok(());
            }
        };
        let Done { block, before, after, piece } = done;
        if self.rest.is_empty() && before == self.source {
            self.source = after;
            self.readers.note(true);
            self.take(&block, piece);
        } else {
            self.readers.note(false);
            let block = self.with_rest(block).map_err(io)?;
            let piece = self.source.read(&block.bytes, block.is_last, self.pack);
            self.take(&block, piece);
        }
        Ok(())
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

    /// Takes what was read of a block.
    fn take(&mut self, block: &Block, piece: Piece<V>) {
        let Piece { events, lines, taken, passed, is_torn, failure } = piece;
        let start = self.place;
        self.ready_line = start.0;
        self.ready = events.into_iter();
        self.passed += passed;
        let end = match (&failure, block.is_last) {
            (Some(failure), _) => failure.offset,
            (None, true) if !is_torn => block.bytes.len(),
            (None, _) => taken,
        };
        self.place = place_at(&block.bytes[..end.min(block.bytes.len())], start, lines);
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

impl<R: Read, V: Send + 'static> Iterator for Events<R, V> {
    type Item = Result<Located<V>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(Found { line, has_index, mut event, .. }) = self.ready.next() {
                if !has_index {
                    event.index = self.count;
                }
                self.count += 1;
                return Some(Ok(Located { line: self.ready_line + line, event }));
            }
            if let Some(failure) = self.failure.take() {
                self.is_over = true;
                return Some(Err(failure));
            }
            if self.is_over {
                return None;
            }
            if let Err(failure) = self.advance() {
                self.failure = Some(failure);
            }
        }
    }
}
