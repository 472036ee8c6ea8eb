//! What goes over HTTP: requests and answers of the coordinator.

use serde::{Deserialize, Serialize};

use crate::{
    coordinator::rules::{Progress, State},
    split::Split,
};

/// `POST /v1/jobs`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    /// The application's name.
    pub app: String,
    /// Paths of the documents.
    pub inputs: Vec<String>,
    /// The number of reduce tasks, and of outputs.
    pub reducers: u32,
}

/// Its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobAnswer {
    /// The job's name, such as `j1`.
    pub job: String,
}

/// The answer to `GET /v1/jobs/j1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobStatus {
    /// How far it is.
    pub state: State,
    /// Map tasks.
    pub map: Progress,
    /// Reduce tasks.
    pub reduce: Progress,
    /// The paths of all outputs, once it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Vec<String>>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

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

/// Why a request was refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// For people.
    pub message: String,
}

/// The kinds of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request is wrong: status 400.
    BadRequest,
    /// There is no such thing: status 404.
    NotFound,
    /// The coordinator cannot do its part: status 500.
    Internal,
}
