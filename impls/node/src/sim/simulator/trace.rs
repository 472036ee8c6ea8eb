//! A run as text: a line for each event.

use std::{collections::BTreeMap, fmt};

use contract::{Answer, Operation, Outcome, Request};

use super::{Simulator, Ticket, node::Write};
use crate::Protocol;

/// One event of a run, for people: when, who, what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLine {
    /// Virtual microseconds since the start.
    pub time_us: u64,
    /// A node, or who sent something to whom.
    pub who: String,
    /// What happened.
    pub what: String,
}

impl fmt::Display for TraceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.time_us / 1_000_000, self.time_us % 1_000_000);
        write!(f, "{seconds:>4}.{micros:06} {:>10}  {}", self.who, self.what)
    }
}

/// What became of something sent, as an arrow.
pub(super) enum Arrow {
    Arrives,
    Lost,
}

/// The text of a run, kept only where somebody asked for it: formatting costs more than simulating.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) lines: Option<Vec<TraceLine>>,
    /// Who waits for which ticket.
    clients: BTreeMap<Ticket, (String, u64)>,
    /// How each node last said it stood.
    standings: BTreeMap<usize, String>,
}

impl Trace {
    /// Something at one node; at none: to the whole cluster.
    pub(super) fn at(&mut self, time_us: u64, node: &str, what: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(TraceLine { time_us, who: node.to_owned(), what: what() });
        }
    }

    /// Something that one node sent to another, when it arrives, or when it is lost.
    fn sent(
        &mut self,
        time_us: u64,
        from: &str,
        arrow: &Arrow,
        to: &str,
        what: impl FnOnce() -> String,
    ) {
        if let Some(lines) = &mut self.lines {
            let arrow = match arrow {
                Arrow::Arrives => "->",
                Arrow::Lost => "-x",
            };
            lines.push(TraceLine { time_us, who: format!("{from} {arrow} {to}"), what: what() });
        }
    }

    /// A client asks, and will recognise the answer by `ticket`.
    pub(super) fn submitted(&mut self, ticket: Ticket, request: &Request) {
        if self.lines.is_some() {
            self.clients.insert(ticket, (request.client.clone(), request.seq));
        }
    }

    /// An answer reaches its client, or is lost.
    fn answered(
        &mut self,
        time_us: u64,
        node: &str,
        arrow: &Arrow,
        ticket: Ticket,
        answer: &Answer,
    ) {
        let Some((client, seq)) = self.clients.get(&ticket).cloned() else { return };
        self.sent(time_us, node, arrow, &client, || {
            format!("answer {seq}: {}", answer_text(answer))
        });
    }
}

impl<P: Protocol> Simulator<P> {
    pub(super) fn note_cluster(&mut self, what: impl FnOnce() -> String) {
        self.trace.at(self.queue.now_us(), "*", what);
    }

    pub(super) fn note_node(&mut self, number: usize, what: impl FnOnce() -> String) {
        self.trace.at(self.queue.now_us(), &self.names[number], what);
    }

    /// A node may have become another's follower, entered a term…
    pub(super) fn note_standing(&mut self, number: usize) {
        if self.trace.lines.is_none() {
            return;
        }
        let Some(protocol) = &self.nodes[number].protocol else { return };
        let standing = standing_text(&protocol.status());
        if self.trace.standings.insert(number, standing.clone()).as_ref() != Some(&standing) {
            self.note_node(number, || format!("now {standing}"));
        }
    }

    /// A message arrives, or is lost for some reason.
    pub(super) fn note_message(
        &mut self,
        from: usize,
        to: usize,
        message: &P::Message,
        lost: Option<&str>,
    ) {
        let (from, to) = (&self.names[from], &self.names[to]);
        let arrow = if lost.is_some() { Arrow::Lost } else { Arrow::Arrives };
        self.trace.sent(self.queue.now_us(), from, &arrow, to, || match lost {
            Some(reason) => format!("{} ({reason})", P::message_kind(message)),
            None => format!("{message:?}"),
        });
    }

    pub(super) fn note_request(&mut self, to: usize, request: &Request, arrow: &Arrow) {
        let (time_us, node) = (self.queue.now_us(), &self.names[to]);
        self.trace.sent(time_us, &request.client, arrow, node, || request_text(request));
    }

    pub(super) fn note_answer(
        &mut self,
        from: usize,
        arrow: &Arrow,
        ticket: Ticket,
        answer: &Answer,
    ) {
        let (time_us, node) = (self.queue.now_us(), &self.names[from]);
        self.trace.answered(time_us, node, arrow, ticket, answer);
    }
}

/// The parts of a status that change seldom and say most.
const STANDING: [&str; 4] = ["role", "term", "view", "leader"];

fn standing_text(status: &serde_json::Value) -> String {
    let parts = STANDING.iter().filter_map(|name| {
        let value = status.get(name)?;
        Some(format!("{name} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// What is written, record by record.
pub(super) fn writes_text<P: Protocol>(writes: &[Write<P>]) -> String {
    let texts = writes.iter().map(|write| match write {
        Write::Append(record) => format!("writes {record:?}"),
        Write::Rewrite(records) => format!("rewrites its log as {records:?}"),
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// A request as one would say it: `request 4: put x 17`.
pub(super) fn request_text(request: &Request) -> String {
    format!("request {}: {}", request.seq, operation_text(&request.op))
}

/// An operation as one would say it: `put x 17`.
#[must_use]
pub fn operation_text(operation: &Operation) -> String {
    let name = operation.name();
    match operation {
        Operation::Get { key } => format!("{name} {key}"),
        Operation::Put { key, value }
        | Operation::Append { key, value }
        | Operation::PutHash { key, value } => format!("{name} {key} {value}"),
        Operation::Cas { key, expect, value } => {
            format!("{name} {key} {} {value}", expect.as_deref().unwrap_or("(missing)"))
        }
        other => format!("{other:?}"),
    }
}

/// An outcome as one would say it.
#[must_use]
pub fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done {} => "done".to_owned(),
        Outcome::Value { value } => value.clone().unwrap_or_else(|| "(missing)".to_owned()),
        Outcome::Previous { previous } => format!("before: {previous}"),
        Outcome::Swapped { swapped: true, .. } => "swapped".to_owned(),
        Outcome::Swapped { value, .. } => {
            let found = value.as_ref().map(|value| value.as_deref().unwrap_or("(missing)"));
            format!("not swapped, found {}", found.unwrap_or("something else"))
        }
        other => format!("{other:?}"),
    }
}

fn answer_text(answer: &Answer) -> String {
    match answer {
        Answer::Ok(outcome) => outcome_text(outcome),
        Answer::Error(refusal) => format!("{}: {}", refusal.code.name(), refusal.message),
    }
}
