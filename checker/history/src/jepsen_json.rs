//! Jepsen's histories as JSON: the same events, in an array, one after another, or under `"history"`; or one a line.

use compact_str::CompactString;

use crate::edn::{Failure, Parsed};
use crate::fields::{Fields, put};
use crate::json::{Json, duplicate_name};
use crate::source::{Found, Next, Step, first_line};
use crate::{Datum, EventKind, Process};

/// Where in a JSON text the reader is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reader {
    /// The closing brackets of what surrounds the events, outermost first.
    within: Vec<u8>,
}

impl Reader {
    /// Reads what stands at the beginning of the text.
    pub(crate) fn step(&mut self, text: &[u8], is_last: bool, events: &mut Vec<Found>) -> Step {
        let mut json = Json::new(text);
        let known = events.len();
        let next = self.next(&mut json, events);
        if json.has_met_end() && !is_last {
            events.truncate(known);
            return Step::More;
        }
        next.map_or_else(Step::Failed, |next| next.taken(json.offset(), &mut self.within))
    }

    fn next(&self, json: &mut Json<'_>, events: &mut Vec<Found>) -> Parsed<Next> {
        json.skip_blank();
        while json.peek() == Some(b',') {
            json.bump();
            json.skip_blank();
        }
        match (json.peek(), self.within.last()) {
            (None, None) => Ok(Next::End),
            (None, Some(_)) => json.expected("the closing bracket of the history"),
            (Some(byte), Some(&closing)) if byte == closing => {
                json.bump();
                Ok(Next::Close)
            }
            (Some(_), Some(b'}')) => {
                json.name()?;
                json.value()?;
                Ok(Next::Other)
            }
            (Some(b'['), None) => {
                json.bump();
                Ok(Next::Open(b"]"))
            }
            (Some(b'{'), around) => {
                let is_event = event(json, around.is_none(), events)?;
                Ok(if is_event { Next::Event } else { Next::Open(b"}]") })
            }
            _ => json.expected("an event, an object that begins with {"),
        }
    }
}

/// One event of a history with an event a line; the last line may be cut off.
pub(crate) fn line(text: &[u8], is_last: bool, events: &mut Vec<Found>) -> Step {
    let Some(line) = first_line(text, is_last) else { return Step::More };
    if line.trim_ascii().is_empty() {
        return Step::Over(line.len());
    }
    let known = events.len();
    let read = whole_line(line, events);
    if read.is_err() {
        events.truncate(known);
    }
    match read {
        Ok(()) => Step::Event(line.len()),
        // A line without its end is the last one. No proper prefix of an object is an object, so that a line that is
        // read is whole even without the newline.
        Err(_) if !line.ends_with(b"\n") => Step::Torn,
        Err(failure) => Step::Failed(failure),
    }
}

fn whole_line(line: &[u8], events: &mut Vec<Found>) -> Parsed<()> {
    let mut json = Json::new(line.strip_suffix(b"\n").unwrap_or(line));
    json.skip_blank();
    if json.peek() != Some(b'{') {
        return json.expected("an event, an object that begins with {");
    }
    event(&mut json, false, events)?;
    json.skip_blank();
    if json.peek().is_none() { Ok(()) } else { json.expected("the end of the line") }
}

/// Adds an event; false where the object `may_hold` a history and does: then the cursor is behind the opening bracket of
/// its events.
fn event(json: &mut Json<'_>, may_hold: bool, events: &mut Vec<Found>) -> Parsed<bool> {
    let start = json.offset();
    let mut fields = Fields::default();
    let is_event = json.between(b'}', |json| {
        if let Some(name) = usual_name(json) {
            json.skip_blank();
            let is_new = fields.read_json(name, json)?;
            return if is_new { Ok(true) } else { Err(duplicate_name(start)) };
        }
        let name = json.name()?;
        if may_hold && matches!(&*name, "history" | ":history") && json.peek() == Some(b'[') {
            json.bump();
            return Ok(false);
        }
        if fields.read_json(&name, json)? { Ok(true) } else { Err(duplicate_name(start)) }
    })?;
    if is_event {
        let added = fields.add_to(events, start, false);
        added.map_err(|message| Failure { offset: start, message })?;
    }
    Ok(is_event)
}

/// The name of a field that counts, with its colon, as nearly all are written.
#[inline]
fn usual_name(json: &mut Json<'_>) -> Option<&'static str> {
    match json.second()? {
        b'f' => json.skip("\"f\":").then_some("f"),
        b'i' => json.skip("\"index\":").then_some("index"),
        b'p' => json.skip("\"process\":").then_some("process"),
        b't' if json.skip("\"time\":") => Some("time"),
        b't' => json.skip("\"type\":").then_some("type"),
        b'v' => json.skip("\"value\":").then_some("value"),
        _ => None,
    }
}

impl Fields {
    /// Reads the value of this name, if it is one that matters; whether it is there for the first time.
    fn read_json(&mut self, name: &str, json: &mut Json<'_>) -> Parsed<bool> {
        let start = json.offset();
        let is_first = match name {
            "value" => put(&mut self.value, json.value()?),
            "type" => put(&mut self.kind, kind(json)?),
            "f" => put(&mut self.f, word(json, name)?.unwrap_or_default()),
            "node" => put(&mut self.node, word(json, name)?.map(String::from)),
            "error" => put(&mut self.error, said(json.value()?)),
            "index" | "time" | "process" => {
                if let Some(small) = json.small_natural() {
                    return Ok(match name {
                        "index" => put(&mut self.index, small),
                        "time" => put(&mut self.time_ns, small),
                        _ => put(&mut self.process, Process::Client(small)),
                    });
                }
                let value = json.value()?;
                let field = self.number(name, &value);
                let expected =
                    if name == "process" { "a whole number or a name" } else { "a whole number" };
                let message = || format!("{name} must be {expected}, found {value}");
                field.ok_or_else(|| Failure { offset: start, message: message() })?
            }
            _ => {
                json.value()?;
                true
            }
        };
        Ok(is_first)
    }

    /// Takes one of the fields that hold numbers; nothing where it is none.
    fn number(&mut self, name: &str, value: &Datum) -> Option<bool> {
        let natural = |value: &Datum| match value {
            Datum::Int(number) => u64::try_from(*number).ok(),
            Datum::Number(text) => text.parse().ok(),
            _ => None,
        };
        Some(match (name, value) {
            (_, Datum::Nil) => true,
            // Jepsen marks an unknown time with -1.
            ("time", Datum::Int(..0)) => put(&mut self.time_ns, 0),
            ("time", value) => put(&mut self.time_ns, natural(value)?),
            ("index", value) => put(&mut self.index, natural(value)?),
            (_, Datum::Text(name)) => put(&mut self.process, Process::Named(bare(name).to_owned())),
            (_, value) => put(&mut self.process, Process::Client(natural(value)?)),
        })
    }
}

/// `"ok"`, and `":ok"` where the keyword came along.
fn kind(json: &mut Json<'_>) -> Parsed<EventKind> {
    let usual = [
        ("\"invoke\"", EventKind::Invoke),
        ("\"ok\"", EventKind::Ok),
        ("\"info\"", EventKind::Info),
    ];
    if let Some((_, kind)) = usual.into_iter().find(|(name, _)| json.skip(name)) {
        return Ok(kind);
    }
    let start = json.offset();
    let wrong = |found: &Datum| {
        let message = format!("type must be invoke, ok, fail or info, found {found}");
        Failure { offset: start, message }
    };
    if json.peek() != Some(b'"') {
        return Err(wrong(&json.value()?));
    }
    let name = json.string()?;
    crate::jepsen::event_kind(bare(&name)).ok_or_else(|| wrong(&Datum::text(&name)))
}

/// A name, without the colon of a keyword, or nothing.
fn word(json: &mut Json<'_>, name: &str) -> Parsed<Option<CompactString>> {
    let start = json.offset();
    if json.peek() == Some(b'"') {
        return Ok(Some(bare(&json.string()?).into()));
    }
    match json.value()? {
        Datum::Nil => Ok(None),
        other => {
            let message = format!("{name} must be a text, found {other}");
            Err(Failure { offset: start, message })
        }
    }
}

/// Why an operation failed, in words.
fn said(error: Datum) -> Option<String> {
    match error {
        Datum::Nil => None,
        Datum::Text(text) => Some(text.into()),
        other => Some(other.to_string()),
    }
}

fn bare(name: &str) -> &str {
    name.strip_prefix(':').unwrap_or(name)
}
