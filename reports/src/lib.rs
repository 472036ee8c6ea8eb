//! A results folder becomes one HTML page: nothing to install, nothing fetched, readable without JavaScript.
//!
//! The page is for two people: a student in front of a red verdict, who must see the anomaly within a minute, and
//! an instructor, who must see at a glance what was run. This crate knows the folder's schema (`results`) and the
//! record's events (`history`); it knows no workload, process or network.
//!
//! Everything in a results folder may come from the code under test, so all of it is hostile: text enters the page
//! only through `markup`, which escapes and bounds it.

mod axis;
mod browser;
mod chart;
mod faults;
mod folder;
mod jsonl;
mod label;
mod logs;
mod markup;
mod messages;
mod operations;
mod page;
mod sections;
mod statistics;
mod timeline;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use record::files;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder is not one that a run wrote.
    #[error(
        "{0} holds none of run.json, results.json and history.jsonl: name a folder that `harness run` wrote, such as results/latest"
    )]
    NotAResultsFolder(PathBuf),
    /// Written by a newer bench.
    #[error(
        "{path} has schema version {version}, and this bench reads up to {known}: use the bench that wrote it, or a newer one",
        known = record::VERSION
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// The system refused.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl ReportError {
    fn io<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| Self::Io { what, path: path.to_path_buf(), source }
    }
}

/// The page for a results folder, complete or not.
///
/// # Errors
/// When the folder is no results folder, was written by a newer bench, or cannot be read.
pub fn render(folder: &Path) -> Result<String, ReportError> {
    let folder = folder::Folder::read(folder)?;
    Ok(page::render(&folder).into_string())
}

/// Renders the page and puts it into the folder as `report.html`; a reader sees the old page or the new one, never
/// half of one.
///
/// # Errors
/// Those of [`render`], and when the page cannot be written.
pub fn write(folder: &Path) -> Result<PathBuf, ReportError> {
    let page = render(folder)?;
    let path = folder.join(files::REPORT);
    let draft = folder.join(format!(".{}.{}", files::REPORT, std::process::id()));
    let written = File::create(&draft)
        .and_then(|mut file| file.write_all(page.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&draft, &path));
    if written.is_err() {
        // The draft may not even exist; the first error is the one worth telling.
        let _ = std::fs::remove_file(&draft);
    }
    written.map_err(ReportError::io("write", &path))?;
    Ok(path)
}
