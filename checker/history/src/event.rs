//! One line of a history.

use std::fmt::Display;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Datum;

/// One event: an invocation, its completion, or something the bench itself did.
///
/// As JSON: `{"index":4,"time":120034000,"process":3,"type":"invoke","f":"put","value":{"key":"x","value":"1"}}`.
/// The value of an invocation holds the arguments, the value of an `ok` the result: as JSON, or as another type `V`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event<V = Value> {
    /// Position in the history, from 0.
    pub index: u64,
    /// Nanoseconds since the start of the run (monotonic).
    #[serde(rename = "time")]
    pub time_ns: u64,
    /// Who: one operation at a time per process.
    pub process: Process,
    /// What kind of event.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The function: an operation's name, or `phase`, or a fault.
    pub f: CompactString,
    /// Arguments or result.
    #[serde(default)]
    pub value: V,
    /// Why a `fail` or `info` is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The node that was asked (last).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

impl From<Event<Datum>> for Event {
    fn from(event: Event<Datum>) -> Self {
        event.map(Into::into)
    }
}

impl<V: Default> Event<V> {
    /// In the place of one that was taken away.
    pub(crate) fn blank() -> Self {
        Self {
            index: 0,
            time_ns: 0,
            process: Process::Client(0),
            kind: EventKind::Invoke,
            f: CompactString::default(),
            value: V::default(),
            error: None,
            node: None,
        }
    }
}

impl<V> Event<V> {
    /// The same event with another value.
    #[must_use]
    pub fn map<W>(self, of: impl FnOnce(V) -> W) -> Event<W> {
        let Self { index, time_ns, process, kind, f, value, error, node } = self;
        Event { index, time_ns, process, kind, f, value: of(value), error, node }
    }
}

/// What events hold as values.
pub trait Payload: Clone + Default + PartialEq + Display {
    /// The text, of a text.
    fn as_text(&self) -> Option<&str>;
}

impl Payload for Value {
    fn as_text(&self) -> Option<&str> {
        self.as_str()
    }
}

impl Payload for Datum {
    fn as_text(&self) -> Option<&str> {
        self.as_str()
    }
}

/// An event and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<V = Datum> {
    /// Line, from 1.
    pub line: u64,
    /// The event.
    pub event: Event<V>,
}

/// The field's four words for events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// The operation begins.
    Invoke,
    /// It certainly happened; the value holds its result.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// Nobody knows: it may have happened, happen later, or never.
    Info,
}

/// Who an event belongs to: a client's process number, or a name such as `nemesis` or `harness`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Process {
    /// A client's logical process.
    Client(u64),
    /// The bench itself.
    Named(String),
}

/// The name of the process under which the bench records what it does itself.
pub const HARNESS: &str = "harness";

/// The `f` of the event by which [`HARNESS`] says that a phase begins; its value is the phase's name.
pub const PHASE: &str = "phase";
