//! A record and its verdict become one HTML page: nothing to install, nothing fetched, readable without JavaScript.
//!
//! The page is for two people: a student in front of a red verdict, who must see the anomaly within a minute, and
//! an instructor, who must see at a glance what was run. [`Page`] is all that is shown, as a value; [`render`] draws it.
//! This crate knows the results folder (`record`) and the events of a history (`history`); it knows no workload, process
//! or network.
//!
//! Everything in a record may come from the code under test, so all of it is hostile: text enters the page only through
//! `markup`, which escapes and bounds it.

mod attempts;
mod axis;
mod browser;
mod chart;
mod faults;
mod html;
mod label;
mod logs;
mod markup;
mod messages;
mod names;
mod operations;
mod page;
mod picture;
mod sections;
mod states;
mod statistics;
mod timeline;

use std::path::PathBuf;

use record::{Folder, FolderError};

pub use page::{History, Judgement, Page};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder is not one that a run wrote.
    #[error(
        "{0} holds none of run.json, results.json and history.jsonl: name a folder that `harness run` wrote, such as results/latest"
    )]
    NotAResultsFolder(PathBuf),
    /// A file of it cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The page cannot be written.
    #[error("cannot write report.html in {}: {source}", folder.display())]
    Write {
        /// The results folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The page as HTML.
#[must_use]
pub fn render(page: &Page) -> String {
    html::render(page).into_string()
}

/// Puts the page of a run into its results folder and says where it is.
///
/// # Errors
/// The folder is no results folder, was written by a newer bench, or cannot be written.
pub fn write(folder: &Folder) -> Result<PathBuf, ReportError> {
    let page = render(&Page::of_run(folder)?);
    let written = folder.write_report(&page);
    written.map_err(|source| ReportError::Write { folder: folder.path().to_path_buf(), source })
}
