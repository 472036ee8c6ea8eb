//! A history that comes on stdin.

use std::io::{self, Read};
use std::path::PathBuf;

use record::bytes_max;

use crate::{cli::STDIN, disk, exit::Failure};

/// What came on stdin, in a file for as long as this lives: a history is read more than once.
pub(super) struct Spooled {
    folder: tempfile::TempDir,
}

impl Spooled {
    /// The file.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("stdin")
    }
}

/// Reads stdin to its end where one of the paths stands for it.
///
/// # Errors
/// It cannot be read or kept, or is longer than any history that is read.
pub(super) fn spooled_if_named(paths: &[PathBuf]) -> Result<Option<Spooled>, Failure> {
    if !paths.iter().any(|path| path.as_os_str() == STDIN) {
        return Ok(None);
    }
    let failed = |error: io::Error| {
        Failure::Failed(format!("stdin could not be kept: {}", disk::explain(&error)))
    };
    let spooled = Spooled { folder: tempfile::tempdir().map_err(failed)? };
    let mut file = std::fs::File::create(spooled.path()).map_err(failed)?;
    let mut stdin = io::stdin().lock().take(bytes_max::HISTORY + 1);
    if io::copy(&mut stdin, &mut file).map_err(failed)? > bytes_max::HISTORY {
        return Err(Failure::Usage(format!(
            "more than {} bytes came on stdin, and longer histories are not read",
            bytes_max::HISTORY
        )));
    }
    Ok(Some(spooled))
}
