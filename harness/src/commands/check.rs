//! `harness check`: judge a results folder again, from its record alone, or any tool's history against a model.

mod progress;
mod several;
mod stdin;

use std::fmt::Display;
use std::path::{Path, PathBuf};

use history::{
    Datum, Format, Verdict,
    words::{counted, cut},
};
use isolation::Consistency;
use judge::foreign::{self, CheckedHistory, Document, ForeignError, Model, Question, Source};
use linearizability::Limits;
use record::{Folder, files};
use serde_json::Value;

use super::{say, say_json, verdict};
use crate::{
    again,
    cli::{CheckArguments, STDIN},
    disk,
    exit::{Exit, Failure},
};
use progress::Bar;
use verdict::Voice;

/// So many violations are listed beside the first.
const LISTED_MAX: usize = 10;
/// So much of each is shown.
const ALSO_CHARS_MAX: usize = 200;

/// Judges the folder and writes its results and report anew, or checks the history in a file; of several, or at several
/// levels, each by itself.
///
/// # Errors
/// No such folder or file, no history, or no such model.
pub fn check(arguments: &CheckArguments) -> Result<Exit, Failure> {
    if arguments.model.is_none() && arguments.paths.iter().any(|path| path.as_os_str() == STDIN) {
        return Err(no_model(&"stdin"));
    }
    let kept = stdin::kept_if_named(&arguments.paths)?;
    let source = |named: &PathBuf| match &kept {
        Some(kept) if named.as_os_str() == STDIN => kept.clone(),
        _ => Source::at(named.clone()),
    };
    let sources: Vec<Source> = arguments.paths.iter().map(source).collect();
    match (&sources[..], &arguments.consistency[..]) {
        ([source], [] | [_]) => {
            let level = arguments.consistency.first().copied();
            match subject(arguments, source, level)? {
                Subject::Folder(folder) => check_folder(arguments, &folder, level),
                Subject::History(question) => check_history(arguments, &question),
            }
        }
        _ => several::check(arguments, &sources),
    }
}

/// What is checked.
enum Subject {
    /// A results folder.
    Folder(Folder),
    /// A history against a model.
    History(Question),
}

fn subject(
    arguments: &CheckArguments,
    source: &Source,
    level: Option<Consistency>,
) -> Result<Subject, Failure> {
    let source = match source.path() {
        None => source.clone(),
        Some(path) => Source::at(path.canonicalize().map_err(|error| {
            Failure::Usage(format!("{source} is neither a results folder nor a history: {error}"))
        })?),
    };
    let folder = source.path().filter(|path| path.is_dir()).map(Path::to_owned);
    match (&arguments.model, folder) {
        (Some(name), folder) => {
            let model = Model::named(name)?.with_level(level)?;
            Ok(Subject::History(question(arguments, source, folder, model)?))
        }
        (None, Some(folder)) => Ok(Subject::Folder(Folder::existing(folder))),
        (None, None) => Err(no_model(&source)),
    }
}

fn no_model(named: &dyn Display) -> Failure {
    Failure::Usage(format!(
        "{named} is a file: name with --model what it must be linearizable as:\n{}",
        Model::listed()
    ))
}

fn limits(arguments: &CheckArguments) -> Limits {
    Limits { time: arguments.time_limit, memory_bytes: arguments.memory_limit, ..Limits::default() }
}

fn check_folder(
    arguments: &CheckArguments,
    folder: &Folder,
    level: Option<Consistency>,
) -> Result<Exit, Failure> {
    let run = judge::run::read_run(folder)?;
    let results = judge::run::judge(folder, level, &limits(arguments))?;
    let voice = if arguments.json { Voice::Document } else { Voice::Words };
    let all_written = verdict::deliver(folder, &run, &results, voice);
    Ok(verdict::exit(results.verdict, all_written))
}

fn question(
    arguments: &CheckArguments,
    source: Source,
    folder: Option<PathBuf>,
    model: Model,
) -> Result<Question, Failure> {
    let (source, format) = if let Some(folder) = folder {
        let history = folder.join(files::HISTORY);
        if history.symlink_metadata().is_err() {
            return Err(Failure::Usage(format!(
                "{} is a folder without a {}: name the file with the history",
                folder.display(),
                files::HISTORY
            )));
        }
        (Source::at(history), Format::JsonLines)
    } else {
        let format = foreign::format_of(&source, arguments.format.as_deref())?;
        (source, format)
    };
    let initial = arguments.initial.as_deref().map(Datum::from_json).transpose();
    let initial = initial.map_err(|error| Failure::Usage(format!("--initial: {error}")))?;
    Ok(Question { source, format, model, initial })
}

fn check_history(arguments: &CheckArguments, question: &Question) -> Result<Exit, Failure> {
    let limits = limits(arguments);
    if let Some(report) = &arguments.report {
        can_hold(report, question.source.path())?;
    }
    let bar = Bar::new(&question.source.name(), limits.time);
    let mut checked = foreign::check(question, &limits, &bar)?;
    drop(bar);
    if let Some(initial) = foreign::initial_that_explains(question, &checked, &limits) {
        checked.notes.push(format!(
            "With --initial '{}' the history is valid: perhaps that was the value before the first operation.",
            Value::from(initial)
        ));
    }
    if arguments.json {
        say_json(&Document::new(question, &checked));
    } else {
        print(question, &checked, arguments.report.as_deref());
    }
    let all_written = arguments.report.as_deref().is_none_or(|report| {
        verdict::draws(|| write_report(question, &checked, again::check(arguments), report))
    });
    Ok(verdict::exit(checked.result.verdict, all_written))
}

/// A page is about one history.
fn can_hold_none(report: Option<&Path>) -> Result<(), Failure> {
    match report {
        Some(_) => Err(Failure::Usage(
            "--report is for one history at one level; the report of a results folder is in the folder".to_owned(),
        )),
        None => Ok(()),
    }
}

/// Whether a page can be put there: rather now than after a long check.
fn can_hold(report: &Path, history: Option<&Path>) -> Result<(), Failure> {
    let folder = report.parent().filter(|parent| !parent.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) || report.is_dir() {
        let place = report.display();
        return Err(Failure::Usage(format!("--report {place} is no file in a folder that exists")));
    }
    if report.canonicalize().is_ok_and(|report| Some(&*report) == history) {
        let place = report.display();
        return Err(Failure::Usage(format!(
            "--report {place} is the history itself, which the page would replace"
        )));
    }
    Ok(())
}

fn print(question: &Question, checked: &CheckedHistory, report: Option<&Path>) {
    let verdict = checked.result.verdict;
    say(&format!("{}: {}", verdict::word(verdict), foreign::sentence(question, checked)));
    if !checked.witness.is_empty() {
        say("");
        for line in foreign::table(&checked.witness) {
            say(&format!("  {line}"));
        }
        say("");
    }
    for line in foreign::explanation(checked) {
        say(&format!("  {line}"));
    }
    for other in also(checked) {
        say(&format!("  also: {other}"));
    }
    for note in &checked.notes {
        say(&format!("  note: {note}"));
    }
    let ms = |duration: std::time::Duration| format!("{:.1} ms", duration.as_secs_f64() * 1e3);
    let events = counted(usize::try_from(checked.events).unwrap_or(usize::MAX), "event");
    let format = question.format.name();
    let (reading, checking) = (ms(checked.reading), ms(checked.checking));
    say(&format!("  read {events} ({format}) in {reading}, checked in {checking}"));
    match report {
        Some(report) => say(&format!("  report  {}", report.display())),
        None if verdict == Verdict::Violation => {
            say("  report  add --report FILE.html to see it drawn");
        }
        None => {}
    }
}

/// The violations beside the first, shortly.
fn also(checked: &CheckedHistory) -> Vec<String> {
    let others = checked.result.violations.iter().skip(1);
    let mut lines: Vec<String> =
        others.clone().take(LISTED_MAX).map(|other| cut(&other.sentence, ALSO_CHARS_MAX)).collect();
    let more = others.count().saturating_sub(LISTED_MAX);
    if more > 0 {
        lines.push(format!("{more} more; --json has all that were kept"));
    }
    lines
}

fn write_report(
    question: &Question,
    checked: &CheckedHistory,
    command: String,
    to: &Path,
) -> Result<(), Failure> {
    let events: Result<Vec<_>, ForeignError> = foreign::events(question)?.collect();
    let history = history(question, checked.has_times, command);
    let page = reports::Page::of_history(history, judgement(question, checked), events?);
    let page = reports::render(&page);
    // Such as /dev/stdout: nothing that can be replaced.
    let is_special = to.metadata().is_ok_and(|metadata| !metadata.is_file());
    let written =
        if is_special { std::fs::write(to, page) } else { record::write_whole(to, &page) };
    written.map_err(|error| {
        Failure::Failed(format!("no report in {}: {}", to.display(), disk::explain(&error)))
    })
}

fn history(question: &Question, has_times: bool, command: String) -> reports::History {
    let folder = question.source.path().and_then(Path::parent);
    reports::History {
        file: question.source.name(),
        folder: folder.map(|folder| folder.display().to_string()).unwrap_or_default(),
        model: question.model.name().to_owned(),
        checked: jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        harness: env!("CARGO_PKG_VERSION").to_owned(),
        command,
        has_times,
    }
}

fn judgement(question: &Question, checked: &CheckedHistory) -> reports::Judgement {
    let mut notes = checked.notes.clone();
    if !checked.has_times {
        notes.push(
            "The history has no times: its events are drawn a millisecond apart, in their order."
                .to_owned(),
        );
    }
    reports::Judgement {
        verdict: checked.result.verdict,
        summary: foreign::sentence(question, checked),
        checks: vec![checked.result.clone()],
        operations: checked.operations.clone(),
        latency_ms: None,
        evidence: Vec::new(),
        promises: Vec::new(),
        behaviour: None,
        notes,
    }
}
