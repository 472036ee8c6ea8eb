//! `harness check`: judge a results folder again, from its record alone, or any tool's history against a model.

use std::path::Path;

use history::{Format, Verdict};
use linearizability::Limits;
use record::files;

use super::{
    run::{conclude, tell, word},
    say, say_json,
};
use crate::{
    check::{self, Answer, Document, Model, Question},
    cli::CheckArguments,
    exit::{Exit, Failure},
    run::{folder::Folder, judge::read_run},
};

/// Judges the folder and writes its results and report anew, or checks the history in a file.
///
/// # Errors
/// No such folder or file, no history, or no such model.
pub fn check(arguments: &CheckArguments) -> Result<Exit, Failure> {
    let path = arguments.path.canonicalize().map_err(|error| {
        Failure::Usage(format!(
            "{} is neither a results folder nor a history: {error}",
            arguments.path.display()
        ))
    })?;
    let limits = Limits {
        time: arguments.time_limit,
        memory_bytes: arguments.memory_limit,
        ..Limits::default()
    };
    match &arguments.model {
        Some(name) => check_history(
            arguments,
            &path,
            model(name)?.with_level(arguments.consistency.as_deref())?,
            &limits,
        ),
        None if path.is_dir() => check_folder(arguments, path, &limits),
        None => Err(Failure::Usage(format!(
            "{} is a file: name with --model what it must be linearizable as:\n{}",
            arguments.path.display(),
            Model::listed()
        ))),
    }
}

fn check_folder(
    arguments: &CheckArguments,
    path: std::path::PathBuf,
    limits: &Limits,
) -> Result<Exit, Failure> {
    let run = read_run(&path)?;
    let folder = Folder::existing(path);
    let results = conclude(&folder, limits)?;
    if arguments.json {
        say_json(&results);
    } else {
        tell(&results, &folder, &run);
    }
    Ok(results.verdict.into())
}

fn check_history(
    arguments: &CheckArguments,
    path: &Path,
    model: Model,
    limits: &Limits,
) -> Result<Exit, Failure> {
    let wanted = arguments.format.as_deref();
    if let Some(report) = &arguments.report {
        can_hold(report)?;
    }
    let (path, format) = if path.is_dir() {
        let history = path.join(files::HISTORY);
        if !history.is_file() {
            return Err(Failure::Usage(format!(
                "{} is a folder without a {}: name the file with the history",
                arguments.path.display(),
                files::HISTORY
            )));
        }
        (history, Format::JsonLines)
    } else {
        (path.to_path_buf(), check::format_of(path, wanted)?)
    };
    let question = Question { path, format, model, initial: arguments.initial.clone() };
    let answer = check::answer(&question, limits)?;
    if let Some(report) = &arguments.report {
        check::write_report(&question, &answer, command(arguments), report)?;
    }
    if arguments.json {
        say_json(&Document::new(&question, &answer));
    } else {
        tell_answer(&question, &answer, arguments);
    }
    Ok(answer.result.verdict.into())
}

/// Rather now than after a long check.
fn can_hold(report: &Path) -> Result<(), Failure> {
    let folder = report.parent().filter(|parent| !parent.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) || report.is_dir() {
        let told = format!("--report {} is no file in a folder that exists", report.display());
        return Err(Failure::Usage(told));
    }
    Ok(())
}

fn tell_answer(question: &Question, answer: &Answer, arguments: &CheckArguments) {
    let verdict = answer.result.verdict;
    say(&format!("{}: {}", word(verdict), check::sentence(question, answer)));
    if !answer.witness.is_empty() {
        say("");
        for line in check::table(&answer.witness) {
            say(&format!("  {line}"));
        }
        say("");
    }
    for line in check::explanation(answer) {
        say(&format!("  {line}"));
    }
    for note in &answer.notes {
        say(&format!("  note: {note}"));
    }
    let ms = |duration: std::time::Duration| format!("{:.1} ms", duration.as_secs_f64() * 1e3);
    let (events, format) = (answer.events, question.format.name());
    let (reading, checking) = (ms(answer.reading), ms(answer.checking));
    say(&format!("  read {events} events ({format}) in {reading}, checked in {checking}"));
    match &arguments.report {
        Some(report) => say(&format!("  report  {}", report.display())),
        None if verdict == Verdict::Violation => {
            say("  report  add --report FILE.html to see it drawn");
        }
        None => {}
    }
}

/// The command that asks the same again.
fn command(arguments: &CheckArguments) -> String {
    let option = |name: &str, value: &Option<String>| {
        value.as_ref().map_or(String::new(), |value| format!(" --{name} {value}"))
    };
    format!(
        "harness check {}{}{}{}{}",
        arguments.path.display(),
        option("model", &arguments.model),
        option("consistency", &arguments.consistency),
        option("format", &arguments.format),
        option("initial", &arguments.initial.as_ref().map(|value| format!("'{value}'"))),
    )
}

fn model(name: &str) -> Result<Model, Failure> {
    Model::by_name(name).ok_or_else(|| {
        Failure::Usage(format!("there is no model `{name}`; there are:\n{}", Model::listed()))
    })
}
