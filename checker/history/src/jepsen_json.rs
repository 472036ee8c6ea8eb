//! Jepsen's histories as JSON: the same events, in an array, one after another, or under `"history"`.

use std::io::Read;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::jsonl::{self, Torn};
use crate::window::Window;
use crate::{Event, EventKind, Located, Process, ReadError};

/// An event as other tools write it: much may be missing.
#[derive(Deserialize)]
struct Foreign {
    index: Option<u64>,
    /// Jepsen marks an unknown time with -1.
    time: Option<i64>,
    process: Option<Process>,
    #[serde(rename = "type", deserialize_with = "kind")]
    kind: EventKind,
    #[serde(default)]
    f: Option<String>,
    #[serde(default)]
    value: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    node: Option<String>,
}

/// `"ok"`, and `":ok"` where the keyword came along.
fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EventKind, D::Error> {
    let name = String::deserialize(deserializer)?;
    crate::jepsen::event_kind(bare(&name)).ok_or_else(|| {
        let shown: String = name.chars().take(40).collect();
        serde::de::Error::custom(format!("type must be invoke, ok, fail or info, not {shown:?}"))
    })
}

fn bare(name: &str) -> &str {
    name.strip_prefix(':').unwrap_or(name)
}

impl Foreign {
    fn event(self, position: u64) -> Event {
        let process = match self.process.unwrap_or(Process::Client(0)) {
            Process::Named(name) => Process::Named(bare(&name).to_owned()),
            client @ Process::Client(_) => client,
        };
        let error = match self.error {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        Event {
            index: self.index.unwrap_or(position),
            time_ns: self.time.and_then(|time| u64::try_from(time).ok()).unwrap_or(0),
            process,
            kind: self.kind,
            f: self.f.as_deref().map(bare).unwrap_or_default().to_owned(),
            value: self.value,
            error,
            node: self.node,
        }
    }
}

/// The event that the first `length` bytes hold.
fn event(window: &Window<impl Read>, length: usize, position: u64) -> Result<Located, ReadError> {
    let foreign: Foreign = jsonl::parse(window, length)?;
    Ok(Located { line: window.line(), event: foreign.event(position) })
}

/// One event a line; the last line may be cut off.
#[derive(Default)]
pub(crate) struct Lines {
    torn: Torn,
}

impl Lines {
    pub(crate) fn next(
        &mut self,
        window: &mut Window<impl Read>,
        position: u64,
    ) -> Result<Option<Located>, ReadError> {
        let next = jsonl::next::<Foreign>(window, &mut self.torn)?;
        Ok(next.map(|(line, foreign)| Located { line, event: foreign.event(position) }))
    }

    pub(crate) fn note(&self) -> Option<String> {
        let line = self.torn.line?;
        Some(format!(
            "Line {line} is cut off and was left out: the run ended while it was being written."
        ))
    }
}

/// Where in a JSON text the reader is.
#[derive(Default)]
pub(crate) struct Reader {
    /// The closing brackets of what surrounds the events, outermost first.
    within: Vec<u8>,
}

impl Reader {
    pub(crate) fn next(
        &mut self,
        window: &mut Window<impl Read>,
        position: u64,
    ) -> Result<Option<Located>, ReadError> {
        loop {
            let Some(byte) = skip_between(window)? else {
                return if self.within.is_empty() {
                    Ok(None)
                } else {
                    Err(window.syntax(
                        0,
                        "the text ends within the history: a closing bracket is missing",
                    ))
                };
            };
            if self.within.last() == Some(&byte) {
                self.within.pop();
                window.advance(1);
            } else if self.within.last() == Some(&b'}') {
                // Another key beside the history.
                let length = whole(window, one_value)?;
                window.advance(length);
            } else if byte == b'[' && self.within.is_empty() {
                self.within.push(b']');
                window.advance(1);
            } else if byte != b'{' {
                return Err(window.syntax(0, "expected an event, an object that begins with {"));
            } else if let Some(length) = self.start_of_history(window, position)? {
                self.within.extend(b"}]");
                window.advance(length);
            } else {
                let length = whole(window, one_value)?;
                let event = event(window, length, position)?;
                window.advance(length);
                return Ok(Some(event));
            }
        }
    }

    /// The length up to and with the opening bracket of the events, where this object is a map around them. Only
    /// the first one can be.
    fn start_of_history(
        &self,
        window: &mut Window<impl Read>,
        position: u64,
    ) -> Result<Option<usize>, ReadError> {
        if !self.within.is_empty() || position > 0 {
            return Ok(None);
        }
        let mut found = false;
        let length = whole(window, |scan| {
            found = scan.up_to_history()?;
            Some(())
        })?;
        Ok(found.then_some(length))
    }
}

/// Skips blanks, commas and colons, and gives the byte after them.
fn skip_between(window: &mut Window<impl Read>) -> Result<Option<u8>, ReadError> {
    loop {
        let is_blank = |&b: &u8| b.is_ascii_whitespace() || b == b',' || b == b':';
        let text = window.text();
        let blank = text.iter().position(|b| !is_blank(b)).unwrap_or(text.len());
        let next = text.get(blank).copied();
        window.advance(blank);
        if next.is_some() || window.is_last() {
            return Ok(next);
        }
        window.lengthen()?;
    }
}

/// The length of what `read` reads, lengthening the window until it is whole.
fn whole<R: Read>(
    window: &mut Window<R>,
    mut read: impl FnMut(&mut Scan<'_>) -> Option<()>,
) -> Result<usize, ReadError> {
    loop {
        let mut scan = Scan { text: window.text(), offset: 0 };
        if read(&mut scan).is_some() {
            return Ok(scan.offset);
        }
        if window.is_last() {
            return Err(window.syntax(0, "this is never closed"));
        }
        window.lengthen()?;
    }
}

fn one_value(scan: &mut Scan<'_>) -> Option<()> {
    scan.value()
}

/// Finds where values end; whether they are right is for the parser to say. `None`: the text ends first.
struct Scan<'a> {
    text: &'a [u8],
    offset: usize,
}

impl Scan<'_> {
    fn next(&mut self) -> Option<u8> {
        let byte = self.text.get(self.offset).copied()?;
        self.offset += 1;
        Some(byte)
    }

    fn skip(&mut self, of: impl Fn(u8) -> bool) -> Option<u8> {
        while of(*self.text.get(self.offset)?) {
            self.offset += 1;
        }
        self.text.get(self.offset).copied()
    }

    /// Up to the end of a value.
    fn value(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.next()? {
                b'"' => self.string()?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ if depth == 0 => {
                    self.skip(|b| !b.is_ascii_whitespace() && !b",:]}".contains(&b))?;
                }
                _ => {}
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// Up to the end of a string whose opening quote was read.
    fn string(&mut self) -> Option<()> {
        loop {
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => {
                    self.next()?;
                }
                _ => {}
            }
        }
    }

    /// From the start of an object to the first event of its `"history"`; false: it has none.
    fn up_to_history(&mut self) -> Option<bool> {
        self.next()?;
        loop {
            let between = |b: u8| b.is_ascii_whitespace() || b == b',';
            if self.skip(between)? != b'"' {
                return Some(false);
            }
            let start = self.offset;
            self.value()?;
            let key = &self.text[start..self.offset];
            let colon = |b: u8| b.is_ascii_whitespace() || b == b':';
            let next = self.skip(colon)?;
            if matches!(key, b"\"history\"" | b"\":history\"") && next == b'[' {
                self.next()?;
                return Some(true);
            }
            self.value()?;
        }
    }
}
