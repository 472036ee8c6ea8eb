//! Several folders or files, or several levels: a verdict a line, and a summary.

use history::{Verdict, words::counted};
use isolation::Consistency;
use judge::foreign::{self, CheckedHistory, Document, Model, Question, Source, Transactions};
use record::Folder;
use serde_json::{Value, json};

use super::{Subject, can_hold_none, limits, subject};
use crate::{
    cli::CheckArguments,
    commands::{complain, say, say_json, verdict},
    exit::{Exit, Failure},
};

/// What came of one of them.
struct Answer {
    verdict: Verdict,
    /// What follows the name of the file or folder.
    sentence: String,
    document: Value,
    /// Whether all that was to be written was written.
    all_written: bool,
}

/// How many had which verdict, or none.
#[derive(Default)]
struct Tally {
    worst: Option<Verdict>,
    valid: usize,
    violations: usize,
    inconclusive: usize,
    failed: usize,
    /// The exit code of the first that has no verdict, or could not be written.
    failure: Option<Exit>,
}

/// Checks each path at each level that was asked for. One that cannot be checked does not keep the others from it.
///
/// # Errors
/// `--report`, which is about one history.
pub(super) fn check(arguments: &CheckArguments, sources: &[Source]) -> Result<Exit, Failure> {
    can_hold_none(arguments.report.as_deref())?;
    let levels: Vec<Option<Consistency>> = match &arguments.consistency[..] {
        [] => vec![None],
        levels => levels.iter().copied().map(Some).collect(),
    };
    let mut tally = Tally::default();
    let mut documents = Vec::new();
    for (source, named) in sources.iter().zip(&arguments.paths) {
        for (level, answer) in levels.iter().zip(answers(arguments, source, &levels)) {
            // On one line, whatever the name.
            let file = named.display().to_string().escape_debug().to_string();
            let place = level.map_or_else(|| file.clone(), |level| format!("{file} ({level})"));
            tally.add(&answer);
            match answer {
                Ok(answer) if arguments.json => documents.push(answer.document),
                Ok(answer) => {
                    let word = verdict::word(answer.verdict);
                    say(&format!("{word:<12}  {place}{}", answer.sentence));
                }
                Err(failure) if arguments.json => {
                    documents.push(json!({
                        "verdict": null,
                        "file": named.display().to_string(),
                        "consistency": level.map(Consistency::name),
                        "exit": failure.exit() as u8,
                        "error": failure.to_string(),
                    }));
                }
                Err(failure) => complain(&format!("NOT CHECKED   {place}: {failure}")),
            }
        }
    }
    if arguments.json {
        say_json(&json!({ "verdict": tally.verdict(), "answers": documents }));
    } else {
        say(&tally.sentence());
    }
    Ok(tally.exit())
}

/// One answer for each level.
fn answers(
    arguments: &CheckArguments,
    source: &Source,
    levels: &[Option<Consistency>],
) -> Vec<Result<Answer, Failure>> {
    // Transactions are read once for all levels.
    let mut read: Option<Transactions> = None;
    let mut answer = |level: &Option<Consistency>| {
        let limits = limits(arguments);
        match subject(arguments, source, *level)? {
            Subject::Folder(folder) => of_folder(arguments, &folder, *level),
            Subject::History(question) => {
                let checked = match question.model {
                    Model::Transactional(asked) => {
                        let read = match &mut read {
                            Some(read) => read,
                            none => {
                                none.insert(Transactions::read(asked, &question, &limits, &())?)
                            }
                        };
                        read.check(asked, &question, &limits, &())?
                    }
                    Model::Linearizable(_) | Model::Invariant(_) => {
                        foreign::check(&question, &limits, &())?
                    }
                };
                of_history(&question, &checked)
            }
        }
    };
    levels.iter().map(&mut answer).collect()
}

fn of_folder(
    arguments: &CheckArguments,
    folder: &Folder,
    level: Option<Consistency>,
) -> Result<Answer, Failure> {
    let results = judge::run::judge(folder, level, &limits(arguments))?;
    Ok(Answer {
        verdict: results.verdict,
        sentence: format!(": {}", results.summary),
        // At one of several levels it is not the verdict on the folder.
        all_written: arguments.consistency.len() > 1 || verdict::write(folder, &results),
        document: as_value(serde_json::to_value(&results))?,
    })
}

fn of_history(question: &Question, checked: &CheckedHistory) -> Result<Answer, Failure> {
    let document = Document::new(question, checked);
    let after = document.summary.strip_prefix(&question.source.name());
    Ok(Answer {
        verdict: checked.result.verdict,
        sentence: after.map_or_else(|| format!(": {}", document.summary), str::to_owned),
        all_written: true,
        document: as_value(serde_json::to_value(&document))?,
    })
}

fn as_value(value: serde_json::Result<Value>) -> Result<Value, Failure> {
    value.map_err(|error| Failure::Failed(format!("the answer cannot be written: {error}")))
}

impl Tally {
    fn add(&mut self, answer: &Result<Answer, Failure>) {
        match answer {
            Ok(answer) => {
                *match answer.verdict {
                    Verdict::Valid => &mut self.valid,
                    Verdict::Violation => &mut self.violations,
                    Verdict::Inconclusive => &mut self.inconclusive,
                } += 1;
                self.worst =
                    Some(self.worst.map_or(answer.verdict, |worst| worst.merge(answer.verdict)));
                if !answer.all_written {
                    self.failure.get_or_insert(Exit::Failed);
                }
            }
            Err(failure) => {
                self.failed += 1;
                self.failure.get_or_insert(failure.exit());
            }
        }
    }

    /// Of all of them; `None` where some have none, unless a violation is proven.
    fn verdict(&self) -> Option<Verdict> {
        self.worst.filter(|worst| *worst == Verdict::Violation || self.failure.is_none())
    }

    /// A violation is one, whatever else went wrong; one that has no verdict is no part of a green.
    fn exit(&self) -> Exit {
        match (self.worst, self.failure) {
            (Some(Verdict::Violation), _) => Exit::Violation,
            (_, Some(failure)) => failure,
            (Some(worst), None) => worst.into(),
            (None, None) => Exit::Inconclusive,
        }
    }

    fn sentence(&self) -> String {
        let all = self.valid + self.violations + self.inconclusive + self.failed;
        let mut parts = vec![
            format!("{} valid", self.valid),
            counted(self.violations, "violation"),
            format!("{} inconclusive", self.inconclusive),
        ];
        if self.failed > 0 {
            parts.push(format!("{} not checked", self.failed));
        }
        format!("{}: {}.", counted(all, "check"), parts.join(", "))
    }
}
