//! Events → operations, with the premises of every check checked.

use std::fmt::{self, Display, Formatter};
use std::mem;

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::batches::{Block, Last};
use crate::{Completion, Datum, Event, EventKind, HARNESS, Operation, PHASE, Payload, Process};

/// A premise that the history breaks: no verdict can be based on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PairError {
    /// Indices must increase.
    Order {
        /// The later event.
        index: u64,
        /// The event before it.
        previous: u64,
    },
    /// Two operations at a time on one process.
    Overlap {
        /// The second invocation.
        index: u64,
        /// The process.
        process: u64,
        /// The function invoked.
        f: String,
        /// The first invocation.
        open: u64,
    },
    /// A completion of nothing.
    NotInvoked {
        /// The completion.
        index: u64,
        /// The process.
        process: u64,
        /// The function completed.
        f: String,
    },
    /// A completion of something else.
    OtherFunction {
        /// The completion.
        index: u64,
        /// The process.
        process: u64,
        /// The function completed.
        f: String,
        /// The function invoked.
        invoked: String,
        /// The invocation.
        open: u64,
    },
    /// Nobody knows whether the process's last operation still runs, so it must not go on.
    UsedAfterInfo {
        /// The event.
        index: u64,
        /// The process.
        process: u64,
        /// The `info` event.
        info: u64,
    },
}

impl std::error::Error for PairError {}

impl Display for PairError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "event {}: {}", self.index(), self.told(|event| format!("event {event}")))
    }
}

impl PairError {
    /// The event that breaks the premise.
    #[must_use]
    pub fn index(&self) -> u64 {
        let (Self::Order { index, .. }
        | Self::Overlap { index, .. }
        | Self::NotInvoked { index, .. }
        | Self::OtherFunction { index, .. }
        | Self::UsedAfterInfo { index, .. }) = *self;
        index
    }

    /// What is wrong there; `place` names other events, such as `line 7`.
    #[must_use]
    pub fn told(&self, place: impl Fn(u64) -> String) -> String {
        match self {
            Self::Order { index, previous } => {
                format!("its index {index} follows index {previous}: indices must increase")
            }
            Self::Overlap { process, f, open, .. } => format!(
                "process {process} invokes {} while its operation of {} is open; a client does one at a time",
                function(f),
                place(*open)
            ),
            Self::NotInvoked { process, f, .. } => format!(
                "process {process} completes {}, but has invoked nothing that is still open",
                function(f)
            ),
            Self::OtherFunction { process, f, invoked, open, .. } => format!(
                "process {process} completes {}, but invoked {} at {}",
                function(f),
                function(invoked),
                place(*open)
            ),
            Self::UsedAfterInfo { process, info, .. } => format!(
                "process {process} goes on after its operation of unknown outcome ended at {}; \
                 a client must continue under a new number",
                place(*info)
            ),
        }
    }
}

fn function(f: &str) -> String {
    if f.is_empty() { "an operation without a function (`f`)".to_owned() } else { f.to_owned() }
}

/// What an event means.
#[derive(Clone, Debug, PartialEq)]
pub enum Paired<V = Value> {
    /// It begins an operation.
    Begins,
    /// It ends this operation.
    Ends(Operation<V>),
    /// It is about no operation of a client.
    Beside,
}

/// What a process is doing.
enum State<V> {
    /// This operation is open.
    Open(Operation<V>),
    /// Its last operation is complete.
    Idle,
    /// Its last operation ended in doubt, at this event.
    Lost(u64),
}

/// The clients' operations in order of invocation, each with the phase it began in. Failed ones stay: their
/// arguments name aborted reads. What is open at the end is `info`: nobody knows.
///
/// Events of named processes (the nemesis, the bench) are no operations.
///
/// # Errors
/// The first event that breaks a premise.
pub fn operations<V: Payload>(events: &[Event<V>]) -> Result<Vec<Operation<V>>, PairError> {
    let mut pairing = Pairing::default();
    let mut operations = Vec::new();
    for event in events {
        if let Paired::Ends(operation) = pairing.add(event.clone())? {
            operations.push(operation);
        }
    }
    operations.extend(pairing.finish());
    operations.sort_unstable_by_key(|operation| operation.call);
    Ok(operations)
}

/// [`operations`] for events that come one by one: each operation is given out when it ends.
pub struct Pairing<V = Value> {
    processes: FxHashMap<u64, State<V>>,
    phase: String,
    previous: Option<u64>,
}

impl<V> Default for Pairing<V> {
    fn default() -> Self {
        Self { processes: FxHashMap::default(), phase: String::new(), previous: None }
    }
}

impl<V: Payload> Pairing<V> {
    /// The next event of the history.
    ///
    /// # Errors
    /// The premise that it breaks; then it counts for nothing.
    pub fn add(&mut self, event: Event<V>) -> Result<Paired<V>, PairError> {
        if let Some(previous) = self.previous.filter(|&previous| event.index <= previous) {
            return Err(PairError::Order { index: event.index, previous });
        }
        self.previous = Some(event.index);
        let process = match &event.process {
            Process::Client(process) => *process,
            Process::Named(name) => {
                if name == HARNESS && event.f.as_str() == PHASE {
                    self.phase = phase_name(&event.value);
                }
                return Ok(Paired::Beside);
            }
        };
        let state = self.processes.entry(process).or_insert(State::Idle);
        if event.kind == EventKind::Invoke {
            invoke(event, process, &self.phase, state).map(|()| Paired::Begins)
        } else {
            complete(event, process, state).map(Paired::Ends)
        }
    }

    /// The operations that are still open, in the order of their invocations.
    #[must_use]
    pub fn finish(self) -> Vec<Operation<V>> {
        let open = self.processes.into_values().filter_map(|state| match state {
            State::Open(operation) => Some(operation),
            State::Idle | State::Lost(_) => None,
        });
        let mut open: Vec<_> = open.collect();
        open.sort_unstable_by_key(|operation| operation.call);
        open
    }
}

/// The operation that this event begins. What it takes of the event is gone there.
pub(crate) fn begin<V: Default>(event: &mut Event<V>, process: u64, phase: &str) -> Operation<V> {
    Operation {
        call: event.index,
        process,
        f: mem::take(&mut event.f),
        arguments: mem::take(&mut event.value),
        completion: Completion::Info(None),
        call_ns: event.time_ns,
        return_ns: None,
        node: event.node.take(),
        phase: phase.to_owned(),
    }
}

/// Ends the operation with this event.
pub(crate) fn end<V: Default>(operation: &mut Operation<V>, event: &mut Event<V>) {
    operation.node = event.node.take().or(operation.node.take());
    operation.completion = match event.kind {
        EventKind::Ok => Completion::Ok(event.index, mem::take(&mut event.value)),
        EventKind::Fail => Completion::Fail(event.index, event.error.take()),
        EventKind::Info | EventKind::Invoke => Completion::Info(event.error.take()),
    };
    // Giving up is no return: an operation in doubt stays open.
    operation.return_ns = operation.completion.is_known().then_some(event.time_ns);
}

fn invoke<V: Default>(
    mut event: Event<V>,
    process: u64,
    phase: &str,
    state: &mut State<V>,
) -> Result<(), PairError> {
    let index = event.index;
    match state {
        State::Idle => {
            *state = State::Open(begin(&mut event, process, phase));
            Ok(())
        }
        State::Open(open) => {
            Err(PairError::Overlap { index, process, f: event.f.into(), open: open.call })
        }
        State::Lost(info) => Err(PairError::UsedAfterInfo { index, process, info: *info }),
    }
}

fn complete<V: Default>(
    mut event: Event<V>,
    process: u64,
    state: &mut State<V>,
) -> Result<Operation<V>, PairError> {
    let index = event.index;
    let after = match event.kind {
        EventKind::Ok | EventKind::Fail => State::Idle,
        EventKind::Info | EventKind::Invoke => State::Lost(index),
    };
    let mut operation = match mem::replace(state, after) {
        State::Open(operation) if operation.f == event.f => operation,
        before => {
            let f = event.f.into();
            let error = match &before {
                State::Open(Operation { f: invoked, call, .. }) => {
                    let (invoked, open) = (invoked.as_str().to_owned(), *call);
                    PairError::OtherFunction { index, process, f, invoked, open }
                }
                State::Idle => PairError::NotInvoked { index, process, f },
                State::Lost(info) => PairError::UsedAfterInfo { index, process, info: *info },
            };
            *state = before;
            return Err(error);
        }
    };
    end(&mut operation, &mut event);
    Ok(operation)
}

/// Blocks that were paired by themselves.
impl Pairing<Datum> {
    /// The phase that operations begin in.
    pub(crate) fn phase(&self) -> &str {
        &self.phase
    }

    /// Whether the block may follow what there was.
    pub(crate) fn fits<B>(&self, block: &Block<B>) -> bool {
        let is_later =
            block.indices.zip(self.previous).is_none_or(|((first, _), last)| first > last);
        let state = |process: &u64| self.processes.get(process);
        let begin = block.processes.iter().filter(|(_, begins, _)| *begins);
        let may_begin = |process| matches!(state(process), None | Some(State::Idle));
        let is_open = |(_, process, event): &(usize, u64, Event<Datum>)| matches!(state(process), Some(State::Open(operation)) if operation.f == event.f);
        is_later
            && begin.map(|(process, ..)| process).all(may_begin)
            && block.ends.iter().all(is_open)
    }

    /// Goes on behind a block that fits: what it holds, and the operations that it only ends.
    pub(crate) fn pass<B>(&mut self, mut block: Block<B>) -> (B, Vec<(usize, Operation<Datum>)>) {
        let mut ended = Vec::with_capacity(block.ends.len());
        for (before, process, event) in mem::take(&mut block.ends) {
            let state = self.processes.entry(process).or_insert(State::Idle);
            ended.extend(complete(event, process, state).map(|operation| (before, operation)));
        }
        for (process, _, last) in mem::take(&mut block.processes) {
            let state = match last {
                Last::Begins(operation) => State::Open(operation),
                Last::Ends => State::Idle,
                Last::Loses(index) => State::Lost(index),
            };
            self.processes.insert(process, state);
        }
        self.previous = block.indices.map(|(_, last)| last).or(self.previous);
        (block.into_batch(), ended)
    }
}

/// `"main"`, or `:main` from an EDN history.
fn phase_name(value: &impl Payload) -> String {
    match value.as_text() {
        Some(name) => name.strip_prefix(':').unwrap_or(name).to_owned(),
        None => value.to_string(),
    }
}
