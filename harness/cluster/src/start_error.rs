//! Why a node could not be started.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

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
