//! What to start, and starting it.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf, absolute};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::command;
use crate::confinement::Confinement;
use crate::last_resort::{PROMPT, Supervisors};
use crate::limits::Limits;
use crate::shim;
use crate::shim::stamps::monotonic_ns;
use crate::shim::wire::{self, Event, Failure, Launch};
use crate::start_error::StartError;

/// How long a shim may take to start a program, on a machine that is busy with a hundred others.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// How long one that started nothing may take to end.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// A node to be started.
#[derive(Clone, Debug)]
pub struct NodeSpec {
    /// The node's name, for logs and process lists.
    pub id: String,
    /// The command, without a shell. A program with a `/` in its name is relative to the folder.
    pub argv: Vec<OsString>,
    /// The working folder.
    pub folder: PathBuf,
    /// Variables on top of those of the harness. The latter's `DS_…` variables are not passed on.
    pub environment: Vec<(String, String)>,
    /// Where its standard output goes, bounded as in [`crate::logs`]; appended to if an earlier life left something.
    pub stdout: PathBuf,
    /// The same for its standard error; with the same path both streams share one log, in order.
    pub stderr: PathBuf,
    /// Each line of its logs begins with the seconds from this moment to its arrival, as `12.345678 `; `None`: the logs
    /// hold what was printed and nothing else.
    pub stamps_since: Option<Instant>,
    /// What each of its processes may use.
    pub limits: Limits,
    /// The world that it is kept to; `None`: it sees all of this machine.
    pub confinement: Option<Confinement>,
    /// An executable whose `main` begins with [`crate::shim::run_if_requested`]: see [`crate::shim::this_executable`].
    pub shim: PathBuf,
}

/// A shim whose node runs.
pub(crate) struct Started {
    pub(crate) pid: u32,
    pub(crate) supervisors: Supervisors,
    /// The harness' child: the shim's guardian, or the shim where there is none.
    pub(crate) guardian: Child,
    /// When this is closed, the shim kills the tree.
    pub(crate) control: ChildStdin,
    pub(crate) events: Lines<BufReader<ChildStdout>>,
}

/// Starts a shim and lets it start the node.
pub(crate) async fn start(spec: &NodeSpec) -> Result<Started, StartError> {
    let launch = prepare(spec)?;
    let broken = |why: String| StartError::Shim { shim: spec.shim.clone(), why };
    let mut guardian = Command::new(&spec.shim)
        .arg0("harness-shim")
        .args([shim::ARGUMENT, &spec.id])
        .args(spec.confinement.as_ref().map(|own| own.network.keeper().to_string()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| broken(error.to_string()))?;
    let pipes = guardian.stdin.take().zip(guardian.stdout.take());
    let (mut control, stdout) = pipes.expect("both were asked for as pipes");
    let mut events = BufReader::new(stdout).lines();

    let conversation = async {
        control.write_all(&wire::line(&launch)?).await?;
        events.next_line().await
    };
    let line = tokio::select! {
        line = timeout(START_PATIENCE, conversation) => line,
        never = keep_awake(&guardian) => match never {},
    };
    let event = match &line {
        Ok(Ok(Some(line))) => serde_json::from_str(line).ok(),
        _ => None,
    };
    if let Some((&Event::Started { pid, shim }, id)) = event.as_ref().zip(guardian.id()) {
        let [guardian_id, shim, node] = [id, shim, pid].map(|id| Pid::from_raw(id.cast_signed()));
        let supervisors = Supervisors { guardian: guardian_id, shim, node };
        return Ok(Started { pid, supervisors, guardian, control, events });
    }
    // It ends by itself now; waiting leaves no zombie.
    drop(control);
    let status = bury(guardian).await;
    Err(match (event, line) {
        (Some(Event::Failed(failure)), _) => explain(failure, launch, &spec.shim),
        (_, Err(_)) => broken(format!("no answer in {START_PATIENCE:?}")),
        (_, Ok(Err(error))) => broken(error.to_string()),
        _ => broken(match status {
            Ok(status) => format!(
                "it ended without a word, {status}; does its main begin with run_if_requested?"
            ),
            Err(error) => error.to_string(),
        }),
    })
}

/// A node may run, and stop the processes above it, before the shim has said so.
async fn keep_awake(guardian: &Child) -> Infallible {
    loop {
        sleep(PROMPT).await;
        if let Some(id) = guardian.id() {
            let _ = kill(Pid::from_raw(id.cast_signed()), Signal::SIGCONT);
        }
    }
}

/// Waits for the end of a shim that started nothing. One that does not end, perhaps because its node was quick to stop
/// it, is killed with all below it.
async fn bury(mut guardian: Child) -> io::Result<ExitStatus> {
    if let Ok(status) = timeout(END_PATIENCE, guardian.wait()).await {
        return status;
    }
    if let Some(id) = guardian.id() {
        let id = Pid::from_raw(id.cast_signed());
        // All that is known of it: the guardian keeps whatever loses its parent.
        let supervisors = Supervisors { guardian: id, shim: id, node: id };
        let _ = spawn_blocking(move || supervisors.kill()).await;
    }
    timeout(END_PATIENCE, guardian.wait()).await?
}

/// Resolves what can be wrong before a process exists.
fn prepare(spec: &NodeSpec) -> Result<Launch, StartError> {
    let program = spec.argv.first().ok_or(StartError::EmptyCommand)?;
    let folder_error = |source| StartError::Folder { folder: spec.folder.clone(), source };
    let folder = spec.folder.canonicalize().map_err(folder_error)?;
    if !folder.is_dir() {
        return Err(folder_error(io::ErrorKind::NotADirectory.into()));
    }
    let log = |path: &Path| {
        absolute(path)
            .map(PathBuf::into_os_string)
            .map_err(|error| StartError::Log { path: path.into(), why: error.to_string() })
    };
    Ok(Launch {
        id: spec.id.clone(),
        program: command::find(program, &folder, &spec.environment)?.into_os_string(),
        argv: spec.argv.clone(),
        stdout: log(&spec.stdout)?,
        stderr: log(&spec.stderr)?,
        folder: folder.into_os_string(),
        environment: spec.environment.clone(),
        stamps_zero_ns: spec.stamps_since.and_then(monotonic_ns_at),
        limits: spec.limits,
        files: spec.confinement.as_ref().map(|own| own.files.clone()),
    })
}

/// What the monotonic clock showed at a moment of the past, in nanoseconds: an `Instant` means nothing to the shim.
fn monotonic_ns_at(moment: Instant) -> Option<u64> {
    let age_ns = u64::try_from(moment.elapsed().as_nanos()).ok()?;
    monotonic_ns()?.checked_sub(age_ns)
}

fn explain(failure: Failure, launch: Launch, shim: &Path) -> StartError {
    match failure {
        Failure::Log { path, error } => StartError::Log { path: path.into(), why: error },
        Failure::Shim(why) => StartError::Shim { shim: shim.into(), why },
        Failure::Program { error, os_error } => {
            let hint = match os_error {
                Some(libc::ENOENT) => {
                    "; the file is there, so its interpreter (the #! line) or its loader is missing"
                }
                Some(libc::ENOEXEC) => {
                    "; it is no program for this machine, or a script without a #! line"
                }
                _ => "",
            };
            StartError::Refused { path: launch.program.into(), why: format!("{error}{hint}") }
        }
    }
}
