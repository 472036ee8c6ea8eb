//! A run against a view service: its scripts, each judged by itself, and whether every request was answered.

use history::words::{counted, who};
use history::{CheckResult, Completion, Operation, Verdict, Violation};
use record::{Folder, Mark, OwnExit, Phase, Promise, ResultsFile, RunFile, VERSION};
use workloads::view_service::{self, BROKE_CONTRACT, NAMED, Named, Scripts};

use super::{Record, broken, in_main, notes, recovery, summary, with_kind};

/// The name of the check whether every request was answered.
const ANSWERS: &str = "answers";

/// Whether the bench played the servers of a view service.
pub(super) fn is(run: &RunFile) -> bool {
    run.workload == view_service::NAME
}

/// The verdict on its record.
pub(super) fn judge(folder: &Folder, record: &Record) -> ResultsFile {
    let Record { events, torn_line, .. } = record;
    let marks: Vec<Mark> = events.iter().filter_map(Mark::of).collect();
    let (operations, of_scripts) = match history::operations(events) {
        Ok(operations) => {
            let judged = view_service::judge(&operations)
                .map_err(|reason| CheckResult::inconclusive("premises", format!("{reason}.")));
            (operations, judged)
        }
        Err(error) => (Vec::new(), Err(broken(&error))),
    };
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
        let seen = check.map_or("", |check| check.summary.trim_start_matches(about).trim_start());
        Promise {
            promise: name.replace('-', " "),
            how: (*about).to_owned(),
            verdict: check.map(|check| check.verdict),
            seen: seen.to_owned(),
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
        Completion::Info(reason) => {
            Some((operation, reason.as_deref().unwrap_or("it was not answered")))
        }
        Completion::Ok(..) | Completion::Fail(..) => None,
    });
    let exits: Vec<&OwnExit> = marks.iter().filter_map(recovery::own_exit).collect();
    let mut reasons: Vec<String> = exits.iter().map(ToString::to_string).collect();
    if let Some((operation, reason)) = unanswered {
        let reason = history::words::cut(reason, 160);
        reasons.push(format!("{} has no answer: {reason}", who(operation)));
    }
    if reasons.is_empty() {
        return if marks.contains(&Mark::Phase(Phase::Quiesce)) {
            let count = counted(operations.len(), "request");
            CheckResult::valid(ANSWERS, format!("Each of {count} was answered."))
        } else {
            inconclusive("The run ended before its last script.".to_owned())
        };
    }
    let why = reasons.join(". ");
    if let Some(excuse) = recovery::excuse(marks, &exits) {
        return inconclusive(format!("{why}. But {excuse}"));
    }
    if exits.is_empty() && unanswered.is_some_and(|(_, reason)| reason.starts_with(BROKE_CONTRACT))
    {
        return inconclusive(format!("{why}."));
    }
    let kind = if exits.is_empty() { "no answer" } else { "ended by itself" };
    let sentence = format!("{why}. A view service answers every request, and nothing was broken.");
    let operations = unanswered.map(|(operation, _)| operation.call).into_iter().collect();
    let violation = Violation { kind: kind.to_owned(), sentence: sentence.clone(), operations };
    CheckResult::found(ANSWERS, sentence, vec![violation])
}
