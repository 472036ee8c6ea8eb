//! A results folder: made and written by a run, read by the judge and the page.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use history::Event;
use plain_file::PlainFileError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::lines::{self, Reading};
use crate::{
    AttemptRecord, AttemptWriter, BlockWriter, FailureFile, FaultRecord, IntrospectionRecord,
    MessageRecord, ResultsFile, RunFile, VERSION, bytes_max, files,
};

/// A results folder: `<out>/<local time>-<workload>-<seed>/`.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// Why a file of a results folder cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is no such file.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// Written by a newer bench.
    #[error(
        "{} has schema version {version}, and this bench reads up to {VERSION}: use the bench that wrote it, or a newer one",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// It does not follow the schema.
    #[error("{} is damaged: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// It is too large or no regular file, or the system refused.
    #[error(transparent)]
    Unreadable(PlainFileError),
}

impl FolderError {
    /// Whether the system refused; otherwise something is wrong with the folder.
    #[must_use]
    pub fn is_of_the_system(&self) -> bool {
        matches!(self, Self::Unreadable(PlainFileError::Io { .. }))
    }
}

impl From<PlainFileError> for FolderError {
    fn from(error: PlainFileError) -> Self {
        match error {
            PlainFileError::Missing(path) => Self::Missing(path),
            error => Self::Unreadable(error),
        }
    }
}

impl Folder {
    /// Makes a new folder under `out` and points the link `latest` at it.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn create(out: &Path, workload: &str, seed: u64) -> io::Result<Self> {
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
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(format!("no free folder name under {}", out.display())))
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
    pub fn write_run(&self, run: &RunFile) -> io::Result<()> {
        self.write_document(files::RUN, run)
    }

    /// Writes `results.json`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_results(&self, results: &ResultsFile) -> io::Result<()> {
        self.write_document(files::RESULTS, results)
    }

    /// Writes `failure.json`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_failure(&self, failure: &FailureFile) -> io::Result<()> {
        self.write_document(files::FAILURE, failure)
    }

    /// Writes `report.html` and says where it is.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_report(&self, page: &str) -> io::Result<PathBuf> {
        let path = self.path.join(files::REPORT);
        write_whole(&path, page)?;
        Ok(path)
    }

    fn write_document(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        write_whole(&self.path.join(name), &text)
    }

    /// An empty `history.jsonl`.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create_history(&self) -> io::Result<history::Writer> {
        history::Writer::create(self.path.join(files::HISTORY))
    }

    /// An empty `faults.jsonl`.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create_faults(&self) -> io::Result<FaultWriter> {
        let file = File::create(self.path.join(files::FAULTS))?;
        Ok(FaultWriter { file, bytes: 0 })
    }

    /// An empty `attempts.jsonl`.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create_attempts(&self) -> io::Result<AttemptWriter> {
        Ok(AttemptWriter::new(File::create(self.path.join(files::ATTEMPTS))?))
    }

    /// An empty `introspection.jsonl`.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create_introspection(&self) -> io::Result<BlockWriter<IntrospectionRecord>> {
        Ok(BlockWriter::new(File::create(self.path.join(files::INTROSPECTION))?))
    }

    /// Whether it holds what a run leaves behind, or a part of it.
    #[must_use]
    pub fn holds_a_record(&self) -> bool {
        let known = [files::RUN, files::RESULTS, files::HISTORY];
        known.iter().any(|name| self.path.join(name).is_file())
    }

    /// Reads `run.json`.
    ///
    /// # Errors
    /// It is missing, damaged or newer, or cannot be read.
    pub fn run(&self) -> Result<RunFile, FolderError> {
        self.read_document(files::RUN, bytes_max::RUN)
    }

    /// Reads `results.json`.
    ///
    /// # Errors
    /// It is missing, damaged or newer, or cannot be read.
    pub fn results(&self) -> Result<ResultsFile, FolderError> {
        self.read_document(files::RESULTS, bytes_max::RESULTS)
    }

    /// Reads `failure.json`.
    ///
    /// # Errors
    /// It is missing, damaged or newer, or cannot be read.
    pub fn failure(&self) -> Result<FailureFile, FolderError> {
        self.read_document(files::FAILURE, bytes_max::FAILURE)
    }

    /// Hands every event of `history.jsonl` to `take`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_history(&self, take: impl FnMut(Event)) -> Result<Reading, FolderError> {
        self.read_lines(files::HISTORY, bytes_max::HISTORY, take)
    }

    /// Hands every line of `faults.jsonl` to `take`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_faults(&self, take: impl FnMut(FaultRecord)) -> Result<Reading, FolderError> {
        self.read_lines(files::FAULTS, bytes_max::FAULTS, take)
    }

    /// Hands every line of `attempts.jsonl` to `take`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_attempts(&self, take: impl FnMut(AttemptRecord)) -> Result<Reading, FolderError> {
        self.read_lines(files::ATTEMPTS, bytes_max::ATTEMPTS, take)
    }

    /// Hands every line of `messages.jsonl` to `take`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_messages(&self, take: impl FnMut(MessageRecord)) -> Result<Reading, FolderError> {
        self.read_lines(files::MESSAGES, bytes_max::MESSAGES, take)
    }

    /// Hands every line of `introspection.jsonl` to `take`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_introspection(
        &self,
        take: impl FnMut(IntrospectionRecord),
    ) -> Result<Reading, FolderError> {
        self.read_lines(files::INTROSPECTION, bytes_max::INTROSPECTION, take)
    }

    fn read_lines<T: DeserializeOwned>(
        &self,
        name: &str,
        bytes_max: u64,
        take: impl FnMut(T),
    ) -> Result<Reading, FolderError> {
        Ok(lines::read(&self.path.join(name), bytes_max, take)?)
    }

    fn read_document<T: DeserializeOwned>(
        &self,
        name: &str,
        bytes_max: u64,
    ) -> Result<T, FolderError> {
        let path = self.path.join(name);
        let text = plain_file::read(&path, bytes_max)?;
        let parsed = serde_json::from_slice(&text).and_then(|value: Value| {
            // The version first: a newer document need not follow this schema.
            match value.get("version").and_then(Value::as_u64) {
                Some(version) if version > u64::from(VERSION) => Ok(Err(version)),
                _ => serde_json::from_value(value).map(Ok),
            }
        });
        match parsed {
            Ok(Ok(document)) => Ok(document),
            Ok(Err(version)) => Err(FolderError::Newer { path, version }),
            Err(source) => Err(FolderError::Damaged { path, source }),
        }
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

/// Writes `faults.jsonl`.
///
/// Faults are few, and their plan must be written down before anything is done: a line goes out at once and whole.
#[derive(Debug)]
pub struct FaultWriter {
    file: File,
    bytes: u64,
}

impl FaultWriter {
    /// Adds a line.
    ///
    /// # Errors
    /// The file cannot be written, or no reader would take it any more: [`bytes_max::FAULTS`].
    pub fn append(&mut self, record: &FaultRecord) -> io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        self.bytes += line.len() as u64;
        if self.bytes > bytes_max::FAULTS {
            let problem = format!(
                "these are too many faults for one run ({} bytes of them can be read); make it shorter",
                bytes_max::FAULTS
            );
            return Err(io::Error::other(problem));
        }
        self.file.write_all(&line)
    }
}

/// Writes a file so that a reader sees the old one or the new one, never half of one.
///
/// # Errors
/// The file cannot be written; what was there is still there.
pub fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut draft = tempfile::Builder::new()
        .prefix(".draft-")
        // As for any other file: the user's mask decides.
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
        .tempfile_in(folder.unwrap_or(Path::new(".")))?;
    draft.write_all(text.as_bytes())?;
    draft.as_file().sync_all()?;
    draft.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_missing_newer_or_damaged() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::existing(place.path().to_owned());
        assert!(matches!(folder.run(), Err(FolderError::Missing(_))));
        let with = |text: &str| {
            std::fs::write(place.path().join(files::RUN), text).unwrap();
            folder.run().unwrap_err()
        };
        assert!(matches!(with("{\"version\":999}"), FolderError::Newer { version: 999, .. }));
        assert!(matches!(with("{\"version\":1}"), FolderError::Damaged { .. }));
        assert!(matches!(with("{\"ver"), FolderError::Damaged { .. }));
    }

    /// A draft with a name that can be guessed was once written through a link.
    #[test]
    fn writing_follows_no_link() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        std::fs::write(at("precious"), "untouched").unwrap();
        for name in [files::REPORT, ".report.html.tmp"] {
            std::os::unix::fs::symlink("precious", at(name)).unwrap();
        }
        Folder::existing(place.path().to_owned()).write_report("new").unwrap();
        assert_eq!(std::fs::read_to_string(at("precious")).unwrap(), "untouched");
        assert!(!at(files::REPORT).is_symlink());
        assert_eq!(std::fs::read_to_string(at(files::REPORT)).unwrap(), "new");
    }

    #[test]
    fn what_no_reader_would_take_is_not_written() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::existing(place.path().to_owned());
        let mut faults = folder.create_faults().unwrap();
        let record = FaultRecord {
            fault: 0,
            time_ns: 0,
            family: "kill".to_owned(),
            form: "one".to_owned(),
            step: crate::FaultStep::Planned,
            targets: Vec::new(),
            ..FaultRecord::default()
        };
        faults.append(&record).unwrap();
        faults.bytes = bytes_max::FAULTS - 1;
        assert!(faults.append(&record).unwrap_err().to_string().contains("too many faults"));
        let mut read = 0;
        folder.read_faults(|_| read += 1).unwrap();
        assert_eq!(read, 1);
    }

    /// Each of these was once read without an end, waited for without an end, or followed.
    #[test]
    fn no_file_is_read_that_is_a_link_a_pipe_or_huge() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let folder = Folder::existing(place.path().to_owned());
        let read = |name: &str| match name {
            files::RUN => folder.run().map(drop),
            files::RESULTS => folder.results().map(drop),
            files::HISTORY => folder.read_history(drop).map(drop),
            files::FAULTS => folder.read_faults(drop).map(drop),
            files::ATTEMPTS => folder.read_attempts(drop).map(drop),
            files::INTROSPECTION => folder.read_introspection(drop).map(drop),
            _ => folder.read_messages(drop).map(drop),
        };
        let all = [
            (files::RUN, bytes_max::RUN),
            (files::RESULTS, bytes_max::RESULTS),
            (files::HISTORY, bytes_max::HISTORY),
            (files::FAULTS, bytes_max::FAULTS),
            (files::ATTEMPTS, bytes_max::ATTEMPTS),
            (files::MESSAGES, bytes_max::MESSAGES),
            (files::INTROSPECTION, bytes_max::INTROSPECTION),
        ];
        for (name, bytes_max) in all {
            let refused = |why: &str| {
                let error = read(name).unwrap_err();
                assert!(matches!(error, FolderError::Unreadable(_)), "{name}: {error}");
                let told = error.to_string();
                assert!(told.contains(why) && told.contains(name), "{told}");
                assert!(!error.is_of_the_system(), "{told}");
                std::fs::remove_file(at(name)).unwrap();
            };
            std::os::unix::fs::symlink("/dev/zero", at(name)).unwrap();
            refused("is a symbolic link");
            let made = std::process::Command::new("mkfifo").arg(at(name)).status().unwrap();
            assert!(made.success());
            refused("is a pipe");
            File::create(at(name)).unwrap().set_len(bytes_max + 1).unwrap();
            refused("are read");
        }
    }

    #[test]
    fn a_file_that_cannot_be_replaced_leaves_no_draft() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::existing(place.path().to_owned());
        folder.write_report("old").unwrap();
        let path = folder.write_report("new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        std::fs::remove_file(&path).unwrap();
        // A folder in the page's place cannot be replaced by a file.
        std::fs::create_dir(&path).unwrap();
        assert!(folder.write_report("newer").is_err());
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    }
}
