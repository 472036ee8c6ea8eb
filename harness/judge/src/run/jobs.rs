//! A run of MapReduce: whether the outputs of its jobs are right and stay so, and whether jobs come to their ends.

use history::words::{counted, seconds};
use history::{CheckResult, Operation, Verdict, Violation};
use record::{
    FaultRecord, FaultStep, Folder, Mark, OwnExit, Phase, Promise, ResultsFile, RunFile, VERSION,
};
use workloads::mapreduce::{self, JOB, OUTPUTS, PROGRESS, STAY};

use super::{
    ByFamily, Record, faults, in_main, is_ended, judged_by, notes, recovery, sentence_case,
    summary, with_kind,
};

/// The name of the check whether enough was seen.
const EVIDENCE: &str = "evidence";
/// The name of the check whether nodes ended by themselves.
const EXITS: &str = "nodes-stay-up";
/// So many jobs must have come to their ends in the main phase.
const JOBS_MIN: usize = 10;
/// So many of them while a worker was killed, paused or cut off, where any of that was asked for.
const UNDER_FAULTS_MIN: usize = 3;
/// The families of faults that are aimed at workers.
const AT_WORKERS: [&str; 3] = ["kill", "pause", "partition"];
/// So many faults are told beside a violation.
const TOLD_MAX: usize = 4;

/// Whether the bench started jobs.
pub(super) fn is(run: &RunFile) -> bool {
    run.workload == mapreduce::NAME
}

/// The verdict on its record.
pub(super) fn judge(folder: &Folder, record: &Record) -> ResultsFile {
    let Record { run, events, faults, torn_line } = record;
    let marks: Vec<Mark> = events.iter().filter_map(Mark::of).collect();
    let (operations, judged) = judged_by(events, mapreduce::judge);
    let main = in_main(&operations);
    let spans = spans(faults);
    let by_family = faults::count(faults);
    let mut checks = judged.unwrap_or_else(|premises| vec![premises]);
    checks.iter_mut().for_each(|check| tell_faults(check, &operations, &spans));
    excuse_progress(&mut checks, &marks);
    checks.push(exits(&marks));
    checks.push(evidence(run, &main, &spans, &marks));
    checks.extend(faults::check(&run.faults, &by_family));
    let promises = promises(&checks);
    // What a student reads first.
    checks.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let verdict = checks.iter().map(|check| check.verdict).fold(Verdict::Valid, Verdict::merge);
    ResultsFile {
        verdict,
        version: VERSION,
        summary: sentence(verdict, &checks, &main, &by_family),
        consistency: None,
        checks,
        operations: summary::endings(&main),
        latency_ms: summary::latency(&main),
        evidence: Vec::new(),
        promises,
        faults: by_family,
        behaviour: None,
        notes: notes(&marks, *torn_line),
        folder: folder.path().display().to_string(),
    }
}

/// A fault that took hold.
struct Span<'a> {
    fault: &'a FaultRecord,
    from_ns: u64,
    to_ns: u64,
}

fn spans(all: &[FaultRecord]) -> Vec<Span<'_>> {
    let started = all.iter().filter(|fault| fault.step == FaultStep::Started);
    let span = |fault| Span {
        fault,
        from_ns: fault.time_ns,
        to_ns: faults::time_ns(all, fault.fault, FaultStep::Healed).unwrap_or(u64::MAX),
    };
    started.map(span).collect()
}

impl Span<'_> {
    fn is_at_workers(&self) -> bool {
        AT_WORKERS.contains(&self.fault.family.as_str())
    }

    fn overlaps(&self, from_ns: u64, to_ns: u64) -> bool {
        self.from_ns < to_ns && from_ns < self.to_ns
    }

    /// `w2 was paused (3.104–4.420 s)`
    fn in_words(&self) -> String {
        let Self { fault, from_ns, to_ns } = self;
        let until = if *to_ns == u64::MAX { String::new() } else { seconds(*to_ns, 3) };
        let when = format!("({}–{until} s)", seconds(*from_ns, 3));
        let targets = fault.targets.join(", ");
        match fault.family.as_str() {
            "kill" => format!("{targets} was killed, and was back at {until} s {when}"),
            "pause" => format!("{targets} was paused {when}"),
            _ => format!("the links {targets} were cut {when}"),
        }
    }
}

/// Adds to each violation which workers were away while its job ran.
fn tell_faults(check: &mut CheckResult, operations: &[Operation], spans: &[Span]) {
    for violation in &mut check.violations {
        let of = |operation: &&Operation| violation.operations.contains(&operation.call);
        let job = operations.iter().filter(of).find(|operation| operation.f == JOB);
        let meanwhile = job.map(|job| {
            let end_ns = operations.iter().filter(of).filter_map(|one| one.return_ns).max();
            let (from_ns, to_ns) = (job.call_ns, end_ns.unwrap_or(u64::MAX));
            // Of a job that changed after its end, what was broken while it ran.
            let to_ns = job.return_ns.unwrap_or(to_ns);
            let during = spans.iter().filter(|span| span.overlaps(from_ns, to_ns));
            during.filter(|span| span.is_at_workers()).map(Span::in_words).collect::<Vec<_>>()
        });
        violation.sentence = with_kind(violation);
        if !is_ended(&violation.sentence) {
            violation.sentence.push('.');
        }
        violation.sentence.push_str(&match meanwhile.as_deref() {
            None => String::new(),
            Some([]) => " No worker was away meanwhile.".to_owned(),
            Some(told) if told.len() > TOLD_MAX => {
                let more = told.len() - TOLD_MAX;
                format!(" Meanwhile {}; and {more} more.", told[..TOLD_MAX].join("; "))
            }
            Some(told) => format!(" Meanwhile {}.", told.join("; ")),
        });
    }
}

/// A job that does not end says nothing where the machine was too busy, or the bench stood in its way.
fn excuse_progress(checks: &mut [CheckResult], marks: &[Mark]) {
    let exits: Vec<&OwnExit> = marks.iter().filter_map(recovery::own_exit).collect();
    let Some(excuse) = recovery::excuse(marks, &exits) else { return };
    let broken =
        |check: &&mut CheckResult| check.checker == PROGRESS && check.verdict == Verdict::Violation;
    for check in checks.iter_mut().filter(broken) {
        let summary = format!("{} But {excuse}", check.summary);
        *check = CheckResult::inconclusive(PROGRESS, summary);
    }
}

/// A node that ends by itself is no worker that died: it must not do so.
fn exits(marks: &[Mark]) -> CheckResult {
    let exits: Vec<&OwnExit> = marks.iter().filter_map(recovery::own_exit).collect();
    let Some(first) = exits.first() else {
        return CheckResult::valid(EXITS, "No node ended by itself.");
    };
    let more = match exits.len() - 1 {
        0 => String::new(),
        more => format!(" So did {}.", counted(more, "other")),
    };
    let sentence = format!("{first}.{more}");
    if let Some(excuse) = recovery::excuse(marks, &exits) {
        return CheckResult::inconclusive(EXITS, format!("{sentence} But {excuse}"));
    }
    let kind = "ended by itself".to_owned();
    let violation = Violation { kind, sentence: sentence.clone(), operations: Vec::new() };
    CheckResult::found(EXITS, sentence, vec![violation])
}

/// What was not tried was not tested.
fn evidence(run: &RunFile, main: &[&Operation], spans: &[Span], marks: &[Mark]) -> CheckResult {
    let done = |operation: &&&Operation| {
        let state = operation.result().map(|result| &result["state"]);
        operation.f == JOB && state.is_some_and(|state| state == "done")
    };
    let done: Vec<&Operation> = main.iter().filter(done).copied().collect();
    let at_workers: Vec<&Span> = spans.iter().filter(|span| span.is_at_workers()).collect();
    let during = |operation: &&&Operation| {
        let (from_ns, to_ns) = (operation.call_ns, operation.return_ns.unwrap_or(u64::MAX));
        at_workers.iter().any(|span| span.overlaps(from_ns, to_ns))
    };
    let under_faults = done.iter().filter(during).count();
    let were_asked_for = run.faults.iter().any(|family| AT_WORKERS.contains(&family.as_str()));
    let mut lacks = Vec::new();
    if done.len() < JOBS_MIN {
        lacks.push(format!("{} done, of at least {JOBS_MIN}", counted(done.len(), "job")));
    }
    for app in [contract::mapreduce::WORDCOUNT, contract::mapreduce::INDEX] {
        if !done.iter().any(|operation| operation.arguments["app"] == app) {
            lacks.push(format!("no job of `{app}` was done"));
        }
    }
    if were_asked_for && under_faults < UNDER_FAULTS_MIN {
        let jobs = counted(under_faults, "job");
        lacks.push(format!("{jobs} done while a worker was away, of at least {UNDER_FAULTS_MIN}"));
    }
    if !marks.contains(&Mark::Phase(Phase::Final)) {
        lacks.push("the run ended before the outputs were read again".to_owned());
    }
    if lacks.is_empty() {
        let jobs = counted(done.len(), "job");
        return CheckResult::valid(
            EVIDENCE,
            format!(
                "{jobs} were done, {under_faults} of them while a worker was killed, paused or cut off."
            ),
        );
    }
    CheckResult::inconclusive(EVIDENCE, format!("Too little was seen: {}.", lacks.join("; ")))
}

fn promises(checks: &[CheckResult]) -> Vec<Promise> {
    let rows = [
        (
            OUTPUTS,
            "right outputs",
            "the outputs of each job are compared with those of a sequential run of the bench's own",
        ),
        (
            STAY,
            "finished is finished",
            "the outputs of each finished job are read again at the end",
        ),
        (
            PROGRESS,
            "jobs come to their ends",
            "each job that was started is done in time once all faults are over, though only one worker is left",
        ),
        (EXITS, "nodes do not end by themselves", "their processes are watched"),
    ];
    let row = |(name, promise, how): (&str, &str, &str)| {
        let check = checks.iter().find(|check| check.checker == name);
        Promise {
            promise: promise.to_owned(),
            how: how.to_owned(),
            verdict: check.map(|check| check.verdict),
            seen: check.map_or_else(String::new, |check| check.summary.clone()),
        }
    };
    rows.into_iter().map(row).collect()
}

/// The verdict in one sentence.
fn sentence(
    verdict: Verdict,
    checks: &[CheckResult],
    main: &[&Operation],
    by_family: &ByFamily,
) -> String {
    let mut of = checks.iter().filter(|check| check.verdict == verdict);
    match verdict {
        Verdict::Violation => of
            .find_map(|check| Some(sentence_case(&check.violations.first()?.sentence)))
            .unwrap_or_else(|| "A rule was broken.".to_owned()),
        Verdict::Inconclusive => {
            of.map(|check| check.summary.as_str()).collect::<Vec<_>>().join(" ")
        }
        Verdict::Valid => {
            let done = main.iter().filter(|operation| operation.result().is_some()).count();
            let held = faults::held(by_family);
            format!(
                "The outputs of {} under {held} faults were those of a sequential run.",
                counted(done, "job")
            )
        }
    }
}
