//! What harness and shim say to each other: one JSON document a line, over the shim's stdin and stdout.

use std::ffi::OsString;
use std::io;

use serde::{Deserialize, Serialize};

use crate::confinement::Files;
use crate::exit::Exit;
use crate::limits::Limits;

/// The first line to the shim: what to start. Paths are absolute and travel as `OsString`, whose encoding keeps bytes
/// that are not UTF-8.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Launch {
    pub(crate) id: String,
    pub(crate) program: OsString,
    pub(crate) argv: Vec<OsString>,
    pub(crate) folder: OsString,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) stdout: OsString,
    pub(crate) stderr: OsString,
    /// Lines of the logs are stamped with the time since the monotonic clock showed this; `None`: they are not.
    pub(crate) stamps_zero_ns: Option<u64>,
    pub(crate) limits: Limits,
    /// What the program sees of the machine's files; `None`: all.
    pub(crate) files: Option<Files>,
}

/// Every further line to the shim.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Command {
    pub(crate) number: u64,
    pub(crate) action: Action,
}

/// What to do with the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// SIGSTOP; held once every process is seen stopped.
    Pause,
    /// SIGCONT; held once no process is seen stopped.
    Resume,
    /// SIGTERM, and SIGCONT so that paused processes get it.
    Terminate,
    /// Nothing but the count of living processes.
    Count,
    /// Nothing but the memory that the processes occupy.
    Measure,
    /// SIGKILL; held once every process is gone. The shim then ends.
    Kill,
}

/// A line from the shim.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The node's program runs. `pid` is its id as the shim knows it, `shim` the shim's as the harness knows it.
    Started { pid: u32, shim: u32 },
    /// It does not, and the shim ends.
    Failed(Failure),
    /// The node's main process ended; all it printed is in the log.
    Exited(Exit),
    /// A command was carried out.
    Reply(Reply),
}

/// Why a node could not be started.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Failure {
    /// A log file cannot be written.
    Log { path: OsString, error: String },
    /// The operating system refused to run the program.
    Program { error: String, os_error: Option<i32> },
    /// The shim itself is at fault.
    Shim(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Shim(error.to_string())
    }
}

/// What came of a command.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) number: u64,
    /// Whether it was seen to take hold.
    pub(crate) held: bool,
    /// Living processes of the tree afterwards.
    pub(crate) alive: u32,
    /// The memory they occupy, in bytes, where that was asked and the system says so.
    pub(crate) memory_bytes: Option<u64>,
}

/// A message as a line, newline included.
pub(crate) fn line<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}
