//! What `run` and `check` do with the verdict on a run: print it, and write it into the folder.

use history::Verdict;
use record::{Folder, ResultsFile, RunFile, files};

use super::{complain, say};
use crate::exit::Failure;

/// Writes results and report into a folder that was judged. Where that fails, it says why: the verdict is out already.
#[must_use]
pub(super) fn write(folder: &Folder, results: &ResultsFile) -> bool {
    let written = folder
        .write_results(results)
        .map_err(|error| format!("no {} in {}: {error}", files::RESULTS, folder.path().display()));
    let written = written
        .and_then(|()| reports::write(folder).map_err(|error| format!("no report: {error}")));
    let reason = written.err().map(Failure::Failed);
    if let Some(failure) = &reason {
        complain(&failure.to_string());
    }
    reason.is_none()
}

/// The verdict as it stands at the start of a line.
pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "VALID",
        Verdict::Inconclusive => "INCONCLUSIVE",
        Verdict::Violation => "VIOLATION",
    }
}

/// Prints the verdict in a sentence, where the report is, and how to do it again.
pub(super) fn print(results: &ResultsFile, folder: &Folder, run: &RunFile) {
    // Values of the store may stand in these: shown, not obeyed.
    let summary = cluster::logs::printable(results.summary.as_bytes());
    say(&format!("{}: {summary}", word(results.verdict)));
    for note in &results.notes {
        say(&format!("  note: {}", cluster::logs::printable(note.as_bytes())));
    }
    say(&format!("  report  {}", folder.path().join(files::REPORT).display()));
    say(&format!("  again   {}", run.command));
}
