//! The record, paired: one compact row an operation, and the witnesses of violations in full.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use history::{Event, EventKind, HARNESS, PHASE, Process};
use record::Phase;
use serde_json::Value;

use crate::jsonl::{self, Reading};
use crate::{ReportError, label};

/// Rows whose label is kept from the start of the history.
pub const LABELLED_ROWS_MAX: usize = 100_000;
/// Rows around a witness (by event index) whose label is kept as well.
pub const AROUND_EVENTS: u64 = 400;
const LABEL_CHARS_MAX: usize = 120;
const NAME_CHARS_MAX: usize = 60;
const WITNESS_CHARS_MAX: usize = 400;
/// More names than this share the last one.
const NAMES_MAX: usize = 4_096;

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It happened.
    Ok,
    /// It did not.
    Fail,
    /// Nobody knows.
    Info,
    /// The record ends before it did.
    Open,
}

impl Outcome {
    /// As shown, and as a CSS class.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fail => "fail",
            Self::Info => "info",
            Self::Open => "open",
        }
    }
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Row {
    /// The index of its invocation's event.
    pub index: u64,
    /// Who invoked it.
    pub process: u64,
    /// Its function, by number.
    pub f: usize,
    /// The node that was asked last, by number.
    pub node: Option<usize>,
    /// The phase it was invoked in, by number.
    pub phase: usize,
    /// How it ended.
    pub outcome: Outcome,
    /// When it was invoked.
    pub start_ns: u64,
    /// When it was answered or given up.
    pub end_ns: Option<u64>,
    /// `get x → 3`; empty where the row is not shown.
    pub label: Box<str>,
}

/// An operation that proves a violation, with its values.
#[derive(Clone, Debug)]
pub struct Witness {
    /// The row.
    pub row: Row,
    /// The function.
    pub f: String,
    /// The node that was asked last, where the record says.
    pub node: String,
    /// The arguments in words.
    pub arguments: String,
    /// The result, or why there is none.
    pub result: String,
}

/// Names in order of appearance.
#[derive(Clone, Debug, Default)]
pub struct Names {
    list: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Names {
    fn number(&mut self, name: &str) -> usize {
        let name = match name.char_indices().nth(NAME_CHARS_MAX) {
            None => name,
            Some((at, _)) => &format!("{}…", &name[..at]),
        };
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        if self.list.len() >= NAMES_MAX {
            return NAMES_MAX - 1;
        }
        self.list.push(name.to_owned());
        self.numbers.insert(name.to_owned(), self.list.len() - 1);
        self.list.len() - 1
    }

    /// The name of a number.
    pub fn get(&self, number: usize) -> &str {
        self.list.get(number).map_or("", String::as_str)
    }

    /// All names.
    pub fn all(&self) -> &[String] {
        &self.list
    }
}

/// The whole record.
#[derive(Debug, Default)]
pub struct Operations {
    /// By time of invocation.
    pub rows: Vec<Row>,
    /// The functions' names.
    pub functions: Names,
    /// The nodes' names.
    pub nodes: Names,
    /// The phases' names; the first is that before any phase.
    pub phases: Names,
    /// When each phase began.
    pub phase_starts: Vec<(u64, String)>,
    /// The witnesses that were asked for, by index.
    pub witnesses: BTreeMap<u64, Witness>,
    /// The time of the last event.
    pub end_ns: u64,
    /// How reading went.
    pub reading: Reading,
}

/// An invocation that waits for its completion: where its row is, and what it was called with.
struct Pending {
    row: usize,
    arguments: Value,
}

struct Reader {
    operations: Operations,
    pending: HashMap<u64, Pending>,
    witnesses: BTreeSet<u64>,
    phase: usize,
}

impl Operations {
    /// Reads the history; `witnesses` are the invocations to keep in full.
    pub fn read(path: &Path, witnesses: BTreeSet<u64>) -> Result<Self, ReportError> {
        let mut operations = Self::default();
        let phase = operations.phases.number("");
        let mut reader = Reader { operations, pending: HashMap::new(), witnesses, phase };
        let reading = jsonl::read(path, |event| reader.take(event))?;
        let open: Vec<Pending> = reader.pending.drain().map(|(_, pending)| pending).collect();
        for pending in open {
            reader.complete(&pending, Outcome::Open, None, None);
        }
        reader.operations.reading = reading;
        Ok(reader.operations)
    }

    /// Whether a row belongs to the phase the verdict is about; without phases all do.
    pub fn is_main(&self, row: &Row) -> bool {
        self.phase_starts.is_empty() || self.phases.get(row.phase) == Phase::Main.name()
    }

    /// Whether an event index is close to a witness.
    pub fn is_near_witness(witnesses: &BTreeSet<u64>, index: u64) -> bool {
        let around = index.saturating_sub(AROUND_EVENTS)..=index.saturating_add(AROUND_EVENTS);
        witnesses.range(around).next().is_some()
    }
}

impl Reader {
    fn take(&mut self, event: Event) {
        self.operations.end_ns = self.operations.end_ns.max(event.time_ns);
        match (&event.process, event.kind) {
            (Process::Named(name), _) if name == HARNESS && event.f == PHASE => {
                let name = event.value.as_str().unwrap_or("?");
                self.phase = self.operations.phases.number(name);
                if self.operations.phase_starts.len() < 32 {
                    let name = self.operations.phases.get(self.phase).to_owned();
                    self.operations.phase_starts.push((event.time_ns, name));
                }
            }
            (Process::Named(_), _) => {}
            (&Process::Client(process), EventKind::Invoke) => self.invoke(process, event),
            (&Process::Client(process), kind) => {
                // A completion without an invocation: the checkers tell of it, there is no bar to draw.
                let Some(pending) = self.pending.remove(&process) else { return };
                let outcome = match kind {
                    EventKind::Ok => Outcome::Ok,
                    EventKind::Fail => Outcome::Fail,
                    EventKind::Info | EventKind::Invoke => Outcome::Info,
                };
                if let Some(node) = &event.node {
                    self.operations.rows[pending.row].node =
                        Some(self.operations.nodes.number(node));
                }
                let end_ns = Some(event.time_ns);
                self.complete(
                    &pending,
                    outcome,
                    end_ns,
                    Some((&event.value, event.error.as_deref())),
                );
            }
        }
    }

    fn invoke(&mut self, process: u64, event: Event) {
        let operations = &mut self.operations;
        operations.rows.push(Row {
            index: event.index,
            process,
            f: operations.functions.number(&event.f),
            node: event.node.as_deref().map(|node| operations.nodes.number(node)),
            phase: self.phase,
            outcome: Outcome::Open,
            start_ns: event.time_ns,
            end_ns: None,
            label: Box::default(),
        });
        let pending = Pending { row: operations.rows.len() - 1, arguments: event.value };
        if let Some(forgotten) = self.pending.insert(process, pending) {
            self.complete(&forgotten, Outcome::Open, None, None);
        }
    }

    fn complete(
        &mut self,
        pending: &Pending,
        outcome: Outcome,
        end_ns: Option<u64>,
        answer: Option<(&Value, Option<&str>)>,
    ) {
        let operations = &mut self.operations;
        let row = &mut operations.rows[pending.row];
        (row.outcome, row.end_ns) = (outcome, end_ns);
        let is_witness = self.witnesses.contains(&row.index);
        let is_shown = pending.row < LABELLED_ROWS_MAX
            || Operations::is_near_witness(&self.witnesses, row.index);
        if !is_shown {
            return;
        }
        let f = operations.functions.get(row.f);
        let result = |chars| match (outcome, answer) {
            (Outcome::Ok, Some((value, _))) => label::result(f, &pending.arguments, value, chars),
            (_, Some((_, Some(error)))) => format!("✗ {}", crate::markup::cut(error, chars)),
            (Outcome::Fail, _) => "✗ failed".into(),
            (Outcome::Info, _) => "? unknown".into(),
            (Outcome::Open, _) => "? no answer recorded".into(),
            (Outcome::Ok, None) => String::new(),
        };
        let call = label::call(f, &pending.arguments, LABEL_CHARS_MAX);
        row.label = joined(call, &result(LABEL_CHARS_MAX)).into();
        if is_witness {
            let witness = Witness {
                row: row.clone(),
                f: f.to_owned(),
                node: row.node.map_or("–", |node| operations.nodes.get(node)).to_owned(),
                arguments: label::arguments(f, &pending.arguments, WITNESS_CHARS_MAX),
                result: result(WITNESS_CHARS_MAX),
            };
            operations.witnesses.insert(row.index, witness);
        }
    }
}

fn joined(call: String, result: &str) -> String {
    match result.chars().next() {
        None => call,
        Some('✗' | '?') => format!("{call} {result}"),
        Some(_) => format!("{call} → {result}"),
    }
}
