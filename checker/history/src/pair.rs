//! Events → operations, with the premises of every check checked.

use std::collections::HashMap;

use serde_json::Value;

use crate::{Completion, Event, EventKind, HARNESS, Operation, PHASE, Process};

/// A premise that the history breaks: no verdict can be based on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairError {
    /// Indices must increase.
    #[error("event {index} follows event {previous}: indices must increase")]
    Order {
        /// The later event.
        index: u64,
        /// The event before it.
        previous: u64,
    },
    /// Two operations at a time on one process.
    #[error(
        "event {index}: process {process} invokes {f} while its operation from event {open} is open"
    )]
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
    #[error("event {index}: process {process} completes {f}, but has invoked nothing")]
    NotInvoked {
        /// The completion.
        index: u64,
        /// The process.
        process: u64,
        /// The function completed.
        f: String,
    },
    /// A completion of something else.
    #[error(
        "event {index}: process {process} completes {f}, but invoked {invoked} at event {open}"
    )]
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
    #[error(
        "event {index}: process {process} goes on after its operation of unknown outcome ended at event {info}; \
         a client must continue under a new number"
    )]
    UsedAfterInfo {
        /// The event.
        index: u64,
        /// The process.
        process: u64,
        /// The `info` event.
        info: u64,
    },
}

/// What a process is doing.
enum State {
    /// The operation at this position in the result is open.
    Open(usize),
    /// Its last operation is complete.
    Idle,
    /// Its last operation ended in doubt, at this event.
    Lost(u64),
}

/// The clients' operations in order of invocation, each with the phase it began in. Failed ones stay: their
/// arguments name aborted reads. What is open at the end is `info`: nobody knows.
///
/// Events of named processes (the nemesis, the bench) are no operations.
pub fn operations(events: &[Event]) -> Result<Vec<Operation>, PairError> {
    let mut pairing = Pairing::default();
    for event in events {
        pairing.add(event.clone())?;
    }
    Ok(pairing.finish())
}

/// [`operations`] for events that come one by one.
#[derive(Default)]
pub struct Pairing {
    operations: Vec<Operation>,
    processes: HashMap<u64, State>,
    phase: String,
    previous: Option<u64>,
}

impl Pairing {
    /// The next event of the history; whether it begins an operation.
    pub fn add(&mut self, event: Event) -> Result<bool, PairError> {
        if let Some(previous) = self.previous.filter(|&previous| event.index <= previous) {
            return Err(PairError::Order { index: event.index, previous });
        }
        self.previous = Some(event.index);
        let process = match &event.process {
            Process::Client(process) => *process,
            Process::Named(name) => {
                if name == HARNESS && event.f == PHASE {
                    self.phase = phase_name(&event.value);
                }
                return Ok(false);
            }
        };
        let state = self.processes.entry(process).or_insert(State::Idle);
        let begins = event.kind == EventKind::Invoke;
        *state = if begins {
            self.operations.push(invoke(event, process, &self.phase, state, &self.operations)?);
            State::Open(self.operations.len() - 1)
        } else {
            complete(event, process, state, &mut self.operations)?
        };
        Ok(begins)
    }

    /// The operations of all events.
    #[must_use]
    pub fn finish(self) -> Vec<Operation> {
        self.operations
    }
}

fn invoke(
    event: Event,
    process: u64,
    phase: &str,
    state: &State,
    operations: &[Operation],
) -> Result<Operation, PairError> {
    let index = event.index;
    match *state {
        State::Idle => Ok(Operation {
            call: index,
            process,
            f: event.f,
            arguments: event.value,
            completion: Completion::Info(None),
            call_ns: event.time_ns,
            return_ns: None,
            node: event.node,
            phase: phase.to_owned(),
        }),
        State::Open(open) => {
            let open = operations[open].call;
            Err(PairError::Overlap { index, process, f: event.f, open })
        }
        State::Lost(info) => Err(PairError::UsedAfterInfo { index, process, info }),
    }
}

fn complete(
    event: Event,
    process: u64,
    state: &State,
    operations: &mut [Operation],
) -> Result<State, PairError> {
    let (index, f) = (event.index, event.f);
    let operation = match *state {
        State::Open(open) => &mut operations[open],
        State::Idle => return Err(PairError::NotInvoked { index, process, f }),
        State::Lost(info) => return Err(PairError::UsedAfterInfo { index, process, info }),
    };
    if operation.f != f {
        let (invoked, open) = (operation.f.clone(), operation.call);
        return Err(PairError::OtherFunction { index, process, f, invoked, open });
    }
    operation.node = event.node.or(operation.node.take());
    let (completion, state) = match event.kind {
        EventKind::Ok => (Completion::Ok(index, event.value), State::Idle),
        EventKind::Fail => (Completion::Fail(index, event.error), State::Idle),
        EventKind::Info | EventKind::Invoke => (Completion::Info(event.error), State::Lost(index)),
    };
    // Giving up is no return: an operation in doubt stays open.
    operation.return_ns = completion.is_known().then_some(event.time_ns);
    operation.completion = completion;
    Ok(state)
}

/// `"main"`, or `:main` from an EDN history.
fn phase_name(value: &Value) -> String {
    match value {
        Value::String(name) => name.strip_prefix(':').unwrap_or(name).to_owned(),
        other => other.to_string(),
    }
}
