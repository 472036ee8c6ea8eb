//! What a node sees of the machine's files.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a node sees: everything, but to read only; for what is hidden, an empty folder in memory that it may write to, which
/// nobody else sees and which is gone with it. All paths are absolute and without links.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// What it may write to, also below what is hidden.
    pub writable: Vec<PathBuf>,
    /// What is hidden.
    pub hidden: Vec<PathBuf>,
    /// What is to be seen although it lies below something hidden.
    pub visible: Vec<PathBuf>,
}
