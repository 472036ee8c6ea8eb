//! A clerk's connections, one to each node, and what an answer means.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use bytes::Bytes;
use contract::{NodeId, Operation, Outcome, Refusal};
use http_client::{Connection, Full, Request, StatusCode, header};
use serde_json::Value;
use tokio::time::timeout;

/// A longer answer is not read to its end. Even with every byte escaped it fits into a line of the history.
const ANSWER_BYTES_MAX: usize = 2 << 20;

/// What one attempt came to.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptResult<T = Outcome> {
    /// A valid answer that matches the request.
    Answered(T),
    /// A refusal in the contract's words.
    Refused(Refusal),
    /// Nothing was sent: certainly not executed by this attempt.
    NotSent(String),
    /// Sent, but no usable answer: it may have been executed.
    Uncertain(String),
    /// A complete answer that breaks the contract: it may have been executed.
    Garbled(String),
}

/// The connections of one clerk: at most one to each node.
#[derive(Debug)]
pub struct Connections {
    addresses: HashMap<NodeId, SocketAddr>,
    open: HashMap<NodeId, Connection>,
}

impl Connections {
    /// No connection yet; `addresses` says where each node is reached.
    #[must_use]
    pub fn new(addresses: HashMap<NodeId, SocketAddr>) -> Self {
        Self { addresses, open: HashMap::new() }
    }

    /// Closes all connections: what is on its way stays unanswered.
    pub fn close(&mut self) {
        self.open.clear();
    }

    /// One attempt: sends `body` to `node` and reads the whole answer, all within `limit`.
    pub async fn ask(
        &mut self,
        node: &NodeId,
        operation: &Operation,
        body: &Bytes,
        limit: Duration,
    ) -> AttemptResult {
        match post("/v1/op", body.clone()) {
            Ok(request) => {
                self.call(node, request, limit, |result| operation.parse_outcome(result)).await
            }
            Err(reason) => AttemptResult::NotSent(reason),
        }
    }

    /// The same with any request; `parse` reads the result.
    pub async fn call<T>(
        &mut self,
        node: &NodeId,
        request: Request<Full<Bytes>>,
        limit: Duration,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> AttemptResult<T> {
        let started = tokio::time::Instant::now();
        let mut connection = match timeout(limit, self.take(node)).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(reason)) => return AttemptResult::NotSent(reason),
            Err(_) => return AttemptResult::NotSent(format!("no connection to {node} in time")),
        };
        let left = limit.saturating_sub(started.elapsed());
        let answer = match timeout(left, connection.exchange(request, ANSWER_BYTES_MAX)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(reason)) => return AttemptResult::Uncertain(format!("{node}: {reason}")),
            Err(_) => {
                return AttemptResult::Uncertain(format!(
                    "{node}: no answer within {} ms",
                    limit.as_millis()
                ));
            }
        };
        self.open.insert(node.clone(), connection);
        interpret(answer.0, &answer.1, parse)
    }

    /// The open connection to `node`, or a new one; it goes back only after a complete answer.
    async fn take(&mut self, node: &NodeId) -> Result<Connection, String> {
        if let Some(mut connection) = self.open.remove(node)
            && connection.is_ready().await
        {
            return Ok(connection);
        }
        let address = self.addresses.get(node).ok_or_else(|| format!("{node} has no address"))?;
        Connection::open(*address).await.map_err(|error| format!("{node}: {error}"))
    }
}

/// A request that brings JSON.
///
/// # Errors
/// The path is none.
pub(super) fn post(path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, String> {
    let request = Request::post(path)
        .header(header::HOST, "node")
        .header(header::CONTENT_TYPE, "application/json");
    request.body(Full::new(body)).map_err(|error| error.to_string())
}

/// A request that brings nothing.
///
/// # Errors
/// The path is none.
pub(super) fn get(path: &str) -> Result<Request<Full<Bytes>>, String> {
    let request = Request::get(path).header(header::HOST, "node");
    request.body(Full::default()).map_err(|error| error.to_string())
}

fn interpret<T>(
    status: StatusCode,
    body: &[u8],
    parse: impl FnOnce(&Value) -> Result<T, String>,
) -> AttemptResult<T> {
    let parsed: Result<Value, _> = serde_json::from_slice(body);
    if status == StatusCode::OK {
        let Ok(Value::Object(mut fields)) = parsed else {
            return AttemptResult::Garbled(format!(
                "status 200 without a JSON object: {}",
                excerpt(body)
            ));
        };
        return match fields.remove("ok") {
            Some(result) => {
                parse(&result).map_or_else(AttemptResult::Garbled, AttemptResult::Answered)
            }
            None => AttemptResult::Garbled(format!("status 200 without `ok`: {}", excerpt(body))),
        };
    }
    if status.is_redirection() {
        return AttemptResult::Garbled(format!(
            "status {status}: redirects are not followed; hints are node ids"
        ));
    }
    let refusal =
        parsed.ok().and_then(|mut value| serde_json::from_value(value["error"].take()).ok());
    match refusal {
        Some(refusal) => AttemptResult::Refused(refusal),
        None => AttemptResult::Garbled(format!(
            "status {status} without a known error code: {}",
            excerpt(body)
        )),
    }
}

/// The beginning of something hostile, safe to print.
fn excerpt(body: &[u8]) -> String {
    let text: String =
        String::from_utf8_lossy(&body[..body.len().min(120)]).escape_debug().collect();
    if body.is_empty() { "an empty body".to_owned() } else { format!("\"{text}\"") }
}

#[cfg(test)]
mod tests {
    use contract::ErrorCode;

    use super::*;

    fn get() -> Operation {
        Operation::Get { key: "x".to_owned() }
    }

    #[test]
    fn answers_are_read_by_the_contract_and_nothing_else_counts() {
        let read = |status: u16, body: &str| {
            let parse = |result: &Value| get().parse_outcome(result);
            interpret(StatusCode::from_u16(status).unwrap(), body.as_bytes(), parse)
        };
        let value = Some("1".to_owned());
        assert_eq!(
            read(200, r#"{"ok":{"value":"1"}}"#),
            AttemptResult::Answered(Outcome::Value { value })
        );
        let AttemptResult::Refused(refusal) =
            read(421, r#"{"error":{"code":"not_leader","hint":"n2"}}"#)
        else {
            panic!("a refusal")
        };
        assert_eq!((refusal.code, refusal.hint.as_deref()), (ErrorCode::NotLeader, Some("n2")));
        for (status, body) in [
            (200, ""),
            (200, "{}"),
            (200, "[1]"),
            (200, r#"{"ok":{}}"#),
            (200, r#"{"ok":{"value":3}}"#),
            (302, ""),
            (500, "<html>"),
            (404, r#"{"error":{"code":"no_such_code"}}"#),
        ] {
            assert!(matches!(read(status, body), AttemptResult::Garbled(_)), "{status} {body}");
        }
    }

    #[tokio::test]
    async fn a_refused_connection_is_certainly_not_sent_and_a_closed_one_is_uncertain() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = Connections::new(HashMap::from([("n1".to_owned(), address)]));
        let (node, body, limit) =
            ("n1".to_owned(), Bytes::from_static(b"{}"), Duration::from_secs(5));
        let closing = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            tokio::io::AsyncReadExt::read(&mut socket, &mut [0; 4096]).await.unwrap();
        });
        let attempt = connections.ask(&node, &get(), &body, limit).await;
        assert!(matches!(attempt, AttemptResult::Uncertain(_)), "{attempt:?}");
        closing.await.unwrap();
        let attempt = connections.ask(&node, &get(), &body, limit).await;
        assert!(matches!(attempt, AttemptResult::NotSent(_)), "{attempt:?}");
    }
}
