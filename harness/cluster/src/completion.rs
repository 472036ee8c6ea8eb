//! Commands that run to their end: the build step of a submission.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use crate::exit::Exit;
use crate::limits::Limits;
use crate::logs;
use crate::node::NodeProcess;
use crate::start::NodeSpec;
use crate::start_error::StartError;

/// How much of the log's end is given back.
const LOG_TAIL_BYTES: usize = 8 << 10;

/// A command that ran to its end.
#[derive(Clone, Debug)]
pub struct Completed {
    /// How it ended; killed, if it took too long.
    pub exit: Exit,
    /// It took longer than allowed.
    pub timed_out: bool,
    /// Processes that lived on after it; they were killed.
    pub daemons: u32,
    /// The end of what it printed, safe to show on a terminal.
    pub log_tail: String,
}

/// Runs a command to its end, supervised like a node, both its streams in one bounded log. Nothing of it is left
/// running, whether it ended by itself or took longer than `limit`.
///
/// # Errors
/// When it cannot be started.
pub async fn run_to_completion(
    argv: &[OsString],
    folder: &Path,
    environment: &[(String, String)],
    log: &Path,
    limit: Duration,
    shim: &Path,
) -> Result<Completed, StartError> {
    let spec = NodeSpec {
        id: "build".into(),
        argv: argv.to_vec(),
        folder: folder.into(),
        environment: environment.to_vec(),
        stdout: log.into(),
        stderr: log.into(),
        stamps_since: None,
        limits: Limits::BUILD,
        confinement: None,
        shim: shim.into(),
    };
    let process = NodeProcess::start(&spec).await?;
    let timed_out = timeout(limit, process.exited()).await.is_err();
    let (exit, daemons) = if timed_out {
        // A command that is too slow is not asked.
        let _ = process.kill().await;
        (process.exit().unwrap_or(Exit::Lost), 0)
    } else {
        // It has ended, so this only counts and kills what it left.
        let stopped = process.stop(Duration::ZERO).await;
        (stopped.exit, stopped.daemons)
    };
    let log_tail = logs::tail(log, LOG_TAIL_BYTES).unwrap_or_default();
    Ok(Completed { exit, timed_out, daemons, log_tail })
}
