//! A client of MapReduce: it starts jobs one after the other, waits for their ends, reads their outputs, and records all of it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use contract::{
    ErrorCode, NodeId, Refusal,
    launch::MapReduce,
    mapreduce::{JOBS_PATH, JobAnswer, JobRequest, JobStatus, State},
};
use history::EventKind;
use serde_json::{Value, json};
use tokio::time::sleep;
use workloads::mapreduce::{Again, End, Ended, JOB, Job, Jobs, Output, READ, ReadAgain};

use super::{
    Shared,
    connection::{AttemptResult, Connections, get, post},
    outputs,
    waits::Waits,
};
use crate::exit::Failure;

/// From one question how far a job is to the next.
const POLL: Duration = Duration::from_millis(40);
/// The folder of the inputs, in the shared one.
const INPUTS: &str = "in";

/// A client with one job at a time.
pub struct Submitter {
    shared: Arc<Shared>,
    connections: Connections,
    process: u64,
    coordinator: NodeId,
    /// `DS_SHARED`.
    place: PathBuf,
    jobs: Jobs,
    waits: Arc<Waits>,
    finished: Vec<Finished>,
}

/// A job that is done.
struct Finished {
    /// The event at which it was started.
    call: u64,
    job: String,
    outputs: Vec<Output>,
}

/// Why nobody knows how a job ended.
struct InDoubt(String);

impl Submitter {
    /// The client with this number, which has started nothing yet.
    ///
    /// # Errors
    /// There is no folder for its inputs.
    pub fn new(
        shared: Arc<Shared>,
        mapreduce: &MapReduce,
        seed: u64,
        number: u32,
        waits: Arc<Waits>,
    ) -> Result<Self, Failure> {
        let place = mapreduce.shared.clone();
        let inputs = place.join(INPUTS);
        std::fs::create_dir_all(&inputs)?;
        Ok(Self {
            connections: Connections::new(shared.addresses.clone()),
            process: u64::from(number),
            coordinator: mapreduce.coordinator.clone(),
            jobs: Jobs::new(seed, number, inputs.display().to_string()),
            place,
            waits,
            finished: Vec::new(),
            shared,
        })
    }

    /// How long it rests before the next job.
    pub fn rest(&mut self) -> Duration {
        Duration::from_millis(self.jobs.rest_ms())
    }

    /// One job, from its start to its outputs.
    pub async fn job(&mut self) {
        let Some(job) = self.jobs.next() else { return };
        if let Err(error) = write_documents(&job).await {
            let how = format!("the inputs of a job could not be written: {error}");
            self.shared.stream.mark(&record::Mark::Hindered(how));
            return;
        }
        let call = self.record(EventKind::Invoke, JOB, json!(job), None);
        match self.carry_out(&job).await {
            Ok(ended) => {
                self.record(EventKind::Ok, JOB, json!(ended), None);
                if let Ended { job, end: End::Done { outputs } } = ended {
                    self.shared.succeeded_at(&self.coordinator, true);
                    self.finished.push(Finished { call, job, outputs });
                }
            }
            Err(InDoubt(reason)) => {
                self.record(EventKind::Info, JOB, Value::Null, Some(reason));
                self.process += self.shared.clerks;
                self.connections.close();
            }
        }
    }

    /// Reads the outputs of all jobs that are done once more.
    pub async fn read_again(&mut self) {
        for Finished { call, job, outputs } in std::mem::take(&mut self.finished) {
            let arguments = ReadAgain { job, of: call };
            self.record(EventKind::Invoke, READ, json!(arguments), None);
            let paths = outputs.iter().map(|output| output.path.clone()).collect();
            let found = outputs::read(paths, self.place.clone()).await;
            let again = if found == outputs { Again::Unchanged } else { Again::Changed(found) };
            self.record(EventKind::Ok, READ, json!(again), None);
        }
    }

    async fn carry_out(&mut self, job: &Job) -> Result<Ended, InDoubt> {
        let name = self.submit(job).await?;
        self.waits.went_on();
        let end = self.wait(&name).await?;
        self.waits.went_on();
        Ok(Ended { job: name, end })
    }

    /// Starts a job. It is asked for again only where it was certainly not started; or where nothing is broken any more, as a
    /// second one does no harm.
    async fn submit(&mut self, job: &Job) -> Result<String, InDoubt> {
        let inputs = job.documents.iter().map(|document| document.path.clone()).collect();
        let request = JobRequest { app: job.app.clone(), inputs, reducers: job.reducers };
        let body = Bytes::from(json!(request).to_string());
        loop {
            let request = post(JOBS_PATH, body.clone());
            let limit = self.shared.patience.operation;
            let reason = match self.call(request, limit, JobAnswer::parse).await {
                AttemptResult::Answered(answer) => return Ok(answer.job),
                AttemptResult::Refused(Refusal { code: ErrorCode::NotReady, message, .. }) => {
                    message
                }
                AttemptResult::NotSent(reason) => reason,
                AttemptResult::Uncertain(reason) if self.waits.is_healed() => reason,
                AttemptResult::Uncertain(reason) => return Err(InDoubt(reason)),
                AttemptResult::Refused(refusal) => {
                    return Err(InDoubt(self.broken(JOBS_PATH, refusal.code.name())));
                }
                AttemptResult::Garbled(reason) => {
                    return Err(InDoubt(self.broken(JOBS_PATH, &reason)));
                }
            };
            self.go_on(|| format!("it could not even be started ({reason})")).await?;
        }
    }

    /// Waits for the end of a job.
    async fn wait(&mut self, name: &str) -> Result<End, InDoubt> {
        let path = format!("{JOBS_PATH}/{name}");
        let mut last = "its state was never told".to_owned();
        loop {
            let limit = self.shared.patience.attempt;
            match self.call(get(&path), limit, JobStatus::parse).await {
                AttemptResult::Answered(status) => match status.state {
                    State::Map | State::Reduce => {
                        let latest = progress(&status);
                        if latest != last {
                            self.waits.went_on();
                        }
                        last = latest;
                    }
                    State::Done => {
                        let paths = status.outputs.unwrap_or_default();
                        let outputs = outputs::read(paths, self.place.clone()).await;
                        return Ok(End::Done { outputs });
                    }
                    State::Failed => {
                        let error = status.error.unwrap_or_default();
                        return Ok(End::Failed { error: history::words::cut(&error, 1000) });
                    }
                },
                AttemptResult::Refused(Refusal { code: ErrorCode::NotFound, .. }) => {
                    return Ok(End::Forgotten);
                }
                AttemptResult::Refused(refusal) if refusal.code != ErrorCode::NotReady => {
                    last = self.broken(&path, refusal.code.name());
                }
                AttemptResult::Garbled(reason) => last = self.broken(&path, &reason),
                AttemptResult::Refused(_)
                | AttemptResult::NotSent(_)
                | AttemptResult::Uncertain(_) => {}
            }
            self.go_on(|| format!("of job {name}, {last}")).await?;
        }
    }

    /// Goes on after a moment, if there is time.
    async fn go_on(&self, why: impl FnOnce() -> String) -> Result<(), InDoubt> {
        if let Some(over) = self.waits.over() {
            return Err(InDoubt(format!("{over}{}", why())));
        }
        sleep(POLL).await;
        Ok(())
    }

    async fn call<T>(
        &mut self,
        request: Result<http_client::Request<http_client::Full<Bytes>>, String>,
        limit: Duration,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> AttemptResult<T> {
        match request {
            Ok(request) => self.connections.call(&self.coordinator, request, limit, parse).await,
            Err(reason) => AttemptResult::NotSent(reason),
        }
    }

    /// Counts an answer that breaks the contract.
    fn broken(&self, path: &str, reason: &str) -> String {
        let example = format!("{}: `{path}`: {reason}", self.coordinator);
        self.shared.protocol_errors.record(&example);
        format!("the answer breaks the contract: {reason}")
    }

    fn record(&self, kind: EventKind, f: &str, value: Value, error: Option<String>) -> u64 {
        let node = Some(self.coordinator.as_str());
        self.shared.stream.operation(self.process, kind, f, value, error, node)
    }
}

/// `3 of 8 map tasks and 0 of 2 reduce tasks were done`
fn progress(status: &JobStatus) -> String {
    let JobStatus { map, reduce, .. } = status;
    format!(
        "{} of {} map tasks and {} of {} reduce tasks were done",
        map.done, map.total, reduce.done, reduce.total
    )
}

async fn write_documents(job: &Job) -> std::io::Result<()> {
    let documents = job.documents.clone();
    let write = move || {
        documents.iter().try_for_each(|document| std::fs::write(&document.path, &document.text))
    };
    tokio::task::spawn_blocking(write).await.map_err(std::io::Error::other)?
}
