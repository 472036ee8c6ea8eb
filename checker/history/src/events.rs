//! Histories in any format, event by event.

use std::io::Read;

use crate::window::Window;
use crate::{Event, Format, Located, ReadError, jepsen, jepsen_json, jepsen_log};

/// Reads a Jepsen history: maps one after another, or in a vector or list, or in one under the `:history` of a map.
///
/// An event without `:index` gets its position, one without `:process` belongs to process 0, one without
/// `:time` happened at 0. Keys that are not listed above (but `:node`) are skipped.
pub fn read_edn(reader: impl Read) -> Result<Vec<Event>, ReadError> {
    Events::new(reader, Format::Edn).map(|located| located.map(|l| l.event)).collect()
}

/// The events of a file. They are read as they are asked for; what is in memory is bounded by the longest event.
///
/// Nothing follows an error.
pub struct Events<R> {
    window: Window<R>,
    source: Source,
    /// How many events there were.
    count: u64,
    failed: bool,
}

/// The state of the reader of a format.
enum Source {
    Edn(jepsen::Reader),
    Json(jepsen_json::Reader),
    JsonLines(jepsen_json::Lines),
    JepsenLog(jepsen_log::Reader),
}

impl<R: Read> Events<R> {
    /// The events that `reader` gives, in this format.
    pub fn new(reader: R, format: Format) -> Self {
        let source = match format {
            Format::Edn => Source::Edn(jepsen::Reader::default()),
            Format::PorcupineKv => Source::Edn(jepsen::Reader::porcupine()),
            Format::Json => Source::Json(jepsen_json::Reader::default()),
            Format::JsonLines => Source::JsonLines(jepsen_json::Lines::default()),
            Format::JepsenLog => Source::JepsenLog(jepsen_log::Reader::default()),
        };
        Self { window: Window::new(reader), source, count: 0, failed: false }
    }

    /// What a reader of the history should know: lines that were passed over, an end that is missing.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let note = match &self.source {
            Source::Edn(_) | Source::Json(_) => None,
            Source::JsonLines(lines) => lines.note(),
            Source::JepsenLog(reader) => reader.note(),
        };
        note.into_iter().collect()
    }
}

impl<R: Read> Iterator for Events<R> {
    type Item = Result<Located, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let (window, position) = (&mut self.window, self.count);
        let next = match &mut self.source {
            Source::Edn(reader) => reader.next(window, position),
            Source::Json(reader) => reader.next(window, position),
            Source::JsonLines(lines) => lines.next(window, position),
            Source::JepsenLog(reader) => reader.next(window, position),
        };
        self.count += 1;
        self.failed = next.is_err();
        next.transpose()
    }
}
