//! Why a task ended without a result.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a task ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The system refused something about a file.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// Of which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An intermediate file does not hold what a map task wrote.
    #[error("the intermediate file {} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// The application's function returned an error.
    #[error("{0}")]
    App(String),
    /// The task is no longer needed.
    #[error("stopped")]
    Stopped,
}

impl Failure {
    /// Makes an error of what the system said about a file.
    pub fn file<'a>(
        doing: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(io::Error) -> Self + use<'a> {
        move |source| Self::File { doing, path: path.to_owned(), source }
    }
}
