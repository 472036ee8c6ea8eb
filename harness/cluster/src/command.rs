//! Finding the program of a command, so that a wrong one is a clear error before anything is started.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use crate::start_error::StartError;

/// The file that a command runs: as the shell would find it, but a name with a `/` in it is relative to the folder.
pub(crate) fn find(
    program: &OsStr,
    folder: &Path,
    environment: &[(String, String)],
) -> Result<PathBuf, StartError> {
    let candidates: Vec<PathBuf> = if program.as_encoded_bytes().contains(&b'/') {
        // Through its components, which leaves out `./`.
        vec![folder.join(program).components().collect()]
    } else {
        std::env::split_paths(&search_path(environment))
            .map(|place| folder.join(place).join(program))
            .collect()
    };
    if let Some(found) = candidates.iter().find(|path| path.is_file() && executable(path)) {
        return Ok(found.clone());
    }
    match candidates.into_iter().find(|path| path.exists()) {
        Some(path) if path.is_dir() => Err(StartError::NotExecutable { path, why: "is a folder" }),
        Some(path) => Err(StartError::NotExecutable {
            path,
            why: "is not marked executable (chmod +x would do that)",
        }),
        None => Err(StartError::NoProgram { program: program.into(), folder: folder.into() }),
    }
}

fn search_path(environment: &[(String, String)]) -> OsString {
    let own = environment.iter().rev().find(|(name, _)| name == "PATH");
    own.map(|(_, value)| value.into()).or_else(|| std::env::var_os("PATH")).unwrap_or_default()
}

fn executable(path: &Path) -> bool {
    access(path, AccessFlags::X_OK).is_ok()
}
