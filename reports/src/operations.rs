//! The record, paired: one compact row an operation, and the operations that prove a violation in full.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use history::{
    Completion, Event, EventKind, HARNESS, Operation, PHASE, PairError, Paired, Pairing, Process,
};
use record::{Mark, Phase};

use crate::label;
use crate::markup::{counted, cut};
use crate::names::Names;

/// Rows whose label is kept from the start of the history.
pub const LABELLED_ROWS_MAX: usize = 100_000;
/// Rows around a witness (by event index) whose label is kept as well.
pub const AROUND_EVENTS: u64 = 400;
const LABEL_CHARS_MAX: usize = 120;
const WITNESS_CHARS_MAX: usize = 400;
/// Phases are few; more are the work of chance.
const PHASES_MAX: usize = 32;
/// Marks of what nodes and machine were doing; the first of them are kept.
const MARKS_MAX: usize = 20_000;

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It happened.
    Ok,
    /// It did not.
    Fail,
    /// Nobody knows.
    Info,
    /// The record ends before it did.
    Open,
}

impl Ending {
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
    pub ending: Ending,
    /// When it was invoked.
    pub start_ns: u64,
    /// When it was answered or given up.
    pub end_ns: Option<u64>,
    /// `get x → 3`; empty where the row is not shown.
    pub label: Box<str>,
}

/// An operation that proves a violation, with its values.
#[derive(Clone, Debug)]
pub struct WitnessRow {
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

impl WitnessRow {
    /// When the operation is known to be over; an unknown one is never, so its beginning counts.
    pub fn last_moment_ns(&self) -> u64 {
        match self.row.ending {
            Ending::Ok | Ending::Fail => self.row.end_ns.unwrap_or(self.row.start_ns),
            Ending::Info | Ending::Open => self.row.start_ns,
        }
    }
}

/// The moments between which the operations lie.
pub fn window_ns(witnesses: &[&WitnessRow]) -> Option<(u64, u64)> {
    let start = witnesses.iter().map(|witness| witness.row.start_ns).min()?;
    let end = witnesses.iter().map(|witness| witness.last_moment_ns()).max()?;
    Some((start, end))
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
    pub witnesses: BTreeMap<u64, WitnessRow>,
    /// What nodes and machine were doing, as marks with their times.
    pub marks: Vec<(u64, Mark)>,
    /// The time of the last event.
    pub end_ns: u64,
}

impl Operations {
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

/// Takes the events of a record, one by one.
#[derive(Default)]
pub struct Gathering {
    pairing: Pairing,
    operations: Vec<Operation>,
    /// When a process gave up its last operation, which ended in doubt.
    given_up_ns: HashMap<u64, u64>,
    phase_starts: Vec<(u64, String)>,
    marks: Vec<(u64, Mark)>,
    end_ns: u64,
    /// How many events break the rules of a history.
    broken: u64,
    first_broken: Option<PairError>,
}

impl Gathering {
    /// The next event.
    pub fn take(&mut self, event: Event) {
        let time_ns = event.time_ns;
        self.end_ns = self.end_ns.max(time_ns);
        let is_phase =
            event.f == PHASE && matches!(&event.process, Process::Named(name) if name == HARNESS);
        if is_phase && self.phase_starts.len() < PHASES_MAX {
            let name = cut(event.value.as_str().unwrap_or("?"), 60);
            self.phase_starts.push((time_ns, name));
        }
        if self.marks.len() < MARKS_MAX
            && let Some(mark @ (Mark::Leader(_) | Mark::OwnExit(_) | Mark::StarvedMs(_))) =
                Mark::of(&event)
        {
            self.marks.push((time_ns, mark));
        }
        let gave_up = match (&event.process, event.kind) {
            (Process::Client(process), EventKind::Info) => Some(*process),
            _ => None,
        };
        match self.pairing.add(event) {
            Ok(paired) => {
                if let Paired::Ends(operation) = paired {
                    self.operations.push(operation);
                }
                self.given_up_ns.extend(gave_up.map(|process| (process, time_ns)));
            }
            Err(error) => {
                self.broken += 1;
                self.first_broken.get_or_insert(error);
            }
        }
    }

    /// What was left out.
    pub fn remark(&self) -> Option<String> {
        let first = self.first_broken.as_ref()?;
        let events = counted(self.broken, "event");
        Some(format!(
            "Left out because against the rules of a history: {events}; the first: {first}."
        ))
    }

    /// The rows; `witnesses` are the invocations to keep in full.
    pub fn finish(self, witnesses: &BTreeSet<u64>) -> Operations {
        let mut operations = Operations {
            phase_starts: self.phase_starts,
            marks: self.marks,
            end_ns: self.end_ns,
            ..Operations::default()
        };
        operations.phases.number("");
        let mut paired = self.operations;
        paired.extend(self.pairing.finish());
        paired.sort_unstable_by_key(|operation| operation.call);
        for (position, operation) in paired.into_iter().enumerate() {
            let is_shown = position < LABELLED_ROWS_MAX
                || Operations::is_near_witness(witnesses, operation.call);
            let given_up_ns = self.given_up_ns.get(&operation.process).copied();
            let row = operations.row(&operation, given_up_ns, is_shown);
            if witnesses.contains(&row.index) {
                let witness = operations.witness(&operation, row.clone());
                operations.witnesses.insert(row.index, witness);
            }
            operations.rows.push(row);
        }
        operations
    }
}

impl Operations {
    fn row(&mut self, operation: &Operation, given_up_ns: Option<u64>, is_shown: bool) -> Row {
        let (ending, end_ns) = match &operation.completion {
            Completion::Ok(..) => (Ending::Ok, operation.return_ns),
            Completion::Fail(..) => (Ending::Fail, operation.return_ns),
            Completion::Info(_) if given_up_ns.is_some() => (Ending::Info, given_up_ns),
            Completion::Info(_) => (Ending::Open, None),
        };
        let label = if is_shown {
            let call = label::call(&operation.f, &operation.arguments, LABEL_CHARS_MAX);
            joined(call, &result(operation, ending, LABEL_CHARS_MAX))
        } else {
            String::new()
        };
        Row {
            index: operation.call,
            process: operation.process,
            f: self.functions.number(&operation.f),
            node: operation.node.as_deref().map(|node| self.nodes.number(node)),
            phase: self.phases.number(&operation.phase),
            ending,
            start_ns: operation.call_ns,
            end_ns,
            label: label.into(),
        }
    }

    fn witness(&self, operation: &Operation, row: Row) -> WitnessRow {
        let f = self.functions.get(row.f).to_owned();
        WitnessRow {
            node: row.node.map_or("–", |node| self.nodes.get(node)).to_owned(),
            arguments: label::arguments(&f, &operation.arguments, WITNESS_CHARS_MAX),
            result: result(operation, row.ending, WITNESS_CHARS_MAX),
            f,
            row,
        }
    }
}

/// The result in words, or why there is none.
fn result(operation: &Operation, ending: Ending, chars: usize) -> String {
    match &operation.completion {
        Completion::Ok(_, value) => label::result(&operation.f, &operation.arguments, value, chars),
        Completion::Fail(_, Some(error)) | Completion::Info(Some(error)) => {
            format!("✗ {}", cut(error, chars))
        }
        Completion::Fail(_, None) => "✗ failed".into(),
        Completion::Info(None) if ending == Ending::Open => "? no answer recorded".into(),
        Completion::Info(None) => "? unknown".into(),
    }
}

fn joined(call: String, result: &str) -> String {
    match result.chars().next() {
        None => call,
        Some('✗' | '?') => format!("{call} {result}"),
        Some(_) => format!("{call} → {result}"),
    }
}
