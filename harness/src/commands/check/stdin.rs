//! A history that comes on stdin.

use std::io::{self, Read};
use std::path::PathBuf;

use judge::foreign::Source;
use record::bytes_max;

use crate::{cli::STDIN, disk, exit::Failure};

/// What comes on stdin, to its end, where one of the paths stands for it: a history is read more than once.
///
/// # Errors
/// It cannot be read or kept, or is longer than any history that is read.
pub(super) fn kept_if_named(paths: &[PathBuf]) -> Result<Option<Source>, Failure> {
    if !paths.iter().any(|path| path.as_os_str() == STDIN) {
        return Ok(None);
    }
    let failed = |error: io::Error| {
        Failure::Failed(format!("stdin could not be kept: {}", disk::explain(&error)))
    };
    // It has no name, so that nothing is left of it however this process ends.
    let mut file = tempfile::tempfile().map_err(failed)?;
    let mut stdin = io::stdin().lock().take(bytes_max::HISTORY + 1);
    if io::copy(&mut stdin, &mut file).map_err(failed)? > bytes_max::HISTORY {
        return Err(Failure::Usage(format!(
            "more than {} bytes came on stdin, and longer histories are not read",
            bytes_max::HISTORY
        )));
    }
    Ok(Some(Source::kept("stdin", file)))
}
