//! The readers of the stream that write the record into the results folder.

use record::{FaultWriter, Folder};

use crate::stream::{Reader, RunEvent};

/// The readers that write `history.jsonl` and `faults.jsonl`.
///
/// # Errors
/// The files cannot be made.
pub fn readers(folder: &Folder) -> std::io::Result<Vec<Box<dyn Reader>>> {
    let history = HistoryFile(folder.create_history()?);
    let faults = FaultsFile(folder.create_faults()?);
    Ok(vec![Box::new(history), Box::new(faults)])
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

struct FaultsFile(FaultWriter);

impl Reader for FaultsFile {
    fn read(&mut self, event: &RunEvent) -> std::io::Result<()> {
        match event {
            RunEvent::Fault(record) => self.0.append(record),
            RunEvent::History(_) => Ok(()),
        }
    }
}
