//! The results folder of a run and the readers of the stream that write into it.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use record::{ResultsFile, RunFile, files};
use serde::Serialize;

use super::stream::{Reader, RunEvent};

/// A results folder: `<out>/<local time>-<workload>-<seed>/`.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes a new folder under `out` and points the link `latest` at it.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn create(out: &Path, workload: &str, seed: u64) -> std::io::Result<Self> {
        let time = jiff::Zoned::now().strftime("%Y%m%dT%H%M%S").to_string();
        let workload = workload.replace(':', "-");
        std::fs::create_dir_all(out)?;
        let out = out.canonicalize()?;
        for attempt in 0..1000 {
            let again = if attempt == 0 { String::new() } else { format!("-{attempt}") };
            let name = format!("{time}-{workload}-{seed}{again}");
            match std::fs::create_dir(out.join(&name)) {
                Ok(()) => {
                    point_latest_at(&out, &name);
                    return Ok(Self { path: out.join(name) });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(std::io::Error::other(format!("no free folder name under {}", out.display())))
    }

    /// A folder that exists already.
    #[must_use]
    pub fn existing(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of one node.
    #[must_use]
    pub fn node(&self, id: &str) -> PathBuf {
        self.path.join(files::NODES).join(id)
    }

    /// Writes `run.json`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_run(&self, run: &RunFile) -> std::io::Result<()> {
        self.write_whole(files::RUN, run)
    }

    /// Writes `results.json`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_results(&self, results: &ResultsFile) -> std::io::Result<()> {
        self.write_whole(files::RESULTS, results)
    }

    /// A file is there whole or not at all.
    fn write_whole(&self, name: &str, value: &impl Serialize) -> std::io::Result<()> {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        let temporary = self.path.join(format!(".{name}.tmp"));
        std::fs::write(&temporary, text)?;
        std::fs::rename(temporary, self.path.join(name))
    }

    /// The readers of the stream that write `history.jsonl` and `faults.jsonl`.
    ///
    /// # Errors
    /// The files cannot be made.
    pub fn readers(&self) -> std::io::Result<Vec<Box<dyn Reader>>> {
        let history = HistoryFile(history::Writer::create(self.path.join(files::HISTORY))?);
        let faults = FaultsFile(File::create(self.path.join(files::FAULTS))?);
        Ok(vec![Box::new(history), Box::new(faults)])
    }
}

/// The link is a convenience: where it cannot be made (a file of that name, no links here) the run goes on.
fn point_latest_at(out: &Path, name: &str) {
    let link = out.join("latest");
    if link.is_symlink() {
        let _ = std::fs::remove_file(&link);
    }
    #[cfg(unix)]
    let _ = std::os::unix::fs::symlink(name, &link);
}

struct HistoryFile(history::Writer);

impl Reader for HistoryFile {
    fn read(&mut self, event: &RunEvent) -> std::io::Result<()> {
        match event {
            RunEvent::History(event) => self.0.append(event),
            RunEvent::Fault(_) => Ok(()),
        }
    }

    fn pause(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

struct FaultsFile(File);

impl Reader for FaultsFile {
    /// Faults are few, and their plan must be on disk before anything is done: a line goes out at once and whole.
    fn read(&mut self, event: &RunEvent) -> std::io::Result<()> {
        match event {
            RunEvent::Fault(record) => {
                let mut line = serde_json::to_vec(record)?;
                line.push(b'\n');
                self.0.write_all(&line)
            }
            RunEvent::History(_) => Ok(()),
        }
    }
}
