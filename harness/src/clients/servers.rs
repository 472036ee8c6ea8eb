//! The servers of a view service, which the bench plays: their pings as HTTP requests, recorded like operations.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use contract::{
    NodeId, View,
    view::{PING_PATH, Ping, VIEW_PATH},
};
use history::EventKind;
use http_client::{Full, Request};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use workloads::view_service::{BROKE_CONTRACT, LOOK, PING, SERVERS, TOO_LATE};

use super::{
    Shared,
    connection::{AttemptResult, Connections, get, post},
};

/// All servers, and the bench itself, which is none of them.
pub struct Servers {
    /// `None` while it pings.
    servers: BTreeMap<&'static str, Option<Caller>>,
    /// Starts the service, and asks for the view.
    bench: Caller,
}

/// Whoever sends requests, one at a time.
#[derive(Debug)]
struct Caller {
    shared: Arc<Shared>,
    connections: Connections,
    process: u64,
}

impl Servers {
    /// Nobody has sent anything yet.
    #[must_use]
    pub fn new(shared: &Arc<Shared>) -> Self {
        let caller = |process| Caller {
            shared: Arc::clone(shared),
            connections: Connections::new(shared.addresses.clone()),
            process,
        };
        let servers = SERVERS.into_iter().zip(0..).map(|(id, at)| (id, Some(caller(at)))).collect();
        Self { servers, bench: caller(SERVERS.len() as u64) }
    }

    /// Records an operation of the bench itself that has no answer in HTTP.
    pub fn record(&self, kind: EventKind, f: &str, value: Value) {
        self.bench.record(kind, f, value, None);
    }

    /// Asks for the view; `None`: there is no answer.
    pub async fn look(&mut self) -> Option<View> {
        self.bench.call(LOOK, json!({}), get(VIEW_PATH)).await
    }

    /// These servers ping, one after the other's answer, or all at once. The answers in the order in which they came;
    /// `None`: there is none.
    pub async fn ping(&mut self, pings: &[Ping], at_once: bool) -> Vec<(NodeId, Option<View>)> {
        let mut answers = Vec::new();
        let mut pinging = JoinSet::new();
        for ping in pings {
            let Some((id, server)) = self.servers.iter_mut().find(|(id, _)| **id == ping.node)
            else {
                continue;
            };
            let Some(mut caller) = server.take() else { continue };
            let (id, ping) = (*id, ping.clone());
            pinging.spawn(async move {
                let body = Bytes::from(json!(ping).to_string());
                let answer = caller.call(PING, json!(ping), post(PING_PATH, body)).await;
                (id, caller, answer)
            });
            if !at_once {
                self.take_answers(&mut pinging, &mut answers).await;
            }
        }
        self.take_answers(&mut pinging, &mut answers).await;
        answers
    }

    /// Waits for all answers that are due.
    async fn take_answers(
        &mut self,
        pinging: &mut JoinSet<(&'static str, Caller, Option<View>)>,
        answers: &mut Vec<(NodeId, Option<View>)>,
    ) {
        while let Some(Ok((id, caller, answer))) = pinging.join_next().await {
            self.servers.insert(id, Some(caller));
            answers.push((id.to_owned(), answer));
        }
    }
}

impl Caller {
    /// Sends a request and records it; its result is a view.
    async fn call(
        &mut self,
        f: &str,
        arguments: Value,
        request: Result<Request<Full<Bytes>>, String>,
    ) -> Option<View> {
        let node = self.shared.nodes.first().cloned()?;
        let limit: Duration = self.shared.patience.operation;
        self.record(EventKind::Invoke, f, arguments, None);
        let begun = Instant::now();
        let result = match request {
            Ok(request) => self.connections.call(&node, request, limit, View::parse).await,
            Err(reason) => AttemptResult::NotSent(reason),
        };
        let reason = match result {
            AttemptResult::Answered(view) => {
                self.record(EventKind::Ok, f, json!(view), None);
                self.shared.succeeded_at(&node, false);
                return Some(view);
            }
            AttemptResult::Refused(refusal) => {
                let name = refusal.code.name();
                self.shared.protocol_errors.record(&format!("{node}: `{f}` refused as `{name}`"));
                format!("{BROKE_CONTRACT}{name}")
            }
            AttemptResult::Garbled(reason) => {
                self.shared.protocol_errors.record(&format!("{node}: `{f}`: {reason}"));
                format!("{BROKE_CONTRACT}{reason}")
            }
            AttemptResult::NotSent(reason) | AttemptResult::Uncertain(reason) => {
                if begun.elapsed() < limit { reason } else { format!("{TOO_LATE}{reason}") }
            }
        };
        self.record(EventKind::Info, f, Value::Null, Some(reason));
        // What was not answered stays open for ever.
        self.process += self.shared.clerks;
        self.connections.close();
        None
    }

    fn record(&self, kind: EventKind, f: &str, value: Value, error: Option<String>) {
        let node = self.shared.nodes.first().map(String::as_str);
        self.shared.stream.operation(self.process, kind, f, value, error, node);
    }
}
