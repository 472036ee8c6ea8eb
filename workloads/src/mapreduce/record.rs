//! What is recorded of jobs.

use history::Operation;
use serde::{Deserialize, Serialize};

/// A job, as a client starts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The application's name.
    pub app: String,
    /// The number of reduce tasks.
    pub reducers: u32,
    /// The inputs.
    pub documents: Vec<Document>,
}

/// An input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its path.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Its name.
    pub job: String,
    /// How.
    #[serde(flatten)]
    pub end: End,
}

/// The ends that a job can have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum End {
    /// It is done, and these were its outputs.
    Done {
        /// All of them.
        outputs: Vec<Output>,
    },
    /// It was given up.
    Failed {
        /// Why.
        error: String,
    },
    /// The coordinator does not know it any more.
    Forgotten,
}

/// An output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Its path, as it was told.
    pub path: String,
    /// What was there.
    #[serde(flatten)]
    pub content: Content,
}

/// What was found at the path of an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// This text.
    Text(String),
    /// Nothing that can be read: why.
    Trouble(String),
}

/// Which outputs are read once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadAgain {
    /// The name of the job.
    pub job: String,
    /// The event at which it was started.
    pub of: u64,
}

/// What was found then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Again {
    /// The same bytes as before.
    Unchanged,
    /// These outputs.
    Changed(Vec<Output>),
}

/// Reads what was recorded.
///
/// # Errors
/// What in the record is not of this workload.
pub(super) fn arguments<'a, T: Deserialize<'a>>(operation: &'a Operation) -> Result<T, String> {
    T::deserialize(&operation.arguments).map_err(|error| foreign(operation, &error))
}

/// The result of an operation; `None` where it has none.
///
/// # Errors
/// What in the record is not of this workload.
pub(super) fn result<'a, T: Deserialize<'a>>(
    operation: &'a Operation,
) -> Result<Option<T>, String> {
    let result = operation.result().map(T::deserialize).transpose();
    result.map_err(|error| foreign(operation, &error))
}

fn foreign(operation: &Operation, error: &serde_json::Error) -> String {
    format!("{} is nothing that is recorded of jobs: {error}", history::words::who(operation))
}
