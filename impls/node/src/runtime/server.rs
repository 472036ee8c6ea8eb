//! The HTTP side of a node: the contract's client API and the peers' messages.

use std::{
    collections::BTreeSet,
    io,
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, get, on, post},
    serve::ListenerExt,
};
use contract::{Answer, ErrorCode, Launch, NodeId, Operation, Refusal, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, time::timeout};

use super::{
    driver::{Call, CallResult, Input, Inspection},
    log,
};
use crate::{Protocol, clock::Stamp};

/// How long a client's request may take before its outcome is called unknown.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long `/readyz`, `/v1/status` and `/v1/log` wait for the protocol's thread.
const INSPECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest body of a client's request.
const REQUEST_BYTES_MAX: usize = 1 << 20;
/// The longest message between nodes: a snapshot may be in it.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// What every handler needs.
struct Shared<P: Protocol> {
    inputs: SyncSender<Input<P>>,
    known: BTreeSet<NodeId>,
}

type Handle<P> = State<Arc<Shared<P>>>;

/// A message between nodes, as it travels.
#[derive(Deserialize)]
struct Envelope<M> {
    from: NodeId,
    message: M,
}

/// Serves until the listener fails; ends with the future.
pub(super) async fn serve<P: Protocol>(
    listener: TcpListener,
    inputs: SyncSender<Input<P>>,
    launch: &Launch,
) -> io::Result<()> {
    let known = launch.peers.keys().chain([&launch.node]).cloned().collect();
    let shared = Arc::new(Shared { inputs, known });
    let calls = P::CALLS.iter().fold(Router::new(), |router, (method, path)| {
        router.route(path, call_route::<P>(method, path))
    });
    let router = calls
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready::<P>))
        .route("/v1/status", get(status::<P>))
        .route("/v1/log", get(chosen::<P>))
        .route("/v1/op", post(operation::<P>).layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX)))
        .route("/v1/peer", post(peer::<P>).layer(DefaultBodyLimit::max(MESSAGE_BYTES_MAX)))
        .with_state(shared);
    let listener = listener.tap_io(|stream| {
        // Answers are small and waited for. Where it cannot be set they are merely slower.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await
}

async fn ready<P: Protocol>(State(shared): Handle<P>) -> StatusCode {
    match shared.inspect().await {
        Some(Inspection { ready: true, .. }) => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn status<P: Protocol>(State(shared): Handle<P>) -> Response {
    match shared.inspect().await {
        Some(inspection) => Json(inspection.status).into_response(),
        None => respond(&refusal(ErrorCode::NotReady, "the protocol is busy")),
    }
}

/// Where one of the protocol's own requests is taken.
fn call_route<P: Protocol>(
    method: &'static str,
    path: &'static str,
) -> MethodRouter<Arc<Shared<P>>> {
    let method = method.parse().ok().and_then(|method: Method| MethodFilter::try_from(method).ok());
    let take = move |State(shared): Handle<P>, body: Result<Bytes, BytesRejection>| async move {
        let body = read_body(body).and_then(|body| parse_call(&body));
        let result = match body {
            Ok(body) => shared.call(Call { path, body }).await,
            Err(refusal) => Err(refusal),
        };
        match result {
            Ok(result) => Json(json!({ "ok": result })).into_response(),
            Err(refusal) => respond(&Answer::Error(refusal)),
        }
    };
    on(method.unwrap_or(MethodFilter::GET), take).layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
}

async fn chosen<P: Protocol>(State(shared): Handle<P>, uri: Uri) -> Response {
    let slots = match log::slots(uri.query()) {
        Ok(slots) => slots,
        Err(problem) => return respond(&refusal(ErrorCode::BadRequest, problem)),
    };
    match shared.look(|reply| Input::Chosen(slots, reply)).await {
        Some(Some(answer)) => Json(answer).into_response(),
        Some(None) => respond(&refusal(ErrorCode::Unsupported, "this protocol shows no log")),
        None => respond(&refusal(ErrorCode::NotReady, "the protocol is busy")),
    }
}

async fn operation<P: Protocol>(
    State(shared): Handle<P>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let answer = match read_body(body).and_then(|body| parse_request(&body)) {
        Ok(request) => shared.ask(request).await,
        Err(refusal) => Answer::Error(refusal),
    };
    respond(&answer)
}

async fn peer<P: Protocol>(
    State(shared): Handle<P>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let envelope = read_body(body).and_then(|body| parse_envelope::<P::Message>(&body));
    let Envelope { from, message } = match envelope {
        Ok(envelope) => envelope,
        Err(refusal) => return respond(&Answer::Error(refusal)),
    };
    if !shared.known.contains(&from) {
        let message = "the sender is not one of this node's peers";
        return respond(&refusal(ErrorCode::BadRequest, message));
    }
    let header = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let stamp = Stamp::of_headers(header, |node| shared.known.contains(node));
    match shared.inputs.try_send(Input::Message(from, message, stamp)) {
        Ok(()) => Json(json!({})).into_response(),
        Err(_) => respond(&overloaded()),
    }
}

impl<P: Protocol> Shared<P> {
    /// Hands a request to the protocol and waits for its answer.
    async fn ask(&self, request: Request) -> Answer {
        let (reply, answer) = oneshot::channel();
        match self.inputs.try_send(Input::Request(request, reply)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return overloaded(),
            Err(TrySendError::Disconnected(_)) => {
                return refusal(ErrorCode::NotReady, "this node is stopping: never proposed");
            }
        }
        in_time(answer, OPERATION_TIMEOUT).await
    }

    /// Hands one of its own requests to the protocol and waits for the result.
    async fn call(&self, call: Call) -> CallResult {
        let (reply, result) = oneshot::channel();
        if self.inputs.try_send(Input::Call(call, reply)).is_err() {
            let message = "too much waits for this node already, or it is stopping";
            return Err(Refusal::new(ErrorCode::NotReady, message));
        }
        let late = |_| Refusal::new(ErrorCode::Timeout, "no outcome in time");
        let ended =
            |_| Refusal::new(ErrorCode::Internal, "the node stopped before it could answer");
        timeout(OPERATION_TIMEOUT, result).await.map_err(late)?.map_err(ended)?
    }

    async fn inspect(&self) -> Option<Inspection> {
        self.look(Input::Inspect).await
    }

    /// Asks the protocol for something that changes nothing; `None` where it does not answer soon.
    async fn look<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Input<P>) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.inputs.try_send(ask(reply)).ok()?;
        timeout(INSPECT_TIMEOUT, answer).await.ok()?.ok()
    }
}

/// Waits for the protocol's answer. Whatever else happens, the operation may have taken effect or still will: the
/// refusal must be an indefinite one.
async fn in_time(answer: oneshot::Receiver<Answer>, limit: Duration) -> Answer {
    match timeout(limit, answer).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => refusal(ErrorCode::Internal, "the node stopped before it could answer"),
        Err(_) => refusal(ErrorCode::Timeout, format!("no outcome within {} s", limit.as_secs())),
    }
}

fn read_body(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Refusal> {
    body.map_err(|rejection| Refusal::new(ErrorCode::BadRequest, rejection.body_text()))
}

fn parse_call(body: &[u8]) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|error| {
        Refusal::new(ErrorCode::BadRequest, format!("the body is no JSON: {error}"))
    })
}

fn parse_request(body: &[u8]) -> Result<Request, Refusal> {
    let request: Request = serde_json::from_slice(body).map_err(|error| {
        let code = if names_another_operation(body) {
            ErrorCode::Unsupported
        } else {
            ErrorCode::BadRequest
        };
        Refusal::new(code, format!("the body is no request: {error}"))
    })?;
    if request.seq == 0 {
        return Err(Refusal::new(ErrorCode::BadRequest, "`seq` counts from 1"));
    }
    if matches!(request.op, Operation::Internal { .. }) {
        return Err(Refusal::new(ErrorCode::Unsupported, "clients have no internal operations"));
    }
    Ok(request)
}

/// Whether a body names an operation that the contract does not know.
fn names_another_operation(body: &[u8]) -> bool {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let name = body.as_ref().and_then(|body| body.pointer("/op/type")?.as_str());
    name.is_some_and(|name| contract::operations::entry(name).is_none())
}

fn parse_envelope<M: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<Envelope<M>, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        Refusal::new(ErrorCode::BadRequest, format!("the body is no message: {error}"))
    })
}

fn overloaded() -> Answer {
    refusal(ErrorCode::NotReady, "too much waits for this node already: never proposed")
}

fn refusal(code: ErrorCode, message: impl Into<String>) -> Answer {
    Answer::Error(Refusal::new(code, message))
}

fn respond(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(answer)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(answer: Answer) -> ErrorCode {
        match answer {
            Answer::Error(refusal) => refusal.code,
            Answer::Ok(outcome) => panic!("{outcome:?} came from nowhere"),
        }
    }

    #[tokio::test]
    async fn an_operation_without_an_answer_in_time_has_an_unknown_outcome() {
        let (silent, answer) = oneshot::channel();
        let code = code(in_time(answer, Duration::from_millis(1)).await);
        assert_eq!((code, code.is_definite()), (ErrorCode::Timeout, false));
        drop(silent);
    }

    #[tokio::test]
    async fn an_operation_that_the_node_did_not_outlive_has_an_unknown_outcome() {
        let (reply, answer) = oneshot::channel();
        drop(reply);
        let code = code(in_time(answer, OPERATION_TIMEOUT).await);
        assert!(!code.is_definite(), "{code:?}");
    }

    #[test]
    fn a_body_that_is_no_request_is_refused_by_its_kind() {
        use ErrorCode::{BadRequest, Unsupported};
        for (body, expected) in [
            ("", BadRequest),
            ("{", BadRequest),
            ("[]", BadRequest),
            ("\u{0}", BadRequest),
            (r#"{"client":"c","seq":1}"#, BadRequest),
            (r#"{"client":"c","seq":-1,"op":{"type":"get","key":"x"}}"#, BadRequest),
            (r#"{"client":"c","seq":0,"op":{"type":"get","key":"x"}}"#, BadRequest),
            (r#"{"client":"c","seq":1,"op":{"type":"get"}}"#, BadRequest),
            (r#"{"client":"c","seq":1,"op":{"type":7}}"#, BadRequest),
            (r#"{"client":"c","seq":1,"op":{"type":"fly","key":"x"}}"#, Unsupported),
        ] {
            assert_eq!(parse_request(body.as_bytes()).unwrap_err().code, expected, "{body}");
        }
        let nested = "[".repeat(100_000);
        assert_eq!(parse_request(nested.as_bytes()).unwrap_err().code, BadRequest);
        parse_request(br#"{"client":"c","seq":1,"op":{"type":"get","key":"x"}}"#).unwrap();
    }
}
