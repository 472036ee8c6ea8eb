//! A history in a file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use history::{Event, Events, Format, Operation, Pairing, ReadError};
use record::bytes_max;

use super::{ForeignError, Progress, Question};

/// So much of a file is looked at to tell its format.
const START_BYTES: u64 = 16 << 10;

/// What a file holds.
pub(super) struct Recorded {
    pub(super) operations: Vec<Operation>,
    /// The line of each operation's invocation.
    lines: Vec<u64>,
    pub(super) events: u64,
    pub(super) notes: Vec<String>,
    /// The rule of a history that it breaks, and where.
    pub(super) broken: Option<String>,
}

/// The format that was asked for, or that the file most likely has.
///
/// # Errors
/// No such format, no such file, or a file that resembles none.
pub fn format_of(path: &Path, wanted: Option<&str>) -> Result<Format, ForeignError> {
    let names = || Format::ALL.map(Format::name).join(", ");
    if let Some(name) = wanted {
        return Format::by_name(name).ok_or_else(|| {
            ForeignError::Unfit(format!("there is no format `{name}`; there are: {}", names()))
        });
    }
    let mut start = Vec::new();
    open(path)?
        .take(START_BYTES)
        .read_to_end(&mut start)
        .map_err(|error| unreadable(path, &error))?;
    Format::guess(path, &start).ok_or_else(|| {
        ForeignError::Unfit(format!(
            "{} resembles no format of a history; if it is one, name it with --format: {}",
            path.display(),
            names()
        ))
    })
}

/// The events of the history, once more.
///
/// # Errors
/// The file cannot be read any more.
pub fn events(
    question: &Question,
) -> Result<impl Iterator<Item = Result<Event, ForeignError>>, ForeignError> {
    let events = Events::new(open(&question.path)?, question.format);
    let path = question.path.clone();
    Ok(events.map(move |located| match located {
        Ok(located) => Ok(located.event),
        Err(error) => Err(unreadable(&path, &error)),
    }))
}

/// A pipe is no history: it is read more than once.
fn open(path: &Path) -> Result<File, ForeignError> {
    plain_file::open(path, bytes_max::HISTORY)
        .map_err(|error| ForeignError::Unfit(error.to_string()))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> ForeignError {
    ForeignError::Unfit(format!("{}: {error}", path.display()))
}

impl Recorded {
    pub(super) fn read(question: &Question, progress: &dyn Progress) -> Result<Self, ForeignError> {
        let path = &question.path;
        let mut file = open(path)?;
        let total = file.seek(SeekFrom::End(0)).and_then(|end| file.rewind().map(|()| end));
        progress.reading(total.unwrap_or(0));
        let mut events = Events::new(Counting { file, progress }, question.format);
        let mut pairing = Pairing::default();
        let mut recorded = Self {
            operations: Vec::new(),
            lines: Vec::new(),
            events: 0,
            notes: Vec::new(),
            broken: None,
        };
        for located in events.by_ref() {
            let located = located.map_err(|error| {
                let format = question.format;
                let problem = format!("{}, read as {}: {error}", path.display(), format.name());
                match error {
                    ReadError::Io { .. } => ForeignError::Io(problem),
                    ReadError::Syntax { .. } | ReadError::TooLong { .. } => {
                        let likely = format_of(path, None).ok().filter(|&likely| likely != format);
                        let hint = |likely: Format| format!("; it looks like {}", likely.name());
                        ForeignError::Unfit(problem + &likely.map(hint).unwrap_or_default())
                    }
                }
            })?;
            recorded.events += 1;
            match pairing.add(located.event) {
                Ok(true) => recorded.lines.push(located.line),
                Ok(false) => {}
                Err(error) => {
                    recorded.broken = Some(format!("line {}: {error}", located.line));
                    break;
                }
            }
        }
        recorded.notes = events.notes();
        recorded.operations = pairing.finish();
        if !recorded.operations.is_empty()
            && !recorded.operations.iter().any(|operation| operation.result().is_some())
        {
            recorded.notes.push("No operation in it succeeded.".to_owned());
        }
        Ok(recorded)
    }

    /// The operation whose invocation is this event, and its line.
    pub(super) fn operation(&self, event: u64) -> Option<(&Operation, u64)> {
        let at = self.operations.binary_search_by_key(&event, |operation| operation.call).ok()?;
        Some((&self.operations[at], *self.lines.get(at)?))
    }

    /// The line of this event's operation.
    pub(super) fn line(&self, event: u64) -> Option<u64> {
        self.operation(event).map(|(_, line)| line)
    }
}

/// A file that says how much of it was read.
struct Counting<'a> {
    file: File,
    progress: &'a dyn Progress,
}

impl Read for Counting<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(to)?;
        self.progress.read(read as u64);
        Ok(read)
    }
}
