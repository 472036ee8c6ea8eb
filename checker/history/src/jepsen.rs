//! Histories as Jepsen keeps them: EDN maps with `:index :time :process :type :f :value :error`.

use std::io::{self, Write};

use compact_str::{CompactString, ToCompactString};

use crate::edn::{self, Cursor, Edn, Failure, Parsed, duplicate_key};
use crate::fields::{Fields, put};
use crate::source::{Found, Next, Step};
use crate::{Event, EventKind, Process};

/// Writes a history as EDN, one map a line; [`crate::read_edn`] gives back the same events.
///
/// # Errors
/// The writer's own.
pub fn write_edn<'a>(
    events: impl IntoIterator<Item = &'a Event>,
    mut writer: impl Write,
) -> io::Result<()> {
    for event in events {
        writeln!(writer, "{}", to_edn(event))?;
    }
    writer.flush()
}

/// Where in a text of events the reader is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reader {
    /// The closing brackets of what surrounds the events, outermost first; a `}` is that of a map whose `:history`
    /// they are.
    within: Vec<u8>,
    porcupine: bool,
}

impl Reader {
    /// A reader of events that name their key beside the value.
    pub(crate) fn porcupine() -> Self {
        Self { porcupine: true, ..Self::default() }
    }

    /// Reads what stands at the beginning of the text.
    pub(crate) fn step(&mut self, text: &[u8], is_last: bool, events: &mut Vec<Found>) -> Step {
        let mut cursor = Cursor::new(text);
        let known = events.len();
        let next = self.next(&mut cursor, events);
        if cursor.has_met_end() && !is_last {
            events.truncate(known);
            return Step::More;
        }
        next.map_or_else(Step::Failed, |next| next.taken(cursor.offset(), &mut self.within))
    }

    fn next(&self, cursor: &mut Cursor<'_>, events: &mut Vec<Found>) -> Parsed<Next> {
        cursor.skip_blank()?;
        let Some(byte) = cursor.peek() else {
            return if self.within.is_empty() {
                Ok(Next::End)
            } else {
                cursor.fail("the text ends within the history: a closing bracket is missing")
            };
        };
        if self.within.last() == Some(&byte) {
            cursor.bump();
            return Ok(Next::Close);
        }
        if self.within.last() == Some(&b'}') {
            return Self::beside_the_history(cursor);
        }
        let start = cursor.offset();
        // #jepsen.history.Op{…}
        while cursor.is_at_tag() {
            cursor.tag()?;
            cursor.skip_blank()?;
        }
        match cursor.peek() {
            Some(b'[') if self.within.is_empty() => opened(cursor, b"]"),
            Some(b'(') if self.within.is_empty() => opened(cursor, b")"),
            Some(b'{') => self.map(cursor, start, events),
            _ => {
                let other: Edn = cursor.required()?;
                failure(start, format!("expected an event, a map, found {}", shown(&other)))
            }
        }
    }

    /// In a map after its history: another key with its value.
    fn beside_the_history(cursor: &mut Cursor<'_>) -> Parsed<Next> {
        let key = cursor.offset();
        cursor.value::<()>()?;
        cursor.value_of_key(key)?;
        cursor.value::<()>()?;
        Ok(Next::Other)
    }

    /// An event, or the map around a history; the cursor is on its opening bracket.
    fn map(&self, cursor: &mut Cursor<'_>, start: usize, events: &mut Vec<Found>) -> Parsed<Next> {
        let open = cursor.offset();
        let mut fields = Fields::default();
        cursor.bump();
        loop {
            cursor.skip_blank()?;
            match cursor.peek() {
                Some(b'}') => break,
                None => return failure(open, "this bracket is never closed"),
                Some(b':') => {
                    let key = match usual_key(cursor) {
                        Some(key) => key,
                        None => cursor.keyword()?,
                    };
                    cursor.value_of_key(open)?;
                    if key == "history" && self.within.is_empty() {
                        return opened_history(cursor);
                    }
                    fields.read(key, open, cursor)?;
                }
                Some(_) => {
                    cursor.value::<()>()?;
                    cursor.value_of_key(open)?;
                    cursor.value::<()>()?;
                }
            }
        }
        cursor.bump();
        let added = fields.add_to(events, start, self.porcupine);
        added.map(|()| Next::Event).map_err(|message| Failure { offset: open, message })
    }
}

/// The brackets of the events under `:history`: they are read one by one.
fn opened_history(cursor: &mut Cursor<'_>) -> Parsed<Next> {
    while cursor.is_at_tag() {
        cursor.tag()?;
        cursor.skip_blank()?;
    }
    let closing: &[u8] = match cursor.peek() {
        Some(b'[') => b"}]",
        Some(b'(') => b"})",
        _ => return cursor.fail("expected the events of the history in a vector or list"),
    };
    cursor.bump();
    Ok(Next::Open(closing))
}

fn opened(cursor: &mut Cursor<'_>, closing: &'static [u8]) -> Parsed<Next> {
    cursor.bump();
    Ok(Next::Open(closing))
}

fn failure<T>(offset: usize, message: impl Into<String>) -> Parsed<T> {
    Err(Failure { offset, message: message.into() })
}

impl Fields {
    /// Reads the value of this key, if it is one that matters; `open` is where the event begins.
    fn read(&mut self, key: &str, open: usize, cursor: &mut Cursor<'_>) -> Parsed<()> {
        let is_first = match key {
            "index" => {
                let small = |value| u64::try_from(value).ok();
                put(&mut self.index, typed(cursor, ":index", "a whole number", small, natural)?)
            }
            "time" => {
                let small = |value: i64| u64::try_from(value.max(0)).ok();
                put(&mut self.time_ns, typed(cursor, ":time", "a whole number", small, time)?)
            }
            "process" => {
                let expected = "a whole number or a keyword";
                let small = |value| u64::try_from(value).ok().map(Process::Client);
                put(&mut self.process, typed(cursor, ":process", expected, small, process)?)
            }
            "type" => put(&mut self.kind, kind(cursor)?),
            "f" => put(&mut self.f, name(cursor)?),
            "value" => put(&mut self.value, cursor.value()?),
            "key" => put(&mut self.key, cursor.value()?),
            "error" => put(&mut self.error, text(cursor)?),
            "node" => put(&mut self.node, text(cursor)?),
            _ => return cursor.value(),
        };
        if is_first { Ok(()) } else { Err(duplicate_key(open)) }
    }
}

/// The key of a field that counts, as nearly all are written.
#[inline]
fn usual_key(cursor: &mut Cursor<'_>) -> Option<&'static str> {
    match cursor.second()? {
        b'f' => cursor.skip(":f").then_some("f"),
        b'i' => cursor.skip(":index").then_some("index"),
        b'p' => cursor.skip(":process").then_some("process"),
        b't' if cursor.skip(":time") => Some("time"),
        b't' => cursor.skip(":type").then_some("type"),
        b'v' => cursor.skip(":value").then_some("value"),
        _ => None,
    }
}

/// The value of this key. What `small` makes of a small integer, `of` would, too: nearly always that is enough.
fn typed<T>(
    cursor: &mut Cursor<'_>,
    key: &str,
    expected: &str,
    small: impl Fn(i64) -> Option<T>,
    of: impl Fn(&Edn) -> Option<T>,
) -> Parsed<T> {
    let start = cursor.offset();
    if let Some(small) = cursor.small_integer().and_then(small) {
        return Ok(small);
    }
    cursor.rewind(start);
    let value: Edn = cursor.value()?;
    let wrong = || format!("{key} must be {expected}, found {}", shown(&value));
    of(&value).map_or_else(|| failure(start, wrong()), Ok)
}

fn shown(value: &Edn) -> String {
    value.to_string().chars().take(40).collect()
}

fn natural(value: &Edn) -> Option<u64> {
    match value {
        Edn::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

/// Jepsen marks an unknown time with -1 or nil.
fn time(value: &Edn) -> Option<u64> {
    match value {
        Edn::Nil => Some(0),
        Edn::Int(number) => u64::try_from((*number).max(0)).ok(),
        _ => None,
    }
}

fn process(value: &Edn) -> Option<Process> {
    match value {
        Edn::Keyword(name) | Edn::String(name) => Some(Process::Named(name.clone())),
        other => natural(other).map(Process::Client),
    }
}

fn kind(cursor: &mut Cursor<'_>) -> Parsed<EventKind> {
    let usual =
        [(":invoke", EventKind::Invoke), (":ok", EventKind::Ok), (":info", EventKind::Info)];
    if let Some((_, kind)) = usual.into_iter().find(|(name, _)| cursor.skip(name)) {
        return Ok(kind);
    }
    let start = cursor.offset();
    let named = if cursor.peek() == Some(b':') { event_kind(cursor.keyword()?) } else { None };
    match named {
        Some(kind) => Ok(kind),
        None => {
            cursor.rewind(start);
            typed(cursor, ":type", ":invoke, :ok, :fail or :info", |_| None, |_| None)
        }
    }
}

pub(crate) fn event_kind(name: &str) -> Option<EventKind> {
    match name {
        "invoke" => Some(EventKind::Invoke),
        "ok" => Some(EventKind::Ok),
        "fail" => Some(EventKind::Fail),
        "info" => Some(EventKind::Info),
        _ => None,
    }
}

fn name(cursor: &mut Cursor<'_>) -> Parsed<CompactString> {
    if cursor.peek() == Some(b':') {
        return cursor.keyword().map(CompactString::new);
    }
    Ok(match cursor.value()? {
        Edn::Nil => CompactString::default(),
        Edn::String(name) => name.into(),
        other => other.to_compact_string(),
    })
}

fn text(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    Ok(match cursor.value()? {
        Edn::Nil => None,
        Edn::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

fn to_edn(event: &Event) -> Edn {
    let keyword = |name: &str| Edn::Keyword(name.to_owned());
    let string = |text: &String| Edn::String(text.clone());
    let process = match &event.process {
        Process::Client(number) => Edn::Int((*number).into()),
        Process::Named(name) => name_to_edn(name),
    };
    let kind = match event.kind {
        EventKind::Invoke => "invoke",
        EventKind::Ok => "ok",
        EventKind::Fail => "fail",
        EventKind::Info => "info",
    };
    let mut entries = vec![
        (keyword("index"), Edn::Int(event.index.into())),
        (keyword("time"), Edn::Int(event.time_ns.into())),
        (keyword("process"), process),
        (keyword("type"), keyword(kind)),
        (keyword("f"), name_to_edn(&event.f)),
        (keyword("value"), edn::from_json(&event.value)),
    ];
    entries.extend(event.error.as_ref().map(|error| (keyword("error"), string(error))));
    entries.extend(event.node.as_ref().map(|node| (keyword("node"), string(node))));
    Edn::Map(entries)
}

/// A keyword where it can be one.
fn name_to_edn(name: &str) -> Edn {
    if edn::is_keyword_name(name) {
        Edn::Keyword(name.to_owned())
    } else {
        Edn::String(name.to_owned())
    }
}
