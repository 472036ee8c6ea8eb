//! A run against a view service: its scripts, each judged by itself, and whether every request was answered.

use history::words::{counted, cut};
use history::{CheckResult, Completion, Operation, Verdict, Violation};
use record::{Folder, Mark, OwnExit, Phase, Promise, ResultsFile, RunFile, VERSION};
use workloads::view_service::{self, NAMED, Named, Scripts, TOO_LATE};

use super::{
    Record, in_main, is_ended, judged_by, notes, recovery, sentence_case, summary, with_kind,
};

/// The name of the check whether every request was answered.
const ANSWERS: &str = "answers";
/// So much is told of why a request has no answer.
const REASON_CHARS_MAX: usize = 160;

/// Whether the bench played the servers of a view service.
pub(super) fn is(run: &RunFile) -> bool {
    run.workload == view_service::NAME
}

/// The verdict on its record.
pub(super) fn judge(folder: &Folder, record: &Record) -> ResultsFile {
    let Record { events, torn_line, .. } = record;
    let marks: Vec<Mark> = events.iter().filter_map(Mark::of).collect();
    let (operations, of_scripts) = judged_by(events, view_service::judge);
    let (mut checks, seen) = match of_scripts {
        Ok(scripts) => (scripts.checks.clone(), Some(scripts)),
        Err(premises) => (vec![premises], None),
    };
    checks.push(answers(&operations, &marks));
    let promises = promises(&checks);
    // What a student reads first.
    checks.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    for violation in checks.iter_mut().flat_map(|check| &mut check.violations) {
        violation.sentence = with_kind(violation);
        if !is_ended(&violation.sentence) {
            violation.sentence.push('.');
        }
    }
    let verdict = checks.iter().map(|check| check.verdict).fold(Verdict::Valid, Verdict::merge);
    let main = in_main(&operations);
    ResultsFile {
        verdict,
        version: VERSION,
        summary: sentence(verdict, &checks, seen.as_ref()),
        consistency: None,
        checks,
        operations: summary::endings(&main),
        latency_ms: summary::latency(&main),
        evidence: Vec::new(),
        promises,
        faults: super::ByFamily::new(),
        behaviour: None,
        notes: notes(&marks, *torn_line),
        folder: folder.path().display().to_string(),
    }
}

/// The verdict in one sentence.
fn sentence(verdict: Verdict, checks: &[CheckResult], seen: Option<&Scripts>) -> String {
    let mut of = checks.iter().filter(|check| check.verdict == verdict);
    match (verdict, seen) {
        (Verdict::Violation, _) => of
            .find_map(|check| Some(check.violations.first()?.sentence.clone()))
            .unwrap_or_else(|| "A rule was broken.".to_owned()),
        (Verdict::Valid, Some(Scripts { scripts, answers, changes, .. })) => format!(
            "{}, {} and {} kept every rule of a view service.",
            counted(*scripts, "script"),
            counted(*changes, "view"),
            counted(*answers, "answer")
        ),
        _ => of.map(|check| check.summary.as_str()).collect::<Vec<_>>().join(" "),
    }
}

/// One row a script.
fn promises(checks: &[CheckResult]) -> Vec<Promise> {
    let check = |name: &str| checks.iter().find(|check| check.checker == name);
    let of_script = |Named { name, about, .. }: &Named| {
        let check = check(name);
        Promise {
            promise: name.replace('-', " "),
            how: (*about).to_owned(),
            verdict: check.map(|check| check.verdict),
            seen: check
                .map_or("The script was not played.".to_owned(), |check| check.summary.clone()),
        }
    };
    let of_all = [
        (view_service::RANDOM, "every rule, whatever the servers do"),
        (ANSWERS, "every request is answered, and the service does not end"),
    ];
    let of_all = of_all.into_iter().filter_map(|(name, how)| {
        let CheckResult { verdict, summary, .. } = check(name)?;
        let (promise, how) = (name.replace('-', " "), how.to_owned());
        Some(Promise { promise, how, verdict: Some(*verdict), seen: summary.clone() })
    });
    NAMED.iter().map(of_script).chain(of_all).collect()
}

/// Nothing was broken, so that every request has an answer.
fn answers(operations: &[Operation], marks: &[Mark]) -> CheckResult {
    let inconclusive = |reason: String| CheckResult::inconclusive(ANSWERS, reason);
    let unanswered = operations.iter().find_map(|operation| match &operation.completion {
        Completion::Info(reason) => Some((operation, reason.as_deref().unwrap_or("nothing came"))),
        Completion::Ok(..) | Completion::Fail(..) => None,
    });
    let exits: Vec<&OwnExit> = marks.iter().filter_map(recovery::own_exit).collect();
    let (kind, why) = match (exits.as_slice(), unanswered) {
        ([], None) if marks.contains(&Mark::Phase(Phase::Quiesce)) => {
            let count = counted(operations.len(), "request");
            return CheckResult::valid(ANSWERS, format!("Each of {count} was answered."));
        }
        ([], None) => return inconclusive("The run ended before its last script.".to_owned()),
        ([], Some((operation, reason))) => {
            let (who, reason) = (view_service::who(operation), cut(reason, REASON_CHARS_MAX));
            let why = format!("{} has no answer: {reason}", sentence_case(&who));
            if !reason.starts_with(TOO_LATE) {
                // A connection may be closed by chance; what breaks the contract is told as such.
                return inconclusive(format!("{why}."));
            }
            ("no answer", why)
        }
        ([exit], _) => ("ended by itself", exit.to_string()),
        ([exit, others @ ..], _) => {
            let more = counted(others.len(), "time");
            ("ended by itself", format!("{exit}, and {more} more in other scripts"))
        }
    };
    if let Some(excuse) = recovery::excuse(marks, &exits) {
        return inconclusive(format!("{why}. But {excuse}"));
    }
    let sentence = format!("{why}. A view service answers every request, and nothing was broken.");
    let operations = unanswered.map(|(operation, _)| operation.call).into_iter().collect();
    let violation = Violation { kind: kind.to_owned(), sentence: sentence.clone(), operations };
    CheckResult::found(ANSWERS, sentence, vec![violation])
}
