//! `run`: one job with a coordinator and workers of its own.

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use contract::mapreduce::{JobAnswer, JobRequest, JobStatus, State};

use super::{Job, children::Children, print, progress::Progress, publish, scratch};
use crate::{client::Client, node::signalled};

/// How long the coordinator may take to start.
const START_MAX: Duration = Duration::from_secs(20);
/// How long a request may take; to start a job takes the longest, as inputs are looked through.
const REQUEST_MAX: Duration = Duration::from_secs(600);
/// How often the coordinator is asked how far it is.
const POLL: Duration = Duration::from_millis(50);

/// The exit code after an interrupt.
const INTERRUPTED: u8 = 130;

/// Runs a job and prints where its outputs are.
///
/// # Errors
/// Why there are none.
pub fn run(job: &Job, workers: u16) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))?;
    runtime.block_on(async {
        let interrupted =
            signalled().map_err(|error| format!("cannot watch for signals: {error}"))?;
        let mut progress = Progress::new();
        // Dropping it ends the nodes first and removes their folder then.
        let ended = tokio::select! {
            ended = job_with_nodes(job, workers, &mut progress) => ended.map(Some),
            () = interrupted => Ok(None),
        };
        progress.end();
        match ended? {
            Some(sentence) => print(&sentence),
            None => {
                progress.say("interrupted");
                Ok(ExitCode::from(INTERRUPTED))
            }
        }
    })
}

async fn job_with_nodes(
    job: &Job,
    workers: u16,
    progress: &mut Progress,
) -> Result<String, String> {
    let start = Instant::now();
    let folder = scratch(&job.out)?;
    let mut children = Children::start(workers, folder.path(), progress)?;
    let coordinator = Client::new(children.coordinator, REQUEST_MAX);
    let name = submit(job, &coordinator, &mut children).await?;
    let outputs = wait(&name, &coordinator, &mut children, progress).await?;
    let peak = children.peak_mib();
    drop(children);
    let sentence = publish(&outputs, &job.out)?;
    let memory = peak.map(|mib| format!("; a worker took {mib} MiB of memory at most"));
    let seconds = start.elapsed().as_secs_f64();
    Ok(format!("{sentence}\ntook {seconds:.1} s{}", memory.unwrap_or_default()))
}

/// Starts the job as soon as the coordinator takes it. Returns its name.
async fn submit(
    job: &Job,
    coordinator: &Client,
    children: &mut Children,
) -> Result<String, String> {
    let request =
        JobRequest { app: job.app.clone(), inputs: job.inputs.clone(), reducers: job.reducers };
    let start = Instant::now();
    while let Err(reason) = coordinator.ready().await {
        children.check()?;
        if start.elapsed() > START_MAX {
            return Err(format!("the coordinator does not start: {reason}"));
        }
        tokio::time::sleep(POLL).await;
    }
    let answer: JobAnswer = coordinator.post("/v1/jobs", &request).await?;
    Ok(answer.job)
}

/// Waits for the end of the job. Returns its outputs.
async fn wait(
    name: &str,
    coordinator: &Client,
    children: &mut Children,
    progress: &mut Progress,
) -> Result<Vec<PathBuf>, String> {
    loop {
        let status: JobStatus = coordinator.get(&format!("/v1/jobs/{name}")).await?;
        progress.update(&status);
        match status.state {
            State::Done => {
                return Ok(status
                    .outputs
                    .unwrap_or_default()
                    .into_iter()
                    .map(PathBuf::from)
                    .collect());
            }
            State::Failed => return Err(status.error.unwrap_or_default()),
            State::Map | State::Reduce => children.check()?,
        }
        tokio::time::sleep(POLL).await;
    }
}
