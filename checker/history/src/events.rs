//! Histories in any format, event by event.

use std::io::Read;

use crate::readers::Work;
use crate::source::Found;
use crate::text::Text;
use crate::{Event, Format, Located, ReadError};

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
pub struct Events<R> {
    text: Text<R, AsTheyAre>,
    /// How many events there were.
    count: u64,
    /// Events that were read, each with its line.
    ready: std::vec::IntoIter<(u64, Found)>,
}

/// The events themselves, and where each begins.
struct AsTheyAre;

impl Work for AsTheyAre {
    type Made = Vec<Found>;

    fn hand_out(&mut self) -> Self {
        Self
    }

    fn make(&mut self, events: &mut Vec<Found>) -> Vec<Found> {
        std::mem::take(events)
    }

    fn is_same(&self, _: &Self) -> bool {
        true
    }
}

impl<R: Read> Events<R> {
    /// The events that `reader` gives, in this format.
    pub fn new(reader: R, format: Format) -> Self {
        Self::with(reader, format, Reading::default())
    }

    /// The same, read in this way.
    pub fn with(reader: R, format: Format, reading: Reading) -> Self {
        let text = Text::new(reader, format, reading);
        Self { text, count: 0, ready: Vec::new().into_iter() }
    }

    /// What a reader of the history should know: lines that were passed over, an end that is missing.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.text.notes()
    }
}

impl<R: Read> Iterator for Events<R> {
    type Item = Result<Located, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((line, Found { has_index, mut event, .. })) = self.ready.next() {
                if !has_index {
                    event.index = self.count;
                }
                self.count += 1;
                return Some(Ok(Located { line, event }));
            }
            let mut part = match self.text.next(&mut AsTheyAre)? {
                Ok(part) => part,
                Err(failure) => return Some(Err(failure)),
            };
            let events = std::mem::take(&mut part.made);
            let mut line = part.lines();
            let located = events.into_iter().map(|found| (line(found.start), found));
            let located: Vec<_> = located.collect();
            drop(line);
            self.ready = located.into_iter();
            self.text.recycle(part);
        }
    }
}
