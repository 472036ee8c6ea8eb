//! The coordinator's HTTP side.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State, rejection::BytesRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use contract::{
    ErrorCode, Refusal,
    mapreduce::{JobAnswer, JobStatus},
};
use serde::{Serialize, de::DeserializeOwned};

use super::Coordinator;
use crate::wire::{Answer, AttemptId, Needed, TaskAnswer, TaskRequest};

/// The longest body: the inputs of a job are in it.
const BODY_BYTES_MAX: usize = 16 << 20;

type Handle = State<Arc<Coordinator>>;
type Body = Result<Bytes, BytesRejection>;

/// All requests that a coordinator takes.
pub fn router(coordinator: Arc<Coordinator>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(async || "ok\n"))
        .route("/v1/jobs", post(submit))
        .route("/v1/jobs/{job}", get(status))
        .route("/v1/task", post(task))
        .route("/v1/heartbeat", post(heartbeat))
        .route("/v1/report", post(report))
        .fallback(async || respond(Err::<(), _>(not_found("there is no such request".to_owned()))))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(coordinator)
}

async fn submit(State(coordinator): Handle, body: Body) -> Response {
    let request = match parse(body) {
        Ok(request) => request,
        Err(refusal) => return respond(Err::<(), _>(refusal)),
    };
    let submitted = apart(move || coordinator.submit(request)).await.flatten();
    respond(submitted.map(|job| JobAnswer { job: format!("j{job}") }))
}

async fn status(State(coordinator): Handle, Path(name): Path<String>) -> Response {
    let job = name.strip_prefix('j').and_then(|number| number.parse().ok());
    let status: Option<JobStatus> = job.and_then(|job| coordinator.status(job));
    let missing =
        || not_found(format!("there is no job \"{name}\": this coordinator has not started it"));
    respond(status.ok_or_else(missing))
}

async fn task(State(coordinator): Handle, body: Body) -> Response {
    let request = parse::<TaskRequest>(body);
    respond(request.map(|request| -> TaskAnswer { coordinator.assign(&request.worker) }))
}

async fn heartbeat(State(coordinator): Handle, body: Body) -> Response {
    let id = parse::<AttemptId>(body);
    respond(id.map(|id| Needed { needed: coordinator.heard(id) }))
}

async fn report(State(coordinator): Handle, body: Body) -> Response {
    let report = match parse(body) {
        Ok(report) => report,
        Err(refusal) => return respond(Err::<(), _>(refusal)),
    };
    let counts = apart(move || coordinator.report(report)).await;
    respond(counts.map(|needed| Needed { needed }))
}

/// Does what waits for the disk on a thread of its own.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Refusal::new(ErrorCode::Internal, error.to_string()))
}

fn parse<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    let bad = |message| Refusal::new(ErrorCode::BadRequest, message);
    let body = body.map_err(|rejection| bad(rejection.body_text()))?;
    serde_json::from_slice(&body)
        .map_err(|error| bad(format!("the body is not as expected: {error}")))
}

fn not_found(message: String) -> Refusal {
    Refusal::new(ErrorCode::NotFound, message)
}

fn respond<T: Serialize>(result: Result<T, Refusal>) -> Response {
    match result {
        Ok(value) => Json(Answer::Ok(value)).into_response(),
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.code.status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Json(Answer::<T>::Error(refusal))).into_response()
        }
    }
}
