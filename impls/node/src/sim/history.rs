//! What the simulated clients saw: the input of a checker.

use std::collections::BTreeMap;

use contract::{NodeId, Outcome};

/// One event of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Position in the history, from 0: unique, so that times cannot tie.
    pub index: u64,
    /// Virtual microseconds since the start.
    pub time_us: u64,
    /// Who: one operation at a time per process.
    pub process: u64,
    /// The node that was asked (last).
    pub node: NodeId,
    /// What happened.
    pub kind: EventKind,
}

/// The field's four words for events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The operation begins.
    Invoke(contract::Operation),
    /// It certainly happened.
    Ok(Outcome),
    /// It certainly did not happen, and why.
    Fail(String),
    /// Nobody knows, and why.
    Info(String),
}

/// One operation: an invocation paired with its completion. Times are event indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The index of the invocation's event.
    pub call: u64,
    /// The process.
    pub process: u64,
    /// The process's operations, counted 1, 2, 3…
    pub seq: u64,
    /// What was asked.
    pub operation: contract::Operation,
    /// How it ended.
    pub completion: Completion,
}

impl Operation {
    /// The client that its requests name; their number is `seq`.
    #[must_use]
    pub fn client(&self) -> String {
        client_of(self.process)
    }
}

/// What a process calls itself in its requests.
pub(super) fn client_of(process: u64) -> String {
    format!("c{process}")
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// It happened, with this result; the completion's event index comes first.
    Ok(u64, Outcome),
    /// It did not happen; the completion's event index comes first.
    Fail(u64, String),
    /// Nobody will ever know: it may still take effect at any later time.
    Info(String),
}

/// Events in the order in which they happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    events: Vec<Event>,
}

impl History {
    /// Appends an event and gives it its index.
    pub fn record(&mut self, time_us: u64, process: u64, node: &NodeId, kind: EventKind) {
        let index = self.events.len() as u64;
        self.events.push(Event { index, time_us, process, node: node.clone(), kind });
    }

    /// Every event, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Invocations paired with their completions, in the order of invocation. An invocation without a completion
    /// stays open for ever.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let mut operations: Vec<Operation> = Vec::new();
        let mut open: BTreeMap<u64, usize> = BTreeMap::new();
        let mut invoked: BTreeMap<u64, u64> = BTreeMap::new();
        for event in &self.events {
            let completion = match &event.kind {
                EventKind::Invoke(operation) => {
                    open.insert(event.process, operations.len());
                    let seq = invoked.entry(event.process).or_default();
                    *seq += 1;
                    operations.push(Operation {
                        call: event.index,
                        process: event.process,
                        seq: *seq,
                        operation: operation.clone(),
                        completion: Completion::Info("the run ended first".to_owned()),
                    });
                    continue;
                }
                EventKind::Ok(outcome) => Completion::Ok(event.index, outcome.clone()),
                EventKind::Fail(reason) => Completion::Fail(event.index, reason.clone()),
                EventKind::Info(reason) => Completion::Info(reason.clone()),
            };
            if let Some(position) = open.remove(&event.process) {
                operations[position].completion = completion;
            }
        }
        operations
    }
}
