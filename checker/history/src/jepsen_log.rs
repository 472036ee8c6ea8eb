//! Operations from the text of a Jepsen log: `INFO  jepsen.util - 0 :invoke :read nil`.
//!
//! What stands before the process (a time, a thread) varies between versions, so an operation is told by its middle:
//! a process, `:invoke`, `:ok`, `:fail` or `:info`, and a function. Other lines are passed over, and counted.

use crate::edn::{Cursor, Edn, Failure, Parsed};
use crate::source::{Found, Step, first_line};
use crate::{Datum, Event, EventKind, Process};

/// The operation of a line, if it holds one.
pub(crate) fn line(text: &[u8], is_last: bool, events: &mut Vec<Found>) -> Step {
    let Some(line) = first_line(text, is_last) else { return Step::More };
    if line.trim_ascii().is_empty() {
        return Step::Over(line.len());
    }
    let Some(middle) = middle(line) else { return Step::Passed(line.len()) };
    match read(line, middle) {
        Ok(event) => {
            events.push(Found { start: 0, has_index: false, event });
            Step::Event(line.len())
        }
        Err(failure) => Step::Failed(failure),
    }
}

/// Does this line hold an operation?
pub(crate) fn is_operation(line: &[u8]) -> bool {
    middle(line).is_some()
}

/// The part of a line that makes it an operation.
struct Middle {
    process: Process,
    kind: EventKind,
    /// Where the function begins.
    rest: usize,
}

/// Finds a process followed by the type of an event, and something after them.
fn middle(line: &[u8]) -> Option<Middle> {
    let mut words = Words { line, offset: 0 };
    let mut previous: Option<&[u8]> = None;
    while let Some(word) = words.next() {
        let named = word.strip_prefix(b":").and_then(|name| std::str::from_utf8(name).ok());
        let kind = named.and_then(crate::jepsen::event_kind);
        if let (Some(kind), Some(process)) = (kind, previous.and_then(process)) {
            let rest = words.offset;
            return words.next().map(|_| Middle { process, kind, rest });
        }
        previous = Some(word);
    }
    None
}

/// `3`, or `:nemesis`.
fn process(word: &[u8]) -> Option<Process> {
    let word = std::str::from_utf8(word).ok()?;
    if let Some(name) = word.strip_prefix(':') {
        return (!name.is_empty()).then(|| Process::Named(name.to_owned()));
    }
    word.parse().ok().map(Process::Client)
}

struct Words<'a> {
    line: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = &self.line[self.offset..];
        let start = self.offset + rest.iter().position(|b| !b.is_ascii_whitespace())?;
        let word = &self.line[start..];
        let length = word.iter().position(u8::is_ascii_whitespace).unwrap_or(word.len());
        self.offset = start + length;
        Some(&self.line[start..self.offset])
    }
}

/// Function, value, and perhaps an error.
fn read(line: &[u8], middle: Middle) -> Parsed<Event<Datum>> {
    let mut cursor = Cursor::new(&line[middle.rest..]);
    let parts = parts(&mut cursor);
    let (f, value, error) = parts.map_err(|f| Failure { offset: middle.rest + f.offset, ..f })?;
    let Middle { process, kind, .. } = middle;
    let f = f.into();
    Ok(Event { index: 0, time_ns: 0, process, kind, f, value, error, node: None })
}

fn parts(cursor: &mut Cursor<'_>) -> Parsed<(String, Datum, Option<String>)> {
    let f = match cursor.required()? {
        Edn::Nil => String::new(),
        Edn::Keyword(name) | Edn::String(name) => name,
        other => other.to_string(),
    };
    let value = if is_done(cursor)? { Datum::Nil } else { cursor.value()? };
    let error = match is_done(cursor)? {
        true => None,
        false => Some(cursor.value::<Edn>()?.to_string()),
    };
    if is_done(cursor)? {
        Ok((f, value, error))
    } else {
        cursor.fail("expected the end of the line after function, value and error")
    }
}

fn is_done(cursor: &mut Cursor<'_>) -> Parsed<bool> {
    cursor.skip_blank()?;
    Ok(cursor.peek().is_none())
}
