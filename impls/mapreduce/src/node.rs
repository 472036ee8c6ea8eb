//! A node: how it starts, what it listens to, how it ends.

use std::{fs, future::Future, io, path::Path, process, sync::Arc, thread, time::Duration};

use axum::Router;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

use crate::{
    app::Apps,
    client::Client,
    coordinator::{self, Coordinator},
    failure::Failure,
    files,
    launch::{Launch, Role},
    worker::{self, Worker},
};

/// A request to the coordinator takes no longer than this, or half of `DS_TASK_MS` if that is less.
const REQUEST_MAX: Duration = Duration::from_secs(5);
/// Nor is it given up earlier than this.
const REQUEST_MIN: Duration = Duration::from_millis(400);

/// Runs a node until SIGTERM or SIGINT, or until stdin closes if it is guarded. It logs to stderr.
///
/// # Errors
/// Why it could not start, or why it ended.
pub fn run(launch: &Launch, apps: Apps) -> Result<(), String> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
    if let Some(folder) = launch.guard.clone() {
        thread::spawn(move || watch_parent(&folder));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))?;
    let result = runtime.block_on(serve(launch, apps));
    // A task that still runs is not waited for.
    runtime.shutdown_background();
    worker::remove_scratch(&launch.data);
    result
}

async fn serve(launch: &Launch, apps: Apps) -> Result<(), String> {
    let signalled = signalled().map_err(|error| format!("cannot watch for signals: {error}"))?;
    let listener = TcpListener::bind(launch.listen).await.map_err(|error| {
        format!("DS_LISTEN={}: cannot bind: {error}; choose a free address", launch.listen)
    })?;
    let router = start(launch, apps).map_err(|failure| failure.to_string())?;
    tracing::info!("{} listens at {}", launch.node, launch.listen);
    tokio::select! {
        served = axum::serve(listener, router) => served.map_err(|error| format!("cannot serve: {error}")),
        () = signalled => Ok(()),
    }
}

/// Starts what the node is for. Returns the requests that it takes.
fn start(launch: &Launch, apps: Apps) -> Result<Router, Failure> {
    for folder in [&launch.shared, &launch.data] {
        fs::create_dir_all(folder).map_err(Failure::file("create the folder", folder))?;
    }
    let Role::Worker(address) = launch.role else {
        let coordinator = Coordinator::new(apps, launch.shared.clone(), launch.task_ms)?;
        return Ok(coordinator::router(Arc::new(coordinator)));
    };
    let limit = Duration::from_millis(launch.task_ms / 2).clamp(REQUEST_MIN, REQUEST_MAX);
    let worker = Arc::new(Worker::new(apps, launch, Client::new(address, limit))?);
    tokio::spawn(worker.clone().work());
    Ok(worker::router(worker))
}

/// Ends when the process is asked to.
pub fn signalled() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ends the process when whoever started it is gone, however that ended: then its end of the pipe closes.
fn watch_parent(folder: &Path) {
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    // Another node may write there until it sees the same. The last one leaves nothing.
    let removed = (0..10).any(|_| files::remove_folder(folder).is_ok());
    if !removed {
        tracing::warn!("cannot remove {}", folder.display());
    }
    process::exit(1);
}
