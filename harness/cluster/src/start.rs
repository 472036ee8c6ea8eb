//! What to start, and why it could not be started.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf, absolute};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::command;
use crate::limits::Limits;
use crate::sandbox::{Enforced, Sandbox};
use crate::shim;
use crate::shim::wire::{self, Event, Failure, Launch};

/// How long a shim may take to start a program, on a machine that is busy with a hundred others.
const START_PATIENCE: Duration = Duration::from_secs(30);

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
    /// What each of its processes may use.
    pub limits: Limits,
    /// What it may touch.
    pub sandbox: Option<Sandbox>,
    /// An executable whose `main` begins with [`crate::shim::run_if_requested`]: see [`crate::shim::this_executable`].
    pub shim: PathBuf,
}

/// Why a node could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The command has no words.
    #[error("the command is empty; it needs at least the name of a program")]
    EmptyCommand,
    /// The working folder is missing.
    #[error("cannot use the folder {}: {source}", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no such program.
    #[error(
        "no program {} {}; check the manifest's `run` or `build`", .program.display(),
        if .program.as_encoded_bytes().contains(&b'/') {
            format!("in the folder {}", .folder.display())
        } else {
            "in any folder of PATH".into()
        }
    )]
    NoProgram {
        /// As the command names it.
        program: OsString,
        /// What a relative path is relative to.
        folder: PathBuf,
    },
    /// The file is there but is no program.
    #[error("cannot run {}: it {why}", .path.display())]
    NotExecutable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The system refused to run the program.
    #[error("cannot run {}: {why}", .path.display())]
    Refused {
        /// The program.
        path: PathBuf,
        /// What the system says, and what that most often means.
        why: String,
    },
    /// A log cannot be written.
    #[error("cannot write the log {}: {why}", .path.display())]
    Log {
        /// The log file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The sandbox cannot be set up.
    #[error("cannot set up the sandbox: {0}")]
    Sandbox(String),
    /// The supervisor failed: the bench or the machine is at fault, not the node.
    #[error("the supervisor {} failed: {why}", .shim.display())]
    Shim {
        /// Its executable.
        shim: PathBuf,
        /// What happened.
        why: String,
    },
}

impl StartError {
    /// Whether the submission is at fault; otherwise it is the bench or the machine.
    pub fn is_submissions_fault(&self) -> bool {
        use StartError::*;
        matches!(
            self,
            EmptyCommand | Folder { .. } | NoProgram { .. } | NotExecutable { .. } | Refused { .. }
        )
    }
}

/// A shim whose node runs.
pub(crate) struct Started {
    pub(crate) pid: u32,
    pub(crate) enforced: Option<Enforced>,
    pub(crate) shim: Child,
    /// When this is closed, the shim kills the tree.
    pub(crate) control: ChildStdin,
    pub(crate) events: Lines<BufReader<ChildStdout>>,
}

/// Starts a shim and lets it start the node.
pub(crate) async fn start(spec: &NodeSpec) -> Result<Started, StartError> {
    let launch = prepare(spec)?;
    let broken = |why: String| StartError::Shim { shim: spec.shim.clone(), why };
    let mut shim = Command::new(&spec.shim)
        .arg0("harness-shim")
        .args([shim::ARGUMENT, &spec.id])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| broken(error.to_string()))?;
    let pipes = shim.stdin.take().zip(shim.stdout.take());
    let (mut control, stdout) = pipes.expect("both were asked for as pipes");
    let mut events = BufReader::new(stdout).lines();

    let conversation = async {
        control.write_all(&wire::line(&launch)?).await?;
        events.next_line().await
    };
    let line = match tokio::time::timeout(START_PATIENCE, conversation).await {
        Ok(line) => line.map_err(|error| broken(error.to_string()))?,
        Err(_) => return Err(broken(format!("no answer in {START_PATIENCE:?}"))),
    };
    let event = line.and_then(|line| serde_json::from_str(&line).ok());
    if let Some(Event::Started { pid, enforced }) = event {
        return Ok(Started { pid, enforced, shim, control, events });
    }
    // It ends by itself now; waiting leaves no zombie.
    drop(control);
    let status = shim.wait().await;
    Err(match event {
        Some(Event::Failed(failure)) => explain(failure, launch, &spec.shim),
        _ => broken(match status {
            Ok(status) => format!(
                "it ended without a word, {status}; does its main begin with run_if_requested?"
            ),
            Err(error) => error.to_string(),
        }),
    })
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
    let mut sandbox = spec.sandbox.clone();
    for path in sandbox.iter_mut().flat_map(|sandbox| &mut sandbox.writable) {
        *path = path
            .canonicalize()
            .map_err(|error| StartError::Sandbox(format!("{}: {error}", path.display())))?;
    }
    Ok(Launch {
        id: spec.id.clone(),
        program: command::find(program, &folder, &spec.environment)?.into_os_string(),
        argv: spec.argv.clone(),
        stdout: log(&spec.stdout)?,
        stderr: log(&spec.stderr)?,
        folder: folder.into_os_string(),
        environment: spec.environment.clone(),
        limits: spec.limits,
        sandbox,
    })
}

fn explain(failure: Failure, launch: Launch, shim: &Path) -> StartError {
    match failure {
        Failure::Log { path, error } => StartError::Log { path: path.into(), why: error },
        Failure::Sandbox(why) => StartError::Sandbox(why),
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
