//! What an event says of itself, in whatever format.

use compact_str::CompactString;

use crate::source::Found;
use crate::{Datum, Event, EventKind, Process};

/// The fields of an event, as far as they were met.
#[derive(Default)]
pub(crate) struct Fields {
    pub(crate) index: Option<u64>,
    pub(crate) time_ns: Option<u64>,
    pub(crate) process: Option<Process>,
    pub(crate) kind: Option<EventKind>,
    pub(crate) f: Option<CompactString>,
    pub(crate) value: Option<Datum>,
    pub(crate) key: Option<Datum>,
    pub(crate) error: Option<Option<String>>,
    pub(crate) node: Option<Option<String>>,
}

/// Was the place free?
pub(crate) fn put<T>(place: &mut Option<T>, value: T) -> bool {
    place.replace(value).is_none()
}

impl Fields {
    /// Adds the event that begins at this offset, or says what it lacks. Porcupine's events have their key beside the value.
    pub(crate) fn add_to(
        self,
        events: &mut Vec<Found>,
        start: usize,
        porcupine: bool,
    ) -> Result<(), String> {
        let Some(kind) = self.kind else {
            return Err("expected an event with a `type`, found one without".to_owned());
        };
        let value = self.value.unwrap_or_default();
        let value = match (kind, self.key) {
            _ if !porcupine => value,
            (_, None) => return Err("expected an event with a `key`, found one without".to_owned()),
            (EventKind::Invoke, Some(key)) => {
                let name = CompactString::const_new;
                Datum::Map([(name("key"), key), (name("value"), value)].into())
            }
            // The completion of a write repeats its arguments.
            (EventKind::Ok, Some(key)) if self.f.as_deref() != Some("get") => {
                Datum::List([key, value].into())
            }
            (EventKind::Ok, _) => value,
            _ => Datum::Nil,
        };
        let event = Event {
            index: self.index.unwrap_or(0),
            time_ns: self.time_ns.unwrap_or(0),
            process: self.process.unwrap_or(Process::Client(0)),
            kind,
            f: self.f.unwrap_or_default(),
            value,
            error: self.error.flatten(),
            node: self.node.flatten(),
        };
        events.push(Found { start, has_index: self.index.is_some(), event });
        Ok(())
    }
}
