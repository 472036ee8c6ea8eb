//! One result a rule: what a student reads first.

use std::collections::BTreeMap;

use history::{
    CheckResult, Completion, Findings, Operation,
    words::{counted, cut, seconds, who},
};

use super::{
    Again, Content, End, Ended, JOB, Job, NOT_DONE, Output, READ, ReadAgain, TOO_SLOW,
    differences::{self, Difference},
    record,
};

/// The name of the check whether outputs are those of a sequential run.
pub const OUTPUTS: &str = "outputs";
/// The name of the check whether finished jobs stay as they were.
pub const STAY: &str = "finished-jobs-stay";
/// The name of the check whether jobs come to their ends.
pub const PROGRESS: &str = "progress";

/// So much is told of a name or a reason.
const CHARS_MAX: usize = 160;

/// Judges the record of jobs, its operations alone.
///
/// # Errors
/// What in it is no record of jobs.
pub fn judge(operations: &[Operation]) -> Result<Vec<CheckResult>, String> {
    let mut done = BTreeMap::new();
    let outputs = outputs(operations, &mut done)?;
    Ok(vec![outputs, stay(operations, &done)?, progress(operations)])
}

/// A job that is done.
struct Done<'a> {
    operation: &'a Operation,
    job: Job,
    ended: Ended,
}

impl Done<'_> {
    fn outputs(&self) -> &[Output] {
        match &self.ended.end {
            End::Done { outputs } => outputs,
            End::Failed { .. } | End::Forgotten => &[],
        }
    }
}

fn outputs<'a>(
    operations: &'a [Operation],
    done: &mut BTreeMap<u64, Done<'a>>,
) -> Result<CheckResult, String> {
    let mut findings = Findings::default();
    for operation in of(operations, JOB) {
        let Some(ended) = record::result::<Ended>(operation)? else { continue };
        let job: Job = record::arguments(operation)?;
        let wrong = match &ended.end {
            End::Done { outputs } => differences::of(&job, outputs)?,
            End::Failed { error } => {
                let sentence =
                    format!("was given up, though its inputs are right: {}", cut(error, CHARS_MAX));
                Some(Difference { kind: "job failed", sentence })
            }
            End::Forgotten => {
                let sentence = "was started, and then the coordinator did not know it, though it was neither killed nor paused";
                Some(Difference { kind: "job lost", sentence: sentence.to_owned() })
            }
        };
        if let Some(Difference { kind, sentence }) = wrong {
            let name = name(operation, &ended.job, &job);
            findings.add(kind, [operation.call], || format!("{name} {sentence}"));
        }
        if matches!(ended.end, End::Done { .. }) {
            done.insert(operation.call, Done { operation, job, ended });
        }
    }
    let checked = match done.len() {
        0 => "No job came to its end.".to_owned(),
        count => format!(
            "The outputs of {} were compared with those of a sequential run.",
            counted(count, "job")
        ),
    };
    if done.is_empty() && findings.is_empty() {
        return Ok(CheckResult::inconclusive(OUTPUTS, checked));
    }
    Ok(findings.into_result(OUTPUTS, &checked))
}

/// Whether outputs are as they were when their job was done.
fn stay(operations: &[Operation], done: &BTreeMap<u64, Done>) -> Result<CheckResult, String> {
    let (mut findings, mut read) = (Findings::default(), 0);
    for operation in of(operations, READ) {
        let Some(again) = record::result::<Again>(operation)? else { continue };
        let ReadAgain { of, .. } = record::arguments(operation)?;
        let done = done.get(&of).ok_or_else(|| {
            format!("{} is of a job that the record does not show", who(operation))
        })?;
        read += 1;
        let Again::Changed(outputs) = again else { continue };
        if let Some(change) = change(done.outputs(), &outputs) {
            let name = name(done.operation, &done.ended.job, &done.job);
            findings.add("changed after the end", [done.operation.call, operation.call], || {
                let when = seconds(operation.call_ns, 3);
                format!(
                    "{name} was done, and when its outputs were read again at {when} s, {change}"
                )
            });
        }
    }
    let checked = format!("The outputs of {} were read again at the end.", counted(read, "job"));
    if read == 0 {
        return Ok(CheckResult::inconclusive(STAY, checked));
    }
    Ok(findings.into_result(STAY, &checked))
}

/// The first thing that is not as it was.
fn change(before: &[Output], after: &[Output]) -> Option<String> {
    if before.len() != after.len() {
        return Some("their number had changed".to_owned());
    }
    let (was, is) = before.iter().zip(after).find(|(was, is)| was.content != is.content)?;
    let file = was.path.rsplit('/').next().unwrap_or_default();
    let file = cut(file, CHARS_MAX);
    let told = match (&was.content, &is.content) {
        (_, Content::Trouble(why)) => format!("{file} could not be read: {}", cut(why, CHARS_MAX)),
        (Content::Trouble(_), _) => format!("{file} could be read, and not before"),
        (Content::Text(was), Content::Text(is)) => match differing_line(was, is) {
            (Some(was), Some(is)) => format!("{file} had the line `{is}` instead of `{was}`"),
            (Some(was), None) => format!("the line `{was}` was gone from {file}"),
            (None, Some(is)) => format!("{file} had one more line, `{is}`"),
            (None, None) => format!("{file} had other ends of lines"),
        },
    };
    Some(told)
}

fn differing_line(was: &str, is: &str) -> (Option<String>, Option<String>) {
    let (mut was, mut is) = (was.lines(), is.lines());
    loop {
        let (one, other) = (was.next(), is.next());
        if one != other || one.is_none() {
            let short = |line: &str| cut(line, CHARS_MAX);
            return (one.map(short), other.map(short));
        }
    }
}

/// Whether jobs came to their ends.
fn progress(operations: &[Operation]) -> CheckResult {
    let mut findings = Findings::default();
    let (mut ended, mut slow, mut unknown) = (0, 0, 0);
    for operation in of(operations, JOB) {
        match &operation.completion {
            Completion::Ok(..) => ended += 1,
            Completion::Info(Some(reason)) if reason.starts_with(NOT_DONE) => {
                let reason = cut(reason.trim_start_matches(NOT_DONE), CHARS_MAX);
                let from = seconds(operation.call_ns, 3);
                findings.add("no progress", [operation.call], || {
                    format!(
                        "a job that a client started at {from} s did not come to its end: {reason}"
                    )
                });
            }
            Completion::Info(Some(reason)) if reason.starts_with(TOO_SLOW) => slow += 1,
            Completion::Info(_) | Completion::Fail(..) => unknown += 1,
        }
    }
    let mut checked = format!("{} came to their ends.", counted(ended, "job"));
    if unknown > 0 {
        let more = counted(unknown, "other");
        checked.push_str(&format!(" Whether {more} had been started at all, nobody knows."));
    }
    if slow > 0 && findings.is_empty() {
        let jobs = counted(slow, "job");
        let more = format!("{checked} {jobs} still went on when the bench stopped waiting.");
        return CheckResult::inconclusive(PROGRESS, more);
    }
    findings.into_result(PROGRESS, &checked)
}

fn of<'a>(operations: &'a [Operation], f: &'static str) -> impl Iterator<Item = &'a Operation> {
    operations.iter().filter(move |operation| operation.f == f)
}

/// `job j3 (wordcount of 4 documents with 2 reduce tasks, 3.204–3.511 s)`
fn name(operation: &Operation, name: &str, job: &Job) -> String {
    let documents = counted(job.documents.len(), "document");
    let tasks = counted(job.reducers as usize, "reduce task");
    let from = seconds(operation.call_ns, 3);
    let to = operation.return_ns.map_or_else(String::new, |ns| seconds(ns, 3));
    let (name, app) = (cut(name, 64), cut(&job.app, 20));
    format!("job {name} ({app} of {documents} with {tasks}, {from}–{to} s)")
}
