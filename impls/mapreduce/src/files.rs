//! Which files there are in the shared folder, and how outputs come into their place.
//!
//! ```text
//! mr-out-j1-0             an output: job j1, reduce task 0
//! mr-tmp-<life>-j1/       what job j1 needs until it ends
//!   m3-a7-r0              intermediate file: map task 3, attempt 7, for reduce task 0
//!   r0-a9                 what attempt 9 at reduce task 0 writes; renamed to mr-out-j1-0 if it counts
//! ```

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// How the folders of running jobs start.
const TEMPORARY: &str = "mr-tmp-";
/// How the names of outputs start.
const OUTPUT: &str = "mr-out-j";

/// The name of an output.
pub fn output_name(job: u64, reducer: u32) -> String {
    format!("{OUTPUT}{job}-{reducer}")
}

/// The name of a job's folder. `life` is the coordinator's own, so that no earlier one's workers write there.
pub fn job_folder_name(life: u64, job: u64) -> String {
    format!("{TEMPORARY}{life:x}-j{job}")
}

/// The name of an intermediate file.
pub fn intermediate_name(map: u32, attempt: u64, reducer: u32) -> String {
    format!("m{map}-a{attempt}-r{reducer}")
}

/// The name of an output that does not count yet.
pub fn attempt_output_name(reducer: u32, attempt: u64) -> String {
    format!("r{reducer}-a{attempt}")
}

/// The number of a first job whose outputs take the place of no others.
///
/// # Errors
/// The folder cannot be read.
pub fn next_job(folder: &Path) -> Result<u64, Failure> {
    let names = names(folder)?;
    let job = |name: &String| name.strip_prefix(OUTPUT)?.split_once('-')?.0.parse::<u64>().ok();
    Ok(names.iter().filter_map(job).max().unwrap_or(0).saturating_add(1))
}

/// Removes the folders of jobs that an earlier coordinator has lost.
///
/// # Errors
/// The folder cannot be read, or something in it cannot be removed.
pub fn remove_lost_jobs(folder: &Path) -> Result<(), Failure> {
    remove_folders(folder, TEMPORARY)
}

/// Removes the folders in `folder` whose names start like this.
///
/// # Errors
/// The folder cannot be read, or something in it cannot be removed.
pub fn remove_folders(folder: &Path, prefix: &str) -> Result<(), Failure> {
    for name in names(folder)?.iter().filter(|name| name.starts_with(prefix)) {
        remove_folder(&folder.join(name))?;
    }
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let read = || -> io::Result<Vec<String>> {
        let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        Ok(entries.iter().filter_map(|entry| entry.file_name().into_string().ok()).collect())
    };
    read().map_err(Failure::file("list the folder", folder))
}

/// Removes a folder with all that is in it; there may be none.
///
/// # Errors
/// The system refused.
pub fn remove_folder(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::file("remove the folder", folder)(error))
        }
        _ => Ok(()),
    }
}

/// Removes files; some may be missing.
pub fn remove_files(paths: &[PathBuf]) {
    for path in paths {
        // Nobody reads them any more. Where they cannot be removed, they go with the job's folder.
        let _ = fs::remove_file(path);
    }
}

/// Writes a file that is durable when this ends.
///
/// # Errors
/// The system refused.
pub fn write_durably(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(Failure::file("write", path))
}

/// Gives a whole and durable file its place, durably.
///
/// # Errors
/// The system refused; the file is in its place in whole or not at all.
pub fn publish(file: &Path, place: &Path) -> Result<(), Failure> {
    fs::rename(file, place).map_err(Failure::file("rename", file))?;
    let Some(folder) = place.parent() else { return Ok(()) };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Failure::file("sync", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_job_takes_the_place_of_no_earlier_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(next_job(folder.path()).unwrap(), 1);
        for name in ["mr-out-j3-0", "mr-out-j12-7", "mr-out-jx-1", "mr-out-j99", "other"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(next_job(folder.path()).unwrap(), 13);
        let missing = folder.path().join("missing");
        assert!(next_job(&missing).unwrap_err().to_string().contains("missing"));
    }

    #[test]
    fn only_folders_of_lost_jobs_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let lost = folder.path().join(job_folder_name(255, 3));
        fs::create_dir(&lost).unwrap();
        fs::write(lost.join(intermediate_name(1, 2, 3)), "").unwrap();
        fs::write(folder.path().join(output_name(3, 0)), "").unwrap();
        remove_lost_jobs(folder.path()).unwrap();
        assert_eq!(names(folder.path()).unwrap(), ["mr-out-j3-0"]);
        remove_folder(&lost).unwrap();
    }
}
