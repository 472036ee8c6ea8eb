//! The scripts of a record, each with its requests in order.

use contract::{View, view::Ping};
use history::{Operation, words};
use serde::Deserialize;

use super::{LOOK, PING, START};

const NS_A_MS: u64 = 1_000_000;

/// What was recorded of one script.
#[derive(Debug)]
pub(super) struct Played {
    /// Its name.
    pub(super) script: String,
    /// How often servers ping.
    pub(super) ping_ns: u64,
    /// After how long without a ping a server is dead.
    pub(super) dead_ns: u64,
    /// The requests, by their calls.
    pub(super) acts: Vec<Act>,
}

/// One request.
#[derive(Debug)]
pub(super) struct Act {
    /// The index of its call's event, by which witnesses name it.
    pub(super) call: u64,
    /// When that was.
    pub(super) call_ns: u64,
    /// Whose ping it is; `None`: somebody asked for the view.
    pub(super) ping: Option<Ping>,
    /// What came of it; `None`: nobody knows.
    pub(super) end: Option<End>,
}

/// The answer to a request.
#[derive(Debug)]
pub(super) struct End {
    /// The index of the answer's event.
    pub(super) index: u64,
    /// When it was there.
    pub(super) ns: u64,
    /// The view that was told.
    pub(super) view: View,
}

#[derive(Deserialize)]
struct Start {
    script: String,
    ping_ms: u64,
    dead_ms: u64,
}

impl Act {
    /// `the ping of n1 with 2 (1.204–1.206 s)`.
    pub(super) fn who(&self) -> String {
        let what = match &self.ping {
            Some(Ping { node, view }) => {
                format!("the ping of {} with {view}", words::cut(node, 20))
            }
            None => "the question for the view".to_owned(),
        };
        let from = words::seconds(self.call_ns, 3);
        match &self.end {
            Some(end) => format!("{what} ({from}–{} s)", words::seconds(end.ns, 3)),
            None => format!("{what} (from {from} s, never answered)"),
        }
    }

    pub(super) fn is_ping_of(&self, server: &str) -> bool {
        self.ping.as_ref().is_some_and(|ping| ping.node == server)
    }
}

/// An operation of a script in words: `the ping of n1 with 2 (1.204–1.206 s)`.
#[must_use]
pub fn who(operation: &Operation) -> String {
    act(operation).map_or_else(|_| words::who(operation), |act| act.who())
}

/// The scripts of a record, in order.
///
/// # Errors
/// What in it is no record of scripts.
pub(super) fn read(operations: &[Operation]) -> Result<Vec<Played>, String> {
    let mut all: Vec<&Operation> = operations.iter().collect();
    all.sort_by_key(|operation| operation.call);
    let mut scripts: Vec<Played> = Vec::new();
    for operation in all {
        if operation.f == START {
            scripts.push(begin(operation)?);
        } else {
            let act = act(operation)?;
            let script = scripts.last_mut().ok_or_else(|| {
                format!("{} comes before any script has begun", words::who(operation))
            })?;
            script.acts.push(act);
        }
    }
    Ok(scripts)
}

fn begin(operation: &Operation) -> Result<Played, String> {
    let who = words::who(operation);
    let Start { script, ping_ms, dead_ms } = Start::deserialize(&operation.arguments)
        .map_err(|error| format!("{who} does not say which script begins: {error}"))?;
    if ping_ms == 0 || dead_ms < ping_ms {
        return Err(format!("{who} has times that make no sense: {ping_ms} and {dead_ms} ms"));
    }
    let ns = |ms: u64| ms.saturating_mul(NS_A_MS);
    Ok(Played { script, ping_ns: ns(ping_ms), dead_ns: ns(dead_ms), acts: Vec::new() })
}

fn act(operation: &Operation) -> Result<Act, String> {
    let ping = match operation.f.as_str() {
        PING => Some(Ping::deserialize(&operation.arguments).map_err(|error| {
            format!("{} is no ping of the contract: {error}", words::who(operation))
        })?),
        LOOK => None,
        _ => return Err(format!("{} is nothing that a script does", words::who(operation))),
    };
    // A result that is no view says nothing: the bench has counted that already.
    let view = operation.result().and_then(|result| View::parse(result).ok());
    let end = operation.return_index().zip(operation.return_ns).zip(view);
    let end = end.map(|((index, ns), view)| End { index, ns, view });
    Ok(Act { call: operation.call, call_ns: operation.call_ns, ping, end })
}
