//! A worker: it asks for a task, does it, says meanwhile that it lives, and reports.
//!
//! Whatever it writes has the number of its attempt in its name. So a worker that was paused for long may go on: nobody
//! looks at its files any more, and it removes them when it learns that its attempt does not count.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode, routing::get};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::{
    app::Apps,
    client::Client,
    failure::Failure,
    files,
    launch::Launch,
    task::{self, Place},
    wire::{AttemptId, Needed, Report, Task, TaskAnswer, TaskRequest, Work},
};

/// The pause after the coordinator could not be reached.
const PAUSE: Duration = Duration::from_millis(100);

/// How the folders of attempts start in the worker's own folder.
const SCRATCH: &str = "mr-attempt-";

/// A worker of one coordinator.
pub struct Worker {
    apps: Apps,
    node: String,
    shared: PathBuf,
    data: PathBuf,
    task_ms: u64,
    coordinator: Client,
    /// The coordinator has answered.
    ready: AtomicBool,
}

/// All requests that a worker takes.
pub fn router(worker: Arc<Worker>) -> Router {
    let ready = async move || {
        let ready = worker.ready.load(Ordering::Relaxed);
        if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
    };
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready))
}

impl Worker {
    /// A worker. What an earlier life left in its own folder is removed.
    ///
    /// # Errors
    /// Its folder cannot be used.
    pub fn new(apps: Apps, launch: &Launch, coordinator: Client) -> Result<Self, Failure> {
        let data = launch.data.clone();
        files::remove_folders(&data, SCRATCH)?;
        Ok(Self {
            apps,
            node: launch.node.clone(),
            shared: launch.shared.clone(),
            data,
            task_ms: launch.task_ms,
            coordinator,
            ready: AtomicBool::new(false),
        })
    }

    /// Does one task after the other, for ever.
    pub async fn work(self: Arc<Self>) {
        let request = TaskRequest { worker: self.node.clone() };
        loop {
            let answer = self.coordinator.post("/v1/task", &request).await;
            self.ready.fetch_or(answer.is_ok(), Ordering::Relaxed);
            match answer {
                Ok(TaskAnswer::Task(task)) => self.clone().attempt(*task).await,
                Ok(TaskAnswer::WaitMs(wait_ms)) => sleep(Duration::from_millis(wait_ms)).await,
                Err(reason) => {
                    tracing::debug!("no task from the coordinator: {reason}");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// Carries out an attempt and tells how it ended.
    async fn attempt(self: Arc<Self>, task: Task) {
        let (id, files) = (task.id, self.files(&task));
        tracing::debug!("attempt {}: {:?}", id.attempt, task.work);
        let error = match self.clone().watch(task).await {
            Ok(()) => None,
            Err(Failure::Stopped) => return files::remove_files(&files),
            Err(failure) => Some(failure.to_string()),
        };
        let failed = error.is_some();
        // Without an answer nobody knows whether the files count: they stay until the job ends.
        let needed = self.report(&Report { id, error }).await;
        if failed || needed == Some(false) {
            files::remove_files(&files);
        }
        if failed {
            // If somebody else is idle, they have the next try.
            sleep(PAUSE).await;
        }
    }

    /// Does the work on a thread of its own, and sends heartbeats meanwhile.
    async fn watch(self: Arc<Self>, task: Task) -> Result<(), Failure> {
        let (id, heartbeat) = (task.id, Duration::from_millis(task.heartbeat_ms.max(1)));
        let stop = Arc::new(AtomicBool::new(false));
        let (this, stopped) = (self.clone(), stop.clone());
        let mut work = tokio::task::spawn_blocking(move || this.carry_out(&task, &stopped));
        let mut beats = interval(heartbeat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                ended = &mut work => return ended.unwrap_or_else(|error| {
                    Err(Failure::App(panic_message(error)))
                }),
                _ = beats.tick() => {
                    if !self.beat(id, heartbeat).await {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    /// Says that it lives. Returns whether to go on; without an answer it does.
    async fn beat(&self, id: AttemptId, limit: Duration) -> bool {
        let answer = self.coordinator.post::<_, Needed>("/v1/heartbeat", &id);
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(Needed { needed })) => needed,
            _ => true,
        }
    }

    /// Reports until there is an answer. After `DS_TASK_MS` the coordinator has given the task away, or is gone.
    async fn report(&self, report: &Report) -> Option<bool> {
        let start = Instant::now();
        loop {
            match self.coordinator.post::<_, Needed>("/v1/report", report).await {
                Ok(Needed { needed }) => return Some(needed),
                Err(reason) if start.elapsed() > Duration::from_millis(self.task_ms) => {
                    tracing::warn!("attempt {} was not reported: {reason}", report.id.attempt);
                    return None;
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    fn carry_out(&self, task: &Task, stop: &AtomicBool) -> Result<(), Failure> {
        let app = self.apps.get(&task.app).map_err(|reason| {
            Failure::App(format!(
                "worker {}: {reason}; start it with the coordinator's program",
                self.node
            ))
        })?;
        let scratch = tempfile::Builder::new()
            .prefix(SCRATCH)
            .tempdir_in(&self.data)
            .map_err(Failure::file("create a folder in", &self.data))?;
        let place = Place { scratch: scratch.path(), stop };
        let files = self.files(task);
        match &task.work {
            Work::Map { split, reducers, .. } => {
                task::map(app, split, *reducers, |reducer| files[reducer as usize].clone(), &place)
            }
            Work::Reduce { number, inputs } => {
                let folder = self.shared.join(&task.folder);
                let input = |(map, attempt): (u32, &u64)| {
                    folder.join(files::intermediate_name(map, *attempt, *number))
                };
                let inputs = (0..).zip(inputs).map(input).collect();
                task::reduce(app, inputs, &files[0], &place)
            }
        }
    }

    /// The files that an attempt writes.
    fn files(&self, task: &Task) -> Vec<PathBuf> {
        let (folder, attempt) = (self.shared.join(&task.folder), task.id.attempt);
        match task.work {
            Work::Map { number, reducers, .. } => {
                let name = |reducer| files::intermediate_name(number, attempt, reducer);
                (0..reducers).map(|reducer| folder.join(name(reducer))).collect()
            }
            Work::Reduce { number, .. } => {
                vec![folder.join(files::attempt_output_name(number, attempt))]
            }
        }
    }
}

/// Removes what attempts that were cut short have left in a worker's own folder.
pub fn remove_scratch(data: &Path) {
    // If not now, the next start does it.
    let _ = files::remove_folders(data, SCRATCH);
}

/// What a function of the application panicked with.
fn panic_message(error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "the task was cut short".to_owned() };
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the app panicked: {}", text.unwrap_or("without a message"))
}
