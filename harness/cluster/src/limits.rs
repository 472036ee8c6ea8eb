//! What one process of a node may use.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use serde::{Deserialize, Serialize};

/// Limits of each process of a node; `None` leaves what the harness itself has. Core dumps are always off.
///
/// There is no limit of the address space (Go, Java and sanitizers reserve far more than they use) and none of the
/// number of processes (it counts per user, so one node would starve another).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Open file descriptors.
    pub open_files: Option<u64>,
    /// Bytes of one file; writing past it ends the process with SIGXFSZ.
    pub file_bytes: Option<u64>,
    /// Bytes of heap and private writable mappings.
    pub data_bytes: Option<u64>,
}

impl Limits {
    /// For build commands. Their files are limited because a harness that called [`raise_open_files_limit`] would
    /// otherwise pass on so many that programs which close or poll all they might have take forever.
    pub const BUILD: Limits =
        Limits { open_files: Some(16_384), file_bytes: None, data_bytes: None };

    /// Limits the calling process, between fork and exec.
    pub(crate) fn apply(&self) -> io::Result<()> {
        limit(Resource::RLIMIT_CORE, Some(0))?;
        limit(Resource::RLIMIT_NOFILE, self.open_files)?;
        limit(Resource::RLIMIT_FSIZE, self.file_bytes)?;
        limit(Resource::RLIMIT_DATA, self.data_bytes)
    }
}

impl Default for Limits {
    /// Enough for any honest store, too little to fill a disk by accident.
    fn default() -> Self {
        Limits { open_files: Some(4096), file_bytes: Some(4 << 30), data_bytes: None }
    }
}

/// Raises how many files this process may have open as far as it may, and gives that number. Nodes and builds keep their
/// own [`Limits`]; whatever else this process starts inherits the raised one.
///
/// # Errors
/// When the system refuses.
pub fn raise_open_files_limit() -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard)
}

/// Lets a write beyond the limit on a file's size (`ulimit -f`) fail with an error, as on a full disk, where SIGXFSZ
/// would end this process without a word. For this thread and those that it starts from now on; nodes begin with no
/// signal blocked.
///
/// # Errors
/// When the system refuses.
pub fn survive_file_size_limit() -> io::Result<()> {
    let mut signal = SigSet::empty();
    signal.add(Signal::SIGXFSZ);
    Ok(signal.thread_block()?)
}

/// Sets both the soft and the hard limit, no higher than the hard limit already is: raising that needs privileges.
fn limit(resource: Resource, wanted: Option<u64>) -> io::Result<()> {
    let Some(wanted) = wanted else { return Ok(()) };
    let (_, hard) = getrlimit(resource)?;
    let value = wanted.min(hard);
    Ok(setrlimit(resource, value, value)?)
}
