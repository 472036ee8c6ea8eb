//! The HTTP side: the part of the contract that an adapter serves.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use contract::{Answer, ErrorCode, Operation, Refusal, Request};
use serde_json::Value;
use tokio::{net::TcpListener, time::timeout};

use crate::{Database, refusals, sessions::Sessions};

/// The longest body of a request, as in the reference stores.
const REQUEST_BYTES_MAX: usize = 1 << 20;
/// How long `/readyz` waits for the database.
const READY_TIMEOUT: Duration = Duration::from_secs(1);
/// The key that `/readyz` reads: no workload has such a one.
const READY_KEY: &str = "readyz";

/// Serves until the listener fails.
///
/// Where a client closes its connection, axum drops the future that works for it: the operation is given up with its session.
pub(crate) async fn serve<D: Database>(
    address: SocketAddr,
    sessions: Sessions<D>,
) -> Result<(), String> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot bind DS_LISTEN={address}: {error}"))?;
    let listener = listener.tap_io(|stream| {
        // Answers are small and waited for. Where it cannot be set they are merely slower.
        let _ = stream.set_nodelay(true);
    });
    let router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready::<D>))
        .route("/v1/op", post(operation::<D>).layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX)))
        .with_state(Arc::new(sessions));
    axum::serve(listener, router).await.map_err(|error| format!("cannot serve: {error}"))
}

/// Ready is what answers a read; else the body says why not.
async fn ready<D: Database>(State(sessions): State<Arc<Sessions<D>>>) -> Response {
    let read = Operation::Get { key: READY_KEY.to_owned() };
    let answer = timeout(READY_TIMEOUT, sessions.perform(&read)).await;
    match answer.unwrap_or_else(|_| Answer::Error(refusals::late())) {
        Answer::Ok(_) => StatusCode::OK.into_response(),
        refused @ Answer::Error(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, Json(refused)).into_response()
        }
    }
}

async fn operation<D: Database>(
    State(sessions): State<Arc<Sessions<D>>>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = body
        .map_err(|rejection| Refusal::new(ErrorCode::BadRequest, rejection.body_text()))
        .and_then(|body| parse(&body));
    let answer = match body {
        Ok(request) => sessions.perform(&request.op).await,
        Err(refusal) => Answer::Error(refusal),
    };
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(answer)).into_response()
}

fn parse(body: &[u8]) -> Result<Request, Refusal> {
    let request: Request = serde_json::from_slice(body).map_err(|error| {
        let code = match names_another_operation(body) {
            true => ErrorCode::Unsupported,
            false => ErrorCode::BadRequest,
        };
        Refusal::new(code, format!("the body is no request: {error}"))
    })?;
    match request.seq {
        0 => Err(Refusal::new(ErrorCode::BadRequest, "`seq` counts from 1")),
        _ => Ok(request),
    }
}

/// Whether a body names an operation that the contract does not know.
fn names_another_operation(body: &[u8]) -> bool {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let name = body.as_ref().and_then(|body| body.pointer("/op/type")?.as_str());
    name.is_some_and(|name| contract::operations::entry(name).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_is_no_request_is_refused_by_its_kind() {
        use ErrorCode::{BadRequest, Unsupported};
        for (body, expected) in [
            ("", BadRequest),
            ("[]", BadRequest),
            ("\u{0}", BadRequest),
            (r#"{"client":"c","seq":0,"op":{"type":"get","key":"x"}}"#, BadRequest),
            (r#"{"client":"c","seq":1,"op":{"type":"get"}}"#, BadRequest),
            (r#"{"client":"c","seq":1,"op":{"type":"fly","key":"x"}}"#, Unsupported),
        ] {
            assert_eq!(parse(body.as_bytes()).unwrap_err().code, expected, "{body}");
        }
        let nested = "[".repeat(100_000);
        assert_eq!(parse(nested.as_bytes()).unwrap_err().code, BadRequest);
        parse(br#"{"client":"c","seq":1,"op":{"type":"get","key":"x"}}"#).unwrap();
    }
}
