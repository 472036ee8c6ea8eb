//! What becomes of a verdict: it is told, then written down, and only then drawn. Nothing that fails later takes it away.

use std::panic::{AssertUnwindSafe, catch_unwind};

use history::Verdict;
use record::{FailureFile, Folder, ResultsFile, RunFile, VERSION, files};

use super::{complain, say, say_json};
use crate::{
    disk,
    exit::{Exit, Failure},
};

/// Where the verdict on a run is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    /// In sentences on stdout.
    Words,
    /// As the one document on stdout.
    Document,
    /// In sentences on stderr: the document follows once there are more verdicts.
    Aside,
}

/// Tells the verdict on a run, then writes it and its report into the folder. Whether all that worked; what did not is
/// said on stderr.
#[must_use]
pub(super) fn deliver(folder: &Folder, run: &RunFile, results: &ResultsFile, voice: Voice) -> bool {
    match voice {
        Voice::Words => say(&sentences(results, folder, run)),
        Voice::Document => say_json(results),
        Voice::Aside => complain(&sentences(results, folder, run)),
    }
    write(folder, results)
}

/// Writes a verdict and its report into the folder. Whether all that worked; what did not is said on stderr.
#[must_use]
pub(super) fn write(folder: &Folder, results: &ResultsFile) -> bool {
    if let Err(error) = folder.write_results(results) {
        let (name, place) = (files::RESULTS, folder.path().display());
        let why = disk::explain(&error);
        let failure = format!("no {name} and no report in {place}: {why}. The verdict above holds");
        complain(&Failure::Failed(failure).to_string());
        return false;
    }
    draws_report_of(folder)
}

/// Writes why a run has no verdict into its folder, and draws what there is of it; the failure itself is told at the end.
pub(super) fn deliver_failure(folder: &Folder, failure: &Failure) {
    if matches!(failure, Failure::Interrupted) {
        return complain(&format!("What there is of the run: {}", folder.path().display()));
    }
    let document =
        FailureFile { version: VERSION, exit: failure.exit() as u8, error: failure.to_string() };
    if let Err(error) = folder.write_failure(&document) {
        let (name, why) = (files::FAILURE, disk::explain(&error));
        return complain(&format!("no {name} and no report in {}: {why}", folder.path().display()));
    }
    if draws_report_of(folder) {
        complain(&format!("  report  {}", folder.path().join(files::REPORT).display()));
    }
}

/// Whether the report of a run was drawn into its folder.
fn draws_report_of(folder: &Folder) -> bool {
    draws(|| {
        let drawn = reports::write(folder);
        drawn.map(drop).map_err(|error| Failure::Failed(format!("no report: {error}")))
    })
}

/// Whether a report was drawn; why not is said on stderr. Not even a panic in there takes away the verdict.
#[must_use]
pub(super) fn draws(draw: impl FnOnce() -> Result<(), Failure>) -> bool {
    // What a panic leaves half done is the report only.
    let drawn = catch_unwind(AssertUnwindSafe(draw)).unwrap_or_else(|_| {
        Err(Failure::Failed("no report: a mistake of the bench ended its drawing".to_owned()))
    });
    if let Err(failure) = &drawn {
        complain(&failure.to_string());
    }
    drawn.is_ok()
}

/// The exit code of a verdict, whether or not all that was to be written was written.
pub(super) fn exit(verdict: Verdict, all_written: bool) -> Exit {
    let exit = Exit::from(verdict);
    if all_written { exit } else { exit.with_failure() }
}

/// The verdict as it stands at the start of a line.
pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "VALID",
        Verdict::Inconclusive => "INCONCLUSIVE",
        Verdict::Violation => "VIOLATION",
    }
}

/// The verdict in a sentence, where the report is, and how to do it again.
fn sentences(results: &ResultsFile, folder: &Folder, run: &RunFile) -> String {
    let mut lines =
        vec![format!("{}{}: {}", word(results.verdict), proviso(results, run), results.summary)];
    lines.extend(results.notes.iter().map(|note| format!("  note: {note}")));
    let behaviour = results.behaviour.as_ref();
    let fail_over = behaviour.and_then(|behaviour| behaviour.fail_over_ms);
    lines.extend(fail_over.map(|times| format!("  fail-over: {}", times.words("time"))));
    let paused = behaviour.and_then(|behaviour| behaviour.shards_paused_ms);
    let paused = paused.map(|times| times.words("move"));
    lines.extend(paused.map(|times| format!("  a shard that moves was not served for: {times}")));
    lines.push(format!("  report  {}", folder.path().join(files::REPORT).display()));
    lines.push(format!("  again   {}", run.command));
    lines.join("\n")
}

/// What a green depends on, beside what was seen.
fn proviso(results: &ResultsFile, run: &RunFile) -> &'static str {
    match results.verdict {
        Verdict::Valid if !run.is_confined() => " if no node went around its links",
        Verdict::Valid if run.spoken_for => {
            " if the programs that speak for the nodes keep nothing themselves"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_panics_or_fails_leaves_the_verdict_and_its_code() {
        assert!(draws(|| Ok(())));
        assert!(!draws(|| Err(Failure::Failed("no room".to_owned()))));
        assert!(!draws(|| panic!("a picture without a frame")));
        assert_eq!(exit(Verdict::Violation, false), Exit::Violation);
        assert_eq!(exit(Verdict::Valid, false), Exit::Failed);
        assert_eq!(exit(Verdict::Valid, true), Exit::Valid);
    }
}
