//! The coordinator: jobs come in, tasks go out, and the outputs of attempts that count get their places.
//!
//! All of its state is in memory. A coordinator that is killed loses its jobs, as in the paper (section 3.3): whoever waits
//! for one gets status 404 from the next coordinator, and starts it again.

pub mod rules;
mod server;

pub use server::router;

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use crate::{
    app::Apps,
    failure::Failure,
    files,
    split::{self, Split},
    wire::{AttemptId, Report, Task, TaskAnswer, Work},
};
use contract::{
    ErrorCode, Refusal,
    mapreduce::{JobRequest, JobStatus, State},
};
use rules::{Assignment, Phase, Rules, TaskId};

/// The most reduce tasks of a job: each map task writes a file for each of them.
pub const REDUCERS_MAX: u32 = 1000;

/// A coordinator.
pub struct Coordinator {
    apps: Apps,
    shared: PathBuf,
    task_ms: u64,
    /// Tells this life of the coordinator from all others.
    life: u64,
    start: Instant,
    books: Mutex<Books>,
}

/// What it knows of its jobs.
struct Books {
    rules: Rules,
    plans: BTreeMap<u64, Plan>,
}

/// What a job is about.
struct Plan {
    app: String,
    splits: Vec<Split>,
    reducers: u32,
    /// The name of the folder of its temporary files, until the job ends.
    folder: Option<String>,
}

impl Coordinator {
    /// A coordinator without jobs. What an earlier one left unfinished in the shared folder is removed.
    ///
    /// # Errors
    /// The shared folder cannot be used.
    pub fn new(apps: Apps, shared: PathBuf, task_ms: u64) -> Result<Self, Failure> {
        files::remove_lost_jobs(&shared)?;
        let rules = Rules::new(task_ms, files::next_job(&shared)?);
        let books = Mutex::new(Books { rules, plans: BTreeMap::new() });
        Ok(Self { apps, shared, task_ms, life: life(), start: Instant::now(), books })
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// What was written into the books is whole even if a thread died with them in its hand.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a job. Returns its number.
    ///
    /// # Errors
    /// The request makes no sense, an input cannot be read, or there is no folder for the job.
    pub fn submit(&self, request: JobRequest) -> Result<u64, Refusal> {
        let bad = |message| Refusal::new(ErrorCode::BadRequest, message);
        let JobRequest { app, inputs, reducers } = request;
        self.apps.get(&app).map_err(bad)?;
        check(&inputs, reducers).map_err(bad)?;
        let splits = split::plan(&inputs, split::SPLIT_BYTES);
        let splits = splits.map_err(|failure| bad(failure.to_string()))?;
        let mut books = self.books();
        let folder = files::job_folder_name(self.life, books.rules.next_job());
        let path = self.shared.join(&folder);
        fs::create_dir(&path).map_err(|error| {
            let message = Failure::file("create the folder", &path)(error).to_string();
            Refusal::new(ErrorCode::Internal, message)
        })?;
        let job = books.rules.submit(splits.len(), reducers);
        tracing::info!("job j{job}: {app}, {} map tasks, {reducers} reduce tasks", splits.len());
        books.plans.insert(job, Plan { app, splits, reducers, folder: Some(folder) });
        Ok(job)
    }

    /// How far a job is; `None`: there is no such job.
    pub fn status(&self, job: u64) -> Option<JobStatus> {
        let books = self.books();
        let (state, error) = books.rules.state(job)?;
        let plan = books.plans.get(&job)?;
        let output = |reducer| self.output(job, reducer).display().to_string();
        Some(JobStatus {
            state,
            map: books.rules.progress(job, Phase::Map)?,
            reduce: books.rules.progress(job, Phase::Reduce)?,
            outputs: (state == State::Done).then(|| (0..plan.reducers).map(output).collect()),
            error: error.map(str::to_owned),
        })
    }

    fn output(&self, job: u64, reducer: u32) -> PathBuf {
        self.shared.join(files::output_name(job, reducer))
    }

    /// Something for a worker to do.
    pub fn assign(&self, worker: &str) -> TaskAnswer {
        let mut books = self.books();
        let assignment = books.rules.assign(worker, self.now_ms());
        let task = assignment.and_then(|assignment| self.describe(&books, assignment));
        match task {
            Some(task) => TaskAnswer::Task(Box::new(task)),
            None => TaskAnswer::WaitMs((self.task_ms / 20).clamp(5, 100)),
        }
    }

    fn describe(&self, books: &Books, assignment: Assignment) -> Option<Task> {
        let Assignment { attempt, task: TaskId { job, phase, number }, inputs } = assignment;
        let plan = books.plans.get(&job)?;
        let work = match phase {
            Phase::Map => {
                let split = plan.splits.get(number as usize)?.clone();
                Work::Map { number, split, reducers: plan.reducers }
            }
            Phase::Reduce => Work::Reduce { number, inputs },
        };
        Some(Task {
            id: AttemptId { life: self.life, attempt },
            app: plan.app.clone(),
            folder: plan.folder.clone()?,
            heartbeat_ms: (self.task_ms / 5).max(1),
            work,
        })
    }

    /// A worker still works on an attempt. Returns whether it should.
    pub fn heard(&self, id: AttemptId) -> bool {
        id.life == self.life && self.books().rules.heard(id.attempt, self.now_ms())
    }

    /// An attempt ended. Returns whether it counts.
    pub fn report(&self, report: Report) -> bool {
        let Report { id: AttemptId { life, attempt }, error } = report;
        if life != self.life {
            return false;
        }
        let mut books = self.books();
        let Some(task) = books.rules.open_task(attempt) else {
            return books.rules.finished(attempt, self.now_ms());
        };
        let ended = match error {
            Some(error) => Err(error),
            None => self.publish(task, attempt, &books).map_err(|failure| failure.to_string()),
        };
        let counts = match ended {
            Ok(()) => books.rules.finished(attempt, self.now_ms()),
            Err(error) => {
                tracing::warn!(
                    "j{}: {} task {}: {error}",
                    task.job,
                    task.phase.name(),
                    task.number
                );
                books.rules.failed(attempt, &error);
                false
            }
        };
        self.clean_up(task.job, books);
        counts
    }

    /// Gives the output of an attempt its place. This is where it is decided which attempt counts, so that it happens
    /// with the books in hand, and before anybody is told.
    fn publish(&self, task: TaskId, attempt: u64, books: &Books) -> Result<(), Failure> {
        let folder = books.plans.get(&task.job).and_then(|plan| plan.folder.as_ref());
        let (Phase::Reduce, Some(folder)) = (task.phase, folder) else { return Ok(()) };
        let name = files::attempt_output_name(task.number, attempt);
        let file = self.shared.join(folder).join(name);
        files::publish(&file, &self.output(task.job, task.number))
    }

    /// Removes what a job that has ended does not need: its temporary files, and outputs if it failed.
    fn clean_up(&self, job: u64, mut books: MutexGuard<'_, Books>) {
        let state = books.rules.state(job).map(|(state, _)| state);
        if !matches!(state, Some(State::Done | State::Failed)) {
            return;
        }
        let Some(plan) = books.plans.get_mut(&job) else { return };
        let Some(folder) = plan.folder.take() else { return };
        plan.splits = Vec::new();
        let reducers = plan.reducers;
        drop(books);
        tracing::info!("job j{job}: {state:?}");
        if state == Some(State::Failed) {
            let outputs: Vec<PathBuf> =
                (0..reducers).map(|number| self.output(job, number)).collect();
            files::remove_files(&outputs);
        }
        // A worker that was late may have put something there meanwhile.
        let path = self.shared.join(folder);
        if let Err(failure) = files::remove_folder(&path).or_else(|_| files::remove_folder(&path)) {
            tracing::warn!("{failure}");
        }
    }
}

fn check(inputs: &[String], reducers: u32) -> Result<(), String> {
    if !(1..=REDUCERS_MAX).contains(&reducers) {
        return Err(format!("`reducers` is {reducers}: expected 1 to {REDUCERS_MAX}"));
    }
    if inputs.is_empty() {
        return Err("`inputs` is empty: name at least one file".to_owned());
    }
    Ok(())
}

/// A number that no other coordinator of this folder has had.
fn life() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let since_us = u64::try_from(since.as_micros()).unwrap_or_default();
    since_us.wrapping_mul(1 << 12) ^ u64::from(process::id())
}
