//! What workers and the coordinator say to each other. What clients of the coordinator say is in `contract::mapreduce`.

use contract::Refusal;
use serde::{Deserialize, Serialize};

use crate::split::Split;

/// `POST /v1/task`: a worker asks for work.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskRequest {
    /// The worker's id.
    pub worker: String,
}

/// Its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskAnswer {
    /// There is nothing to do: ask again after so many milliseconds.
    WaitMs(u64),
    /// This is to be done.
    Task(Box<Task>),
}

/// One attempt at a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Which attempt it is.
    pub id: AttemptId,
    /// The application's name.
    pub app: String,
    /// The name of the job's folder within the shared one.
    pub folder: String,
    /// How often the worker says that it works on it.
    pub heartbeat_ms: u64,
    /// What is to be done.
    pub work: Work,
}

/// The work of a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A map task.
    Map {
        /// Its number.
        number: u32,
        /// Its text.
        split: Split,
        /// The number of reduce tasks.
        reducers: u32,
    },
    /// A reduce task.
    Reduce {
        /// Its number.
        number: u32,
        /// The attempt of each map task that counts.
        inputs: Vec<u64>,
    },
}

/// An attempt, and whose it is: numbers begin anew with each life of a coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptId {
    /// The coordinator's life.
    pub life: u64,
    /// The attempt's number.
    pub attempt: u64,
}

/// `POST /v1/report`: an attempt ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Which one.
    pub id: AttemptId,
    /// Why it failed; `None`: it finished.
    #[serde(default)]
    pub error: Option<String>,
}

/// The answer to a report and to `POST /v1/heartbeat`, whose body is an [`AttemptId`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Needed {
    /// Whether the attempt goes on, or counts. If not, its files are for its worker to remove.
    pub needed: bool,
}

/// Every answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer<T> {
    /// What was asked for.
    Ok(T),
    /// Why there is nothing.
    Error(Refusal),
}
