//! Histories as Jepsen keeps them: EDN maps with `:index :time :process :type :f :value :error`.

use std::io::{self, Read, Write};

use crate::edn::{self, Edn, ParseError};
use crate::{Event, EventKind, Process};

/// Why a Jepsen history could not be read.
#[derive(Debug, thiserror::Error)]
pub enum EdnReadError {
    /// The file could not be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The text is no EDN, or no history.
    #[error("{0}")]
    Parse(#[from] ParseError),
}

/// Reads a Jepsen history: maps one after another, or in a vector or list.
///
/// An event without `:index` gets its position, one without `:process` belongs to process 0, one without
/// `:time` happened at 0. Keys that are not listed above (but `:node`) are skipped.
pub fn read_edn(mut reader: impl Read) -> Result<Vec<Event>, EdnReadError> {
    let mut text = Vec::new();
    reader.read_to_end(&mut text)?;
    let mut events = Vec::new();
    let mut cursor = edn::Cursor::new(&text);
    while let Some((offset, form)) = cursor.next_form()? {
        add(form, &mut events).map_err(|message| ParseError::at(&text, offset, message))?;
    }
    Ok(events)
}

/// Writes a history as EDN, one map a line; [`read_edn`] gives back the same events.
pub fn write_edn<'a>(
    events: impl IntoIterator<Item = &'a Event>,
    mut writer: impl Write,
) -> io::Result<()> {
    for event in events {
        writeln!(writer, "{}", to_edn(event))?;
    }
    writer.flush()
}

/// One event, or a sequence of them.
fn add(form: Edn, events: &mut Vec<Event>) -> Result<(), String> {
    match form {
        Edn::Vector(items) | Edn::List(items) => items.into_iter().try_for_each(|item| {
            let position = events.len();
            event(item, position)
                .map(|e| events.push(e))
                .map_err(|m| format!("event {position}: {m}"))
        }),
        other => event(other, events.len()).map(|event| events.push(event)),
    }
}

fn event(form: Edn, position: usize) -> Result<Event, String> {
    let entries = match form {
        // #jepsen.history.Op{…}
        Edn::Tagged(_, inner) => return event(*inner, position),
        Edn::Map(entries) => entries,
        other => return Err(format!("expected a map, found {}", shown(&other))),
    };
    let mut event = Event {
        index: position as u64,
        time_ns: 0,
        process: Process::Client(0),
        kind: EventKind::Info,
        f: String::new(),
        value: serde_json::Value::Null,
        error: None,
        node: None,
    };
    let mut kind = None;
    for (key, value) in entries {
        let Edn::Keyword(key) = key else { continue };
        match key.as_str() {
            "index" => event.index = natural(&value).ok_or_else(|| wrong(":index", &value))?,
            "time" => event.time_ns = time(&value).ok_or_else(|| wrong(":time", &value))?,
            "process" => {
                event.process = process(&value).ok_or_else(|| wrong(":process", &value))?;
            }
            "type" => kind = Some(event_kind(&value).ok_or_else(|| wrong(":type", &value))?),
            "f" => event.f = name(value),
            "value" => event.value = edn::to_json(&value),
            "error" => event.error = text(value),
            "node" => event.node = text(value),
            _ => {}
        }
    }
    event.kind = kind.ok_or("no :type")?;
    Ok(event)
}

fn wrong(key: &str, value: &Edn) -> String {
    let expected = match key {
        ":type" => ":invoke, :ok, :fail or :info",
        ":process" => "a number or a keyword",
        _ => "a number",
    };
    format!("{key} must be {expected}, not {}", shown(value))
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

fn event_kind(value: &Edn) -> Option<EventKind> {
    match value {
        Edn::Keyword(name) => match name.as_str() {
            "invoke" => Some(EventKind::Invoke),
            "ok" => Some(EventKind::Ok),
            "fail" => Some(EventKind::Fail),
            "info" => Some(EventKind::Info),
            _ => None,
        },
        _ => None,
    }
}

fn name(value: Edn) -> String {
    match value {
        Edn::Nil => String::new(),
        Edn::Keyword(name) | Edn::String(name) => name,
        other => other.to_string(),
    }
}

fn text(value: Edn) -> Option<String> {
    match value {
        Edn::Nil => None,
        Edn::String(text) => Some(text),
        other => Some(other.to_string()),
    }
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
