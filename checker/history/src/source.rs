//! The readers of all formats, block by block.
//!
//! A block is a part of a file. What a reader does with it depends only on its bytes and on the state before it, so that
//! blocks can be read side by side, each on the assumption that the one before ends between two events.

use crate::edn::Failure;
use crate::{Datum, Event, Format, jepsen, jepsen_json, jepsen_log};

/// An event in a block.
pub(crate) struct Found {
    /// Where it begins, in bytes from the start of the block.
    pub(crate) start: usize,
    /// Whether it names its index; otherwise that is its position.
    pub(crate) has_index: bool,
    pub(crate) event: Event<Datum>,
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

/// What a block holds beside its events.
#[derive(Default)]
pub(crate) struct Piece {
    /// So many bytes were read; what is left belongs to something that goes on in the next block.
    pub(crate) taken: usize,
    /// Lines that end in those.
    pub(crate) lines: u64,
    /// Lines that hold no event.
    pub(crate) passed: u64,
    /// The last line was cut off and left out.
    pub(crate) is_torn: bool,
    /// Why it was not read further.
    pub(crate) failure: Option<Failure>,
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

    /// Reads a block, of which the last one has nothing after it, and adds its events.
    pub(crate) fn read(&mut self, block: &[u8], is_last: bool, events: &mut Vec<Found>) -> Piece {
        let mut piece = Piece::default();
        self.read_on(block, is_last, events, &mut piece);
        piece.lines = lines(&block[..piece.taken]);
        piece
    }

    fn read_on(&mut self, block: &[u8], is_last: bool, events: &mut Vec<Found>, piece: &mut Piece) {
        loop {
            let text = &block[piece.taken..];
            let step = match self {
                Self::Edn(reader) => reader.step(text, is_last, events),
                Self::Json(reader) => reader.step(text, is_last, events),
                Self::JsonLines => jepsen_json::line(text, is_last, events),
                Self::JepsenLog => jepsen_log::line(text, is_last, events),
            };
            match step {
                Step::Event(end) => {
                    if let Some(found) = events.last_mut() {
                        found.start += piece.taken;
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
                    return;
                }
                Step::More => {
                    piece.taken += text.len() - self.after_separators(text).len();
                    return;
                }
                Step::Failed(failure) => {
                    let offset = piece.taken + failure.offset;
                    piece.failure = Some(Failure { offset, ..failure });
                    return;
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
