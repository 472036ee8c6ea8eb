//! Tells what came of each operation as soon as it is recorded: what a person reads is what is judged.

use std::{collections::BTreeMap, io, sync::Arc};

use contract::Operation;
use history::{Event, EventKind, Process, words::cut};
use record::{FaultRecord, FaultStep, Mark, Phase};
use serde_json::Value;

use super::{console::Console, operation};
use crate::stream::{Reader, RunEvent};

/// So much of an operation, and of an answer, is told.
const SHOWN_CHARS_MAX: usize = 200;

/// Reads the stream of events for the person at the console.
pub struct Narrator {
    console: Arc<Console>,
    phase: Option<Phase>,
    /// What each process asked last.
    asked: BTreeMap<u64, Asked>,
    /// How many requests past the record were told.
    unrecorded: u64,
}

/// An operation that has not ended.
struct Asked {
    typed: String,
    reads: bool,
    since_ns: u64,
}

impl Narrator {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(console: Arc<Console>) -> Self {
        Self { console, phase: None, asked: BTreeMap::new(), unrecorded: 0 }
    }

    fn history(&mut self, event: &Event) {
        match (&event.process, Mark::of(event)) {
            (Process::Client(process), _) if self.phase == Some(Phase::Main) => {
                if let Some(told) = self.operation(*process, event) {
                    self.console.print(&told);
                }
            }
            (_, Some(mark)) => {
                if let Mark::Phase(phase) = mark {
                    self.phase = Some(phase);
                }
                if let Mark::Unrecorded(count) = mark
                    && count <= std::mem::replace(&mut self.unrecorded, count)
                {
                    return;
                }
                if let Some(told) = told_of_mark(&mark) {
                    self.console.print(&told);
                }
            }
            _ => {}
        }
    }

    /// What came of an operation; `None` of one that begins.
    fn operation(&mut self, process: u64, event: &Event) -> Option<String> {
        if event.kind == EventKind::Invoke {
            let operation = Operation::from_parts(&event.f, &event.value).ok()?;
            let (typed, reads) = (operation::typed(&operation), operation.is_read_only());
            let since_ns = event.time_ns;
            self.asked.insert(process, Asked { typed, reads, since_ns });
            return None;
        }
        let Asked { typed, reads, since_ns } = self.asked.remove(&process)?;
        let why = event.error.as_deref().unwrap_or("no reason is known");
        let came = match event.kind {
            EventKind::Ok => answer(&event.value),
            EventKind::Fail if reads => format!("no answer: {why}"),
            EventKind::Fail => format!("certainly not executed: {why}"),
            _ => format!("nobody knows whether it was, or will be, executed: {why}"),
        };
        let took_ms = event.time_ns.saturating_sub(since_ns) as f64 / 1e6;
        let node = event.node.as_deref().unwrap_or("?");
        let (typed, came) = (cut(&typed, SHOWN_CHARS_MAX), cut(&came, SHOWN_CHARS_MAX));
        Some(format!("c{process}: {typed} → {came}  ({node}, {took_ms:.1} ms)"))
    }

    fn fault(&self, record: &FaultRecord) {
        let targets = record.targets.join(" ");
        match record.step {
            FaultStep::Missed if record.family == "partition" => self.console.print(&format!(
                "nothing tried to pass while {targets} was cut: that counts as no fault"
            )),
            FaultStep::Healed if !record.note.is_empty() => {
                self.console.print(&format!("{} of {targets}: {}", record.family, record.note));
            }
            _ => {}
        }
    }
}

impl Reader for Narrator {
    fn read(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::History(event) => self.history(event),
            RunEvent::Fault(record) => self.fault(record),
            RunEvent::Attempts(_) | RunEvent::Introspection(_) => {}
        }
        Ok(())
    }
}

fn told_of_mark(mark: &Mark) -> Option<String> {
    Some(match mark {
        Mark::Phase(Phase::Ready) => "starting the nodes".to_owned(),
        Mark::Phase(Phase::Heal) => "healing what is broken".to_owned(),
        Mark::Phase(Phase::Recovery) => "does the store serve again?".to_owned(),
        Mark::Phase(Phase::Final) => "every key is read at every node".to_owned(),
        Mark::Leader(Some(node)) => format!("{node} leads"),
        Mark::Leader(None) => "no node says that it leads".to_owned(),
        Mark::Unrecorded(count) => {
            format!("{count} by curl so far, past the record: answers are not judged any more")
        }
        Mark::Note(text) => format!("note: {text}"),
        _ => return None,
    })
}

/// An answer in few words.
fn answer(value: &Value) -> String {
    match value.as_object() {
        Some(fields) if fields.is_empty() => "ok".to_owned(),
        Some(fields) if fields.len() == 1 && fields.contains_key("value") => {
            value["value"].to_string()
        }
        _ => value.to_string(),
    }
}
