//! The API of MapReduce: what is asked of its coordinator, what it answers, and how the outputs look.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The path at which jobs are started, and below which each is asked for by its name.
pub const JOBS_PATH: &str = "/v1/jobs";
/// The path of one job, as the reference writes it.
pub const JOB_PATH: &str = "/v1/jobs/{job}";

/// `DS_TASK_MS` where it is not set.
pub const TASK_MS: u64 = 10_000;

/// The id of the coordinator that the bench starts.
pub const COORDINATOR: &str = "c1";

/// The application that counts words.
pub const WORDCOUNT: &str = "wordcount";
/// The application that says in which documents each word is.
pub const INDEX: &str = "index";

/// The body of `POST /v1/jobs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    /// The application's name.
    pub app: String,
    /// Paths of the documents.
    pub inputs: Vec<String>,
    /// The number of reduce tasks, and of outputs.
    pub reducers: u32,
}

/// The result of `POST /v1/jobs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobAnswer {
    /// The job's name, such as `j1`.
    pub job: String,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Map tasks are not all done.
    Map,
    /// Reduce tasks are not all done.
    Reduce,
    /// Every output is in its place.
    Done,
    /// It was given up.
    Failed,
}

/// Tasks of a phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Done ones.
    pub done: u32,
    /// All.
    pub total: u32,
}

/// The result of `GET /v1/jobs/j1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobStatus {
    /// How far it is.
    pub state: State,
    /// Map tasks.
    #[serde(default)]
    pub map: Progress,
    /// Reduce tasks.
    #[serde(default)]
    pub reduce: Progress,
    /// The paths of all outputs, once it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Vec<String>>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl JobAnswer {
    /// Reads the result of `POST /v1/jobs`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(result: &Value) -> Result<Self, String> {
        let answer = Self::deserialize(result)
            .map_err(|error| format!("the result is no job's name in `job`: {error}"))?;
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let fits = (1..=64).contains(&answer.job.len()) && answer.job.chars().all(is_plain);
        match fits {
            true => Ok(answer),
            false => {
                Err("the job's name is not 1 to 64 letters, digits, `-`, `_` or `.`".to_owned())
            }
        }
    }
}

impl JobStatus {
    /// Reads the result of `GET /v1/jobs/j1`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(result: &Value) -> Result<Self, String> {
        let status = Self::deserialize(result)
            .map_err(|error| format!("the result is no status of a job: {error}"))?;
        match (status.state, &status.outputs) {
            (State::Done, None) => Err("the job is done, and `outputs` is missing".to_owned()),
            _ => Ok(status),
        }
    }
}

/// A field of a request or an answer.
#[derive(Clone, Copy, Debug)]
pub struct JobField {
    /// Where it is.
    pub part: Part,
    /// Its name.
    pub name: &'static str,
    /// Its JSON type.
    pub kind: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub meaning: &'static str,
}

/// Of what a field is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Of the request that starts a job.
    Request,
    /// Of its answer.
    Answer,
    /// Of a job's status.
    Status,
}

/// Every field.
pub const FIELDS: [JobField; 9] = [
    field(Part::Request, "app", "string", "the application: `wordcount` or `index`"),
    field(
        Part::Request,
        "inputs",
        "array",
        "the paths of the documents; each is there as long as the job runs",
    ),
    field(Part::Request, "reducers", "integer", "the number of reduce tasks, from 1 to 1000"),
    field(
        Part::Answer,
        "job",
        "string",
        "the job's name: up to 64 letters, digits, `-`, `_` and `.`",
    ),
    field(Part::Status, "state", "string", "`map`, `reduce`, `done` or `failed`"),
    optional(
        "map",
        "object",
        "how many map tasks there are (`total`) and how many are done (`done`)",
    ),
    optional("reduce", "object", "the same of reduce tasks"),
    optional(
        "outputs",
        "array",
        "needed once it is done: the paths of the outputs, in `DS_SHARED`",
    ),
    optional("error", "string", "why it failed"),
];

const fn field(
    part: Part,
    name: &'static str,
    kind: &'static str,
    meaning: &'static str,
) -> JobField {
    JobField { part, name, kind, required: true, meaning }
}

const fn optional(name: &'static str, kind: &'static str, meaning: &'static str) -> JobField {
    JobField { required: false, ..field(Part::Status, name, kind, meaning) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_travels_as_the_contract_writes_it() {
        let request =
            json!(JobRequest { app: INDEX.to_owned(), inputs: vec!["/a".to_owned()], reducers: 2 });
        let answer = json!({ "job": "j1" });
        let half = Progress { done: 1, total: 2 };
        let status = JobStatus {
            state: State::Done,
            map: half,
            reduce: half,
            outputs: Some(vec!["/o".to_owned()]),
            error: Some("why".to_owned()),
        };
        assert_eq!(JobAnswer::parse(&answer).unwrap().job, "j1");
        assert_eq!(JobStatus::parse(&json!(status)), Ok(status.clone()));
        for field in FIELDS {
            let of = match field.part {
                Part::Request => &request,
                Part::Answer => &answer,
                Part::Status => &json!(status),
            };
            assert!(of.get(field.name).is_some(), "{}", field.name);
        }
        assert!(JobStatus::parse(&json!({ "state": "map" })).is_ok());
    }

    #[test]
    fn what_is_no_answer_is_refused_with_what_is_wrong() {
        for (result, complaint) in [
            (json!({ "state": "finished" }), "finished"),
            (json!({ "state": "done" }), "`outputs` is missing"),
            (json!({ "state": "done", "outputs": [7] }), "no status"),
            (json!({ "state": "map", "map": { "done": -1, "total": 2 } }), "no status"),
        ] {
            let error = JobStatus::parse(&result).unwrap_err();
            assert!(error.contains(complaint), "{result}: {error}");
        }
        for name in ["", "../x", "a b", &"j".repeat(65)] {
            assert!(JobAnswer::parse(&json!({ "job": name })).is_err(), "{name}");
        }
        assert!(JobAnswer::parse(&json!({ "id": "j1" })).unwrap_err().contains("`job`"));
    }
}
