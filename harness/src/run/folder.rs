//! The readers of the stream that write the record into the results folder.

use std::io;

use record::{AttemptWriter, BlockWriter, FaultWriter, Folder, IntrospectionRecord, Place, files};

use crate::{
    disk,
    stream::{Reader, RunEvent},
};

/// The readers that write `history.jsonl`, `faults.jsonl` and `attempts.jsonl`, and `introspection.jsonl` where nodes show their
/// logs. They fail as soon as these files are full or gone.
///
/// # Errors
/// The files cannot be made.
pub fn readers(folder: &Folder, shows_log: bool) -> io::Result<Vec<Box<dyn Reader>>> {
    let (history, faults) = (folder.create_history()?, folder.create_faults()?);
    let attempts = folder.create_attempts()?;
    let place = |name: &str| Place::of(&folder.path().join(name));
    let history = HistoryFile { file: history, place: place(files::HISTORY)? };
    let faults = FaultsFile { file: faults, place: place(files::FAULTS)? };
    let attempts = AttemptsFile { file: attempts, place: place(files::ATTEMPTS)? };
    let mut readers: Vec<Box<dyn Reader>> =
        vec![Box::new(history), Box::new(faults), Box::new(attempts)];
    if shows_log {
        let file = folder.create_introspection()?;
        readers.push(Box::new(IntrospectionFile { file, place: place(files::INTROSPECTION)? }));
    }
    Ok(readers)
}

struct HistoryFile {
    file: history::Writer,
    place: Place,
}

impl Reader for HistoryFile {
    fn read(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::History(event) => self.file.append(event).map_err(in_file(files::HISTORY)),
            _ => Ok(()),
        }
    }

    fn pause(&mut self) -> io::Result<()> {
        self.file.flush().map_err(in_file(files::HISTORY))?;
        self.place.check()
    }
}

struct FaultsFile {
    file: FaultWriter,
    place: Place,
}

impl Reader for FaultsFile {
    fn read(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::Fault(record) => self.file.append(record).map_err(in_file(files::FAULTS)),
            _ => Ok(()),
        }
    }

    fn pause(&mut self) -> io::Result<()> {
        self.place.check()
    }
}

struct AttemptsFile {
    file: AttemptWriter,
    place: Place,
}

impl Reader for AttemptsFile {
    fn read(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::Attempts(records) => records
                .iter()
                .try_for_each(|record| self.file.append(record))
                .map_err(in_file(files::ATTEMPTS)),
            _ => Ok(()),
        }
    }

    fn pause(&mut self) -> io::Result<()> {
        self.file.flush().map_err(in_file(files::ATTEMPTS))?;
        self.place.check()
    }
}

struct IntrospectionFile {
    file: BlockWriter<IntrospectionRecord>,
    place: Place,
}

impl Reader for IntrospectionFile {
    fn read(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::Introspection(record) => {
                self.file.append(record).map_err(in_file(files::INTROSPECTION))
            }
            _ => Ok(()),
        }
    }

    fn pause(&mut self) -> io::Result<()> {
        self.file.flush().map_err(in_file(files::INTROSPECTION))?;
        self.place.check()
    }
}

fn in_file(name: &str) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{name}: {}", disk::explain(&error)))
}
