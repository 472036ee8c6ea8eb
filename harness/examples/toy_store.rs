//! The smallest store that speaks the contract: one node that keeps everything in memory. It loses its data when it is
//! killed, so it passes only the runs in which nobody kills it.
//!
//! Read `main`, `serve` and `answer`: that is all a store needs. The bench's own tests also use this program as a broken
//! store; the first argument then names one of the flaws at the end of the file.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use contract::{Answer, Launch, Request};
use kv::{ExactlyOnce, Store};
use node::Application;

type SharedStore = Arc<Mutex<ExactlyOnce<Store>>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let launch = Launch::from_lookup(|name| std::env::var(name).ok())?;
    let flaw = std::env::args().nth(1).unwrap_or_default();
    flaws::at_start(&flaw)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(serve(launch, flaw))
}

async fn serve(launch: Launch, flaw: String) -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind(launch.listen).await?;
    if flaw == "not-http" {
        return flaws::speak_no_http(listener).await;
    }
    let store = SharedStore::default();
    let shown = flaws::shown(&flaw, &launch.node);
    let never_ready = flaw == "unready" || flaw == "unready-again" && launch.restart;
    let ready = if never_ready { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let operation = async move |Json(request): Json<Request>| match flaws::answer(
        &flaw, &store, &request,
    )
    .await
    {
        Some(wrong) => wrong,
        None => answer(&store, &request),
    };
    let router = Router::new()
        .route("/healthz", get(async || StatusCode::OK))
        .route("/readyz", get(async move || ready))
        .route("/v1/op", post(operation))
        .merge(shown);
    axum::serve(listener, router).await?;
    Ok(())
}

/// Carries out one request, unless the client has sent it before: then it gets the same answer again.
fn answer(store: &SharedStore, request: &Request) -> Response {
    let answer: Answer = store.lock().unwrap_or_else(PoisonError::into_inner).apply(request);
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(answer)).into_response()
}

/// What a store must not do.
mod flaws {
    use std::{
        collections::BTreeMap,
        error::Error,
        io,
        sync::{
            Arc, Mutex, PoisonError,
            atomic::{AtomicU64, Ordering},
        },
        time::Duration,
    };

    use axum::{
        Json, Router,
        http::{StatusCode, header},
        response::{IntoResponse, Response},
        routing::get,
    };
    use contract::{Answer, ErrorCode, Launch, Operation, Outcome, Refusal, Request};
    use kv::Store;
    use node::Application;
    use serde_json::json;
    use tokio::{io::AsyncWriteExt, net::TcpListener, time};

    use super::SharedStore;

    /// The flaws that show before a store serves anything.
    pub(super) fn at_start(flaw: &str) -> io::Result<()> {
        match flaw {
            "exit" => {
                eprintln!("I do not feel like it");
                std::process::exit(7);
            }
            "mute" => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            "flood" => drop(std::thread::spawn(|| flood(1 << 30))),
            "daemon" => leave_a_daemon()?,
            "stubborn" => ignore_sigterm(),
            _ => {}
        }
        Ok(())
    }

    /// What a store with this flaw shows of itself: each node takes itself for the leader, and its log for the only one; it promises
    /// less each time.
    pub(super) fn shown(flaw: &str, node: &str) -> Router {
        let (status, log) = match flaw {
            "own-log" => (
                json!({ "role": "leader", "term": 7, "promised": 1_000_000, "commit": 1 }),
                json!({ "entries": [{ "slot": 1, "value": format!("the first of {node}") }] }),
            ),
            "odd-log" => (
                json!({ "role": [], "term": -1, "promised": "all", "voted": 5, "commit": 3 }),
                json!({ "entries": [{ "slot": -1, "value": 5 }] }),
            ),
            _ => return Router::new(),
        };
        let asked = Arc::new(AtomicU64::new(0));
        let answer = move || {
            let mut status = status.clone();
            if let Some(promised) = status["promised"].as_u64() {
                status["promised"] = (promised - asked.fetch_add(1, Ordering::Relaxed)).into();
            }
            std::future::ready(Json(status))
        };
        Router::new().route("/v1/status", get(answer)).route("/v1/log", get(async || Json(log)))
    }

    /// The answer of a store with this flaw; `None` where the right one is given.
    pub(super) async fn answer(
        flaw: &str,
        store: &SharedStore,
        request: &Request,
    ) -> Option<Response> {
        let elsewhere = [(header::LOCATION, "http://127.0.0.1:1/")];
        if flaw == "front" {
            return hand_on(request).await;
        }
        let response = match (flaw, &request.op) {
            ("slow", _) => {
                time::sleep(Duration::from_millis(700)).await;
                return None;
            }
            ("crash", _) if SERVED.fetch_add(1, Ordering::Relaxed) == 500 => {
                eprintln!("out of ideas");
                std::process::exit(3);
            }
            ("late", read) if read.is_read_only() => Json(late(store, read)).into_response(),
            ("twice", _) => super::answer(store, &as_if_new(request)),
            ("garbage", _) => (StatusCode::OK, "<html>hello \u{1b}[31mred</html>").into_response(),
            ("redirect", _) => (StatusCode::TEMPORARY_REDIRECT, elsewhere).into_response(),
            ("wrong-shape", _) => Json(json!({ "ok": { "valeu": 3 } })).into_response(),
            ("idle", _) if !SERVED.fetch_add(1, Ordering::Relaxed).is_multiple_of(100) => aborted(),
            ("choosy", _) if !FAVOURITES.contains(&request.client.as_str()) => aborted(),
            ("hoard", _) => {
                hoard(request).ok()?;
                return None;
            }
            ("key-by-key", Operation::MultiGet { keys }) => {
                Json(Answer::Ok(key_by_key(store, keys).await)).into_response()
            }
            _ => return None,
        };
        Some(response)
    }

    /// An answer to a read from a state that was complete, but is not the newest any more.
    fn late(store: &SharedStore, read: &Operation) -> Answer {
        static OLD: Mutex<Option<(Store, u64)>> = Mutex::new(None);
        let mut old = OLD.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut state, served) =
            old.take().filter(|(_, served)| *served < 30).unwrap_or_else(|| {
                let store = store.lock().unwrap_or_else(PoisonError::into_inner);
                (store.application().clone(), 0)
            });
        let answer = state.apply(read);
        *old = Some((state, served + 1));
        answer
    }

    /// The request of a client that was never seen before: what comes again is executed again.
    fn as_if_new(request: &Request) -> Request {
        let client = format!("{}.{}", request.client, SERVED.fetch_add(1, Ordering::Relaxed));
        Request { client, ..request.clone() }
    }

    /// How many requests came.
    static SERVED: AtomicU64 = AtomicU64::new(0);
    /// The first of four clients, and the one that sets up and reads last.
    const FAVOURITES: [&str; 2] = ["c0", "c4"];

    fn aborted() -> Response {
        refused(ErrorCode::Aborted, StatusCode::CONFLICT)
    }

    fn refused(code: ErrorCode, status: StatusCode) -> Response {
        let refusal = Refusal { code, message: String::new(), hint: None };
        (status, Json(Answer::Error(refusal))).into_response()
    }

    /// Lets n1 do all the work; n1 itself finds no such peer.
    async fn hand_on(request: &Request) -> Option<Response> {
        let launch = Launch::from_lookup(|name| std::env::var(name).ok()).ok()?;
        let n1 = launch.peers.get("n1")?;
        let body = serde_json::to_vec(request).ok()?;
        let client = http_client::client(Duration::from_millis(400), 0);
        let post =
            client.post(format!("http://{n1}/v1/op")).header("content-type", "application/json");
        let answered = match http_client::send(post.body(body)).await {
            Ok(response) => {
                let status = response.status();
                http_client::read(response, 1 << 20).await.ok().map(|body| (status, body))
            }
            Err(_) => None,
        };
        Some(match answered {
            Some(answer) => answer.into_response(),
            None => refused(ErrorCode::Timeout, StatusCode::GATEWAY_TIMEOUT),
        })
    }

    /// Adds the request to a log that nobody ever shortens.
    fn hoard(request: &Request) -> io::Result<()> {
        use io::Write;
        let folder = std::env::var("DS_DATA").map_err(io::Error::other)?;
        let path = std::path::Path::new(&folder).join("log");
        let mut log = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        log.write_all(&serde_json::to_vec(request)?)
    }

    /// Reads one key after the other instead of all at once: other clients write in between.
    async fn key_by_key(store: &SharedStore, keys: &[String]) -> Outcome {
        let mut values = BTreeMap::new();
        for key in keys {
            let value = {
                let store = store.lock().unwrap_or_else(PoisonError::into_inner);
                store.application().get(key).map(str::to_owned)
            };
            values.insert(key.clone(), value);
            time::sleep(Duration::from_millis(2)).await;
        }
        Outcome::Values { values }
    }

    /// Accepts connections but speaks another protocol.
    pub(super) async fn speak_no_http(listener: TcpListener) -> Result<(), Box<dyn Error>> {
        loop {
            let (mut socket, _) = listener.accept().await?;
            socket.write_all(b"HELO I am not HTTP\r\n").await?;
        }
    }

    /// Writes so much to stdout that it would fill a disk.
    fn flood(bytes: usize) {
        use std::io::Write;
        let line = [b'x'; 1 << 16];
        let mut out = io::stdout().lock();
        for _ in 0..bytes / line.len() {
            if out.write_all(&line).is_err() {
                return;
            }
        }
    }

    /// Leaves a process behind that ignores SIGTERM and belongs to no group of this one.
    fn leave_a_daemon() -> io::Result<()> {
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
}
