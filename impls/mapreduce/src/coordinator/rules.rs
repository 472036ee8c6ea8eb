//! The coordinator's rules (sections 3.2, 3.3 and 3.6): who gets which task, and which attempt counts.
//!
//! No clock, no network, no files: whoever calls says what time it is. A task is given out as an attempt with a number of
//! its own. Any number of attempts at a task may run, silent ones and late ones included: the first that finishes counts,
//! and all others are told that they do not.

use std::collections::{BTreeMap, BTreeSet};

use contract::mapreduce::{Progress, State};

/// A task that failed so often fails its job.
pub const FAILURES_MAX: usize = 3;

/// An attempt that takes so many times as long as tasks of its phase do on average is a straggler.
const STRAGGLER: u64 = 2;

/// The two halves of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Map tasks.
    Map,
    /// Reduce tasks: all map tasks are done.
    Reduce,
}

impl Phase {
    /// As in "map task 3".
    pub fn name(self) -> &'static str {
        match self {
            Self::Map => "map",
            Self::Reduce => "reduce",
        }
    }
}

/// One task of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskId {
    /// The job.
    pub job: u64,
    /// Its kind.
    pub phase: Phase,
    /// Counted from 0 within its phase.
    pub number: u32,
}

/// What a worker is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The number of this attempt; no other has it.
    pub attempt: u64,
    /// The task.
    pub task: TaskId,
    /// For a reduce task: the attempt that counts of each map task.
    pub inputs: Vec<u64>,
}

/// The coordinator's books.
#[derive(Debug)]
pub struct Rules {
    /// How long an attempt may be silent before its task is given to another worker.
    task_ms: u64,
    jobs: BTreeMap<u64, Job>,
    next_job: u64,
    /// Attempts at tasks of jobs that still run.
    attempts: BTreeMap<u64, Attempt>,
    next_attempt: u64,
    /// The latest attempt of each worker.
    latest: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Job {
    map: Stage,
    reduce: Stage,
    error: Option<String>,
}

/// The tasks of a phase.
#[derive(Debug)]
struct Stage {
    tasks: Vec<Task>,
    done: u32,
    /// What the attempts that count took together.
    spent_ms: u64,
}

#[derive(Clone, Debug, Default)]
struct Task {
    attempts: Vec<u64>,
    /// The attempt that counts.
    winner: Option<u64>,
    /// Who failed.
    failures: Vec<String>,
}

#[derive(Debug)]
struct Attempt {
    task: TaskId,
    worker: String,
    started_ms: u64,
    /// When its worker was last heard of; `None`: it has dropped the task.
    heard_ms: Option<u64>,
}

impl Rules {
    /// No jobs yet; the first one gets this number.
    pub fn new(task_ms: u64, first_job: u64) -> Self {
        Self {
            task_ms,
            jobs: BTreeMap::new(),
            next_job: first_job,
            attempts: BTreeMap::new(),
            next_attempt: 1,
            latest: BTreeMap::new(),
        }
    }

    /// The number that the next job will get.
    pub fn next_job(&self) -> u64 {
        self.next_job
    }

    /// A new job of so many tasks. Returns its number.
    pub fn submit(&mut self, maps: usize, reducers: u32) -> u64 {
        let job = self.next_job;
        self.next_job += 1;
        let (map, reduce) = (Stage::new(maps), Stage::new(reducers as usize));
        self.jobs.insert(job, Job { map, reduce, error: None });
        job
    }

    /// Something for a worker to do. One that asks works on nothing, so that it has dropped what it was given before.
    pub fn assign(&mut self, worker: &str, now_ms: u64) -> Option<Assignment> {
        let dropped = self.latest.get(worker).and_then(|attempt| self.attempts.get_mut(attempt));
        if let Some(dropped) = dropped {
            dropped.heard_ms = None;
        }
        let task = self.idle_task(worker, now_ms).or_else(|| self.straggler(worker, now_ms))?;
        let attempt = self.next_attempt;
        self.next_attempt += 1;
        let stage = self.jobs.get_mut(&task.job)?.stage_mut(task.phase);
        stage.tasks[task.number as usize].attempts.push(attempt);
        let heard_ms = Some(now_ms);
        let worker = worker.to_owned();
        self.latest.insert(worker.clone(), attempt);
        self.attempts.insert(attempt, Attempt { task, worker, started_ms: now_ms, heard_ms });
        Some(Assignment { attempt, task, inputs: self.inputs(task) })
    }

    /// A task that nobody works on, if there is one rather one that this worker has not failed.
    fn idle_task(&self, worker: &str, now_ms: u64) -> Option<TaskId> {
        let idle = |(_, task): &(TaskId, &Task)| self.live(task, now_ms).next().is_none();
        let new = |(_, task): &(TaskId, &Task)| !task.failures.iter().any(|name| name == worker);
        let first = self.open_tasks().filter(idle).find(new);
        first.or_else(|| self.open_tasks().find(idle)).map(|(id, _)| id)
    }

    /// The task of the attempt that runs for the longest, if that is a straggler without a backup task (section 3.6).
    /// Only jobs with nothing else to do have such: near the end of a phase.
    fn straggler(&self, worker: &str, now_ms: u64) -> Option<TaskId> {
        let alone = |(id, task): (TaskId, &Task)| {
            let mut live = self.live(task, now_ms);
            let attempt = live.next().filter(|attempt| attempt.worker != worker)?;
            live.next().is_none().then_some((attempt.started_ms, id))
        };
        let slow = |(started_ms, id): &(u64, TaskId)| {
            let patience_ms = self.jobs[&id.job].stage(id.phase).patience_ms(self.task_ms);
            now_ms.saturating_sub(*started_ms) >= patience_ms
        };
        self.open_tasks().filter_map(alone).filter(slow).min().map(|(_, id)| id)
    }

    /// The tasks of running phases that are not done.
    fn open_tasks(&self) -> impl Iterator<Item = (TaskId, &Task)> {
        let phases =
            self.jobs.iter().filter_map(|(job, books)| Some((*job, books, books.phase()?)));
        phases.flat_map(|(job, books, phase)| {
            let tasks = (0..).zip(&books.stage(phase).tasks);
            tasks
                .filter(|(_, task)| task.winner.is_none())
                .map(move |(number, task)| (TaskId { job, phase, number }, task))
        })
    }

    /// The attempts at a task of which there was news lately.
    fn live(&self, task: &Task, now_ms: u64) -> impl Iterator<Item = &Attempt> {
        let attempts = task.attempts.iter().filter_map(|attempt| self.attempts.get(attempt));
        attempts.filter(move |attempt| {
            attempt.heard_ms.is_some_and(|heard_ms| now_ms.saturating_sub(heard_ms) < self.task_ms)
        })
    }

    fn inputs(&self, task: TaskId) -> Vec<u64> {
        match task.phase {
            Phase::Map => Vec::new(),
            Phase::Reduce => {
                self.jobs[&task.job].map.tasks.iter().filter_map(|map| map.winner).collect()
            }
        }
    }

    /// A worker says that it still works on an attempt. `false`: it need not go on.
    pub fn heard(&mut self, attempt: u64, now_ms: u64) -> bool {
        let needed = self.open_task(attempt).is_some();
        if let Some(attempt) = self.attempts.get_mut(&attempt).filter(|_| needed) {
            attempt.heard_ms = Some(now_ms);
        }
        needed
    }

    /// The task of an attempt, as long as no attempt at it has finished.
    pub fn open_task(&self, attempt: u64) -> Option<TaskId> {
        let id = self.attempts.get(&attempt)?.task;
        self.task(id).winner.is_none().then_some(id)
    }

    /// An attempt finished. Returns whether it counts; asked again, the answer is the same until the job ends.
    pub fn finished(&mut self, attempt: u64, now_ms: u64) -> bool {
        let Some(books) = self.attempts.get(&attempt) else { return false };
        let (id, took_ms) = (books.task, now_ms.saturating_sub(books.started_ms));
        let winner = self.task(id).winner;
        if winner.is_some() {
            return winner == Some(attempt);
        }
        let Some(job) = self.jobs.get_mut(&id.job) else { return false };
        let stage = job.stage_mut(id.phase);
        stage.tasks[id.number as usize].winner = Some(attempt);
        stage.done += 1;
        stage.spent_ms += took_ms;
        if job.phase().is_none() {
            self.forget(id.job);
        }
        true
    }

    /// An attempt failed. Too many failures of a task fail its job, if no other attempt at it finished.
    pub fn failed(&mut self, attempt: u64, message: &str) {
        let Some(id) = self.open_task(attempt) else { return };
        let Some(Attempt { worker, .. }) = self.attempts.remove(&attempt) else { return };
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        let task = &mut job.stage_mut(id.phase).tasks[id.number as usize];
        task.failures.push(worker);
        if task.failures.len() < FAILURES_MAX {
            return;
        }
        let (workers, phase) = (task.failures.join(", "), id.phase.name());
        job.error = Some(format!(
            "{phase} task {} failed {FAILURES_MAX} times (workers {workers}), the last time with: {message}",
            id.number
        ));
        self.forget(id.job);
    }

    /// Attempts of a job that ended count no more.
    fn forget(&mut self, job: u64) {
        self.attempts.retain(|_, attempt| attempt.task.job != job);
        let running: BTreeSet<u64> = self.attempts.keys().copied().collect();
        self.latest.retain(|_, attempt| running.contains(attempt));
    }

    fn task(&self, id: TaskId) -> &Task {
        &self.jobs[&id.job].stage(id.phase).tasks[id.number as usize]
    }

    /// How far a job is, with why it failed; `None`: there is no such job.
    pub fn state(&self, job: u64) -> Option<(State, Option<&str>)> {
        let job = self.jobs.get(&job)?;
        let state = match (job.phase(), &job.error) {
            (_, Some(_)) => State::Failed,
            (Some(Phase::Map), _) => State::Map,
            (Some(Phase::Reduce), _) => State::Reduce,
            (None, _) => State::Done,
        };
        Some((state, job.error.as_deref()))
    }

    /// How many tasks of a phase are done.
    pub fn progress(&self, job: u64, phase: Phase) -> Option<Progress> {
        let stage = self.jobs.get(&job)?.stage(phase);
        let total = u32::try_from(stage.tasks.len()).unwrap_or(u32::MAX);
        Some(Progress { done: stage.done, total })
    }
}

impl Job {
    /// The phase whose tasks are given out; `None`: the job has ended.
    fn phase(&self) -> Option<Phase> {
        if self.error.is_some() {
            return None;
        }
        [Phase::Map, Phase::Reduce].into_iter().find(|phase| !self.stage(*phase).is_done())
    }

    fn stage(&self, phase: Phase) -> &Stage {
        match phase {
            Phase::Map => &self.map,
            Phase::Reduce => &self.reduce,
        }
    }

    fn stage_mut(&mut self, phase: Phase) -> &mut Stage {
        match phase {
            Phase::Map => &mut self.map,
            Phase::Reduce => &mut self.reduce,
        }
    }
}

impl Stage {
    fn new(tasks: usize) -> Self {
        Self { tasks: vec![Task::default(); tasks], done: 0, spent_ms: 0 }
    }

    fn is_done(&self) -> bool {
        self.done as usize == self.tasks.len()
    }

    /// How long an attempt may take before it is a straggler.
    fn patience_ms(&self, task_ms: u64) -> u64 {
        let mean_ms = self.spent_ms.checked_div(u64::from(self.done));
        mean_ms.map_or(task_ms, |mean_ms| task_ms.min(mean_ms * STRAGGLER))
    }
}

#[cfg(test)]
mod tests;
