//! The readers of all formats, block by block.
//!
//! A block is a part of a file. What a reader does with it depends only on its bytes and on the state before it, so that
//! blocks can be read side by side, each on the assumption that the one before ends between two events.

use crate::edn::Failure;
use crate::{Datum, Event, Format, jepsen, jepsen_json, jepsen_log};

/// An event in a block.
pub(crate) struct Found<V = Datum> {
    /// Where it begins, in bytes from the start of the block.
    pub(crate) start: usize,
    /// The lines of the block before that.
    pub(crate) line: u64,
    /// Whether it names its index; otherwise that is its position.
    pub(crate) has_index: bool,
    pub(crate) event: Event<V>,
}

/// What a reader did at one place.
pub(crate) enum Step {
    /// It added an event, which ends at this offset.
    Event(usize),
    /// It came to this offset without an event.
    Over(usize),
    /// It passed over a line that holds no event, up to this offset.
    Passed(usize),
    /// It left out a line that was being written when the run ended: the last one.
    Torn,
    /// More text is needed, or this is the end.
    More,
    Failed(Failure),
}

/// What stands at the next place in a text whose events may be within brackets.
pub(crate) enum Next {
    /// An event, which was added.
    Event,
    /// Events follow, within brackets that end like this.
    Open(&'static [u8]),
    Close,
    /// Something beside the events.
    Other,
    End,
}

impl Next {
    /// The step to the offset behind it; `within` has the closing brackets of what surrounds that.
    pub(crate) fn taken(self, offset: usize, within: &mut Vec<u8>) -> Step {
        match self {
            Self::Event => return Step::Event(offset),
            Self::End => return Step::More,
            Self::Open(closing) => within.extend(closing),
            Self::Close => drop(within.pop()),
            Self::Other => {}
        }
        Step::Over(offset)
    }
}

/// A reader and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Edn(jepsen::Reader),
    Json(jepsen_json::Reader),
    JsonLines,
    JepsenLog,
}

/// Makes what is kept of an event, by the thread that read it.
pub(crate) type Pack<V> = fn(Event<Datum>) -> Event<V>;

/// What a block holds.
pub(crate) struct Piece<V> {
    pub(crate) events: Vec<Found<V>>,
    /// Lines that end before the last event, or before the first byte where there is none; and where that event begins.
    pub(crate) lines: (u64, usize),
    /// So many bytes were read; what is left belongs to something that goes on in the next block.
    pub(crate) taken: usize,
    /// Lines that hold no event.
    pub(crate) passed: u64,
    /// The last line was cut off and left out.
    pub(crate) is_torn: bool,
    /// Why it was not read further.
    pub(crate) failure: Option<Failure>,
}

impl<V> Default for Piece<V> {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            lines: (0, 0),
            taken: 0,
            passed: 0,
            is_torn: false,
            failure: None,
        }
    }
}

impl<V> Piece<V> {
    /// Adds an event that begins so far behind what was taken.
    fn add(&mut self, found: Found, block: &[u8], pack: Pack<V>) {
        let start = self.taken + found.start;
        let (line, counted) = &mut self.lines;
        *line += lines(&block[*counted..start]);
        *counted = start;
        let Found { has_index, event, .. } = found;
        self.events.push(Found { start, line: *line, has_index, event: pack(event) });
    }
}

impl Source {
    pub(crate) fn new(format: Format) -> Self {
        match format {
            Format::Edn => Self::Edn(jepsen::Reader::default()),
            Format::PorcupineKv => Self::Edn(jepsen::Reader::porcupine()),
            Format::Json => Self::Json(jepsen_json::Reader::default()),
            Format::JsonLines => Self::JsonLines,
            Format::JepsenLog => Self::JepsenLog,
        }
    }

    /// The text without what may stand between two events.
    fn after_separators<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let is_separator = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
        match self {
            Self::Edn(_) | Self::Json(_) => {
                let end = text.iter().position(|byte| !is_separator(byte));
                &text[end.unwrap_or(text.len())..]
            }
            Self::JsonLines | Self::JepsenLog => text,
        }
    }

    /// Reads a block, of which the last one has nothing after it.
    pub(crate) fn read<V>(&mut self, block: &[u8], is_last: bool, pack: Pack<V>) -> Piece<V> {
        let mut piece = Piece::default();
        // What a step adds is packed before the next one: what it took is free again, and at hand.
        let mut events = Vec::with_capacity(1);
        loop {
            let text = &block[piece.taken..];
            let step = match self {
                Self::Edn(reader) => reader.step(text, is_last, &mut events),
                Self::Json(reader) => reader.step(text, is_last, &mut events),
                Self::JsonLines => jepsen_json::line(text, is_last, &mut events),
                Self::JepsenLog => jepsen_log::line(text, is_last, &mut events),
            };
            match step {
                Step::Event(end) => {
                    if let Some(found) = events.pop() {
                        piece.add(found, block, pack);
                    }
                    piece.taken += end;
                }
                Step::Over(end) => piece.taken += end,
                Step::Passed(end) => {
                    piece.passed += 1;
                    piece.taken += end;
                }
                Step::Torn => {
                    piece.is_torn = true;
                    return piece;
                }
                Step::More => {
                    piece.taken += text.len() - self.after_separators(text).len();
                    return piece;
                }
                Step::Failed(failure) => {
                    let offset = piece.taken + failure.offset;
                    piece.failure = Some(Failure { offset, ..failure });
                    return piece;
                }
            }
        }
    }
}

/// How many lines end in this text.
pub(crate) fn lines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

/// The first line of a text, with its end, if it is whole or the last one.
pub(crate) fn first_line(text: &[u8], is_last: bool) -> Option<&[u8]> {
    match memchr::memchr(b'\n', text) {
        Some(end) => Some(&text[..=end]),
        None => (is_last && !text.is_empty()).then_some(text),
    }
}
