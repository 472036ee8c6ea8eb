//! The smallest store that speaks the contract: one node, in memory, exactly once. It forgets everything when it is
//! killed, so it is right only as long as nobody kills it.
//!
//! For the bench's own tests it also plays the part of hostile submissions: the first argument says how it misbehaves.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use contract::{Answer, Launch, Operation, Outcome, Request};
use kv::{ExactlyOnce, Store};
use node::Application;

type App = Arc<Mutex<ExactlyOnce<Store>>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let launch = Launch::from_lookup(|name| std::env::var(name).ok())?;
    let part = std::env::args().nth(1).unwrap_or_default();
    match part.as_str() {
        "exit" => {
            eprintln!("I do not feel like it");
            std::process::exit(7);
        }
        "mute" => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        "flood" => {
            std::thread::spawn(|| flood(1 << 30));
        }
        "daemon" => leave_a_daemon()?,
        "stubborn" => ignore_sigterm(),
        _ => {}
    }
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?
        .block_on(serve(launch, part))
}

async fn serve(launch: Launch, part: String) -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind(launch.listen).await?;
    if part == "not-http" {
        return shout(listener).await;
    }
    let app: App = Arc::default();
    let ready = if part == "unready" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let router = Router::new()
        .route("/healthz", get(|| async { StatusCode::OK }))
        .route("/readyz", get(move || async move { ready }))
        .route("/v1/op", post(move |Json(request): Json<Request>| respond(app, part, request)));
    axum::serve(listener, router).await?;
    Ok(())
}

async fn respond(app: App, part: String, request: Request) -> Response {
    match part.as_str() {
        "garbage" => return (StatusCode::OK, "<html>hello \u{1b}[31mred</html>").into_response(),
        "redirect" => {
            return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "http://127.0.0.1:1/")])
                .into_response();
        }
        "wrong-shape" => return Json(serde_json::json!({ "ok": { "valeu": 3 } })).into_response(),
        _ => {}
    }
    if let ("key-by-key", Operation::MultiGet { keys }) = (part.as_str(), &request.op) {
        return Json(Answer::Ok(key_by_key(&app, keys).await)).into_response();
    }
    let answer: Answer = app.lock().unwrap_or_else(PoisonError::into_inner).apply(&request);
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(answer)).into_response()
}

/// Each key in a moment of its own: other clients write in between.
async fn key_by_key(app: &App, keys: &[String]) -> Outcome {
    let mut values = BTreeMap::new();
    for key in keys {
        let value = {
            let store = app.lock().unwrap_or_else(PoisonError::into_inner);
            store.application().get(key).map(str::to_owned)
        };
        values.insert(key.clone(), value);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Outcome::Values { values }
}

/// Something that listens but does not speak HTTP.
async fn shout(listener: tokio::net::TcpListener) -> Result<(), Box<dyn std::error::Error>> {
    loop {
        let (mut socket, _) = listener.accept().await?;
        tokio::io::AsyncWriteExt::write_all(&mut socket, b"HELO I am not HTTP\r\n").await?;
    }
}

fn flood(bytes: usize) {
    use std::io::Write;
    let line = [b'x'; 1 << 16];
    let mut out = std::io::stdout().lock();
    for _ in 0..bytes / line.len() {
        if out.write_all(&line).is_err() {
            return;
        }
    }
}

/// A grandchild in a session of its own, which ignores SIGTERM and outlives its parent.
fn leave_a_daemon() -> std::io::Result<()> {
    std::process::Command::new("sh")
        .args(["-c", "(trap '' TERM; setsid sleep 3600 >/dev/null 2>&1 </dev/null &) ; true"])
        .status()
        .map(drop)
}

#[allow(unsafe_code)]
fn ignore_sigterm() {
    // SAFETY: SIG_IGN is a valid disposition and no handler of this program is replaced.
    unsafe {
        libc::signal(libc::SIGTERM, libc::SIG_IGN);
    }
}
