//! From the record to the verdict: reads nothing but the results folder.

use std::{collections::BTreeMap, path::Path, time::Duration};

use contract::manifest::CAPABILITIES;
use hdrhistogram::Histogram;
use history::{CheckResult, Completion, Event, EventKind, Operation, Process, Verdict, Violation};
use linearizability::Limits;
use record::{
    Counts, FaultCounts, FaultRecord, FaultStep, Mark, OwnExit, Phase, Quantiles, ResultsFile,
    RunFile, VERSION, files,
};
use workloads::Workload;

use crate::exit::Failure;

/// The bench was held up for longer than this: nothing about liveness can be said.
const STARVED_MS: u64 = 1000;

/// Judges the record in `folder`.
///
/// # Errors
/// A folder that holds no record of a run, or one that cannot be read.
pub fn judge(folder: &Path, limits: &Limits) -> Result<ResultsFile, Failure> {
    let run = read_run(folder)?;
    let all = CAPABILITIES.map(|entry| entry.capability);
    let workload = workloads::by_name(&run.workload, &all).map_err(Failure::Failed)?;
    let (events, torn) = read_history(folder)?;
    let faults = read_faults(folder)?;
    let paired = history::operations(&events);
    let mut checks = match &paired {
        Ok(operations) => {
            let mut checks = workload.check(operations, limits);
            checks.extend(coverage(workload.as_ref(), operations, &faults));
            checks
        }
        Err(error) => vec![CheckResult::inconclusive(
            "premises",
            format!(
                "The record itself breaks the rules of a history, so nothing can be decided from it: {error}."
            ),
        )],
    };
    let marks: Vec<Mark> = events.iter().filter_map(Mark::of).collect();
    checks.push(recovery(&marks, &events));
    checks.extend(final_reads(&marks));
    let counts = fault_counts(&faults);
    checks.extend(faults_took_hold(&run, &counts));
    let mut notes = notes(&marks);
    notes.extend(torn);
    // Where the record breaks the rules there are none, which the checks say already.
    let main = in_main(paired.as_deref().unwrap_or_default());
    Ok(summarise(folder, &run, &main, checks, counts, notes))
}

/// Reads `run.json`.
///
/// # Errors
/// The folder holds none, it is damaged, or it was written by a newer version.
pub fn read_run(folder: &Path) -> Result<RunFile, Failure> {
    let path = folder.join(files::RUN);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::Usage(format!(
            "{} is no results folder: {}: {error}",
            folder.display(),
            files::RUN
        ))
    })?;
    let run: RunFile = serde_json::from_str(&text)
        .map_err(|error| Failure::Failed(format!("{} is damaged: {error}", path.display())))?;
    if run.version > VERSION {
        let wants = format!("it has version {}, this harness reads up to {VERSION}", run.version);
        return Err(Failure::Failed(format!(
            "{} was written by a newer harness: {wants}",
            path.display()
        )));
    }
    Ok(run)
}

fn read_history(folder: &Path) -> Result<(Vec<Event>, Option<String>), Failure> {
    let path = folder.join(files::HISTORY);
    let damaged =
        |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(&path).map_err(|error| damaged(&error))?;
    let recording =
        history::read_recording(std::io::BufReader::new(file)).map_err(|error| damaged(&error))?;
    let torn = recording.torn_line.map(|line| {
        format!(
            "Line {line} of {} was cut off: the run ended while it was being written.",
            files::HISTORY
        )
    });
    Ok((recording.events, torn))
}

/// The lines of `faults.jsonl`; a torn last line is what a killed run leaves and is passed over.
fn read_faults(folder: &Path) -> Result<Vec<FaultRecord>, Failure> {
    let path = folder.join(files::FAULTS);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::Failed(format!("{}: {error}", path.display()))),
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| {
            Failure::Failed(format!("{} line {}: {error}", path.display(), number + 1))
        })
    };
    whole.lines().enumerate().map(parse).collect()
}

/// What never succeeded was never tested.
fn coverage(
    workload: &dyn Workload,
    operations: &[Operation],
    faults: &[FaultRecord],
) -> Option<CheckResult> {
    let begun = faults
        .iter()
        .filter(|fault| fault.step == FaultStep::Started)
        .map(|fault| fault.time_ns)
        .min();
    let mut tested: BTreeMap<&str, Tested> = BTreeMap::new();
    for name in workload.must_succeed() {
        tested.insert(name, Tested { wanted: true, ..Tested::default() });
    }
    for operation in in_main(operations) {
        let tested = tested.entry(&operation.f).or_default();
        tested.asked += 1;
        tested.succeeded |= operation.result().is_some();
        tested.under_faults |=
            operation.result().is_some() && begun.is_none_or(|begun| operation.call_ns > begun);
    }
    let named = |lacks: fn(&Tested) -> bool| {
        let names: Vec<&str> =
            tested.iter().filter(|(_, tested)| lacks(tested)).map(|(name, _)| *name).collect();
        (!names.is_empty()).then(|| names.join("`, `"))
    };
    let verdict = |reason: String| Some(CheckResult::inconclusive("coverage", reason));
    if let Some(names) =
        named(|tested| !tested.succeeded && (tested.wanted || tested.asked >= OFTEN))
    {
        return verdict(format!("No `{names}` succeeded in the main phase, so it was not tested."));
    }
    if let Some(names) = named(|tested| tested.wanted && !tested.under_faults) {
        return verdict(format!(
            "No `{names}` succeeded after the first fault, so nothing was tested under faults."
        ));
    }
    let names = tested.keys().copied().collect::<Vec<_>>().join(", ");
    Some(CheckResult::valid(
        "coverage",
        format!("In the main phase, also after the first fault, these succeeded: {names}."),
    ))
}

/// What is known of one kind of operation in the main phase.
#[derive(Default)]
struct Tested {
    /// Whether the workload means nothing without it.
    wanted: bool,
    asked: u64,
    succeeded: bool,
    under_faults: bool,
}

/// A kind of operation that was asked for so often must have succeeded once.
const OFTEN: u64 = 20;

/// Did the store serve again once every fault had been healed?
fn recovery(marks: &[Mark], events: &[Event]) -> CheckResult {
    let inconclusive = |reason: String| CheckResult::inconclusive("recovery", reason);
    let exits: Vec<&OwnExit> = marks.iter().filter_map(own_exit).collect();
    let recovered = marks.iter().rev().find_map(|mark| match mark {
        Mark::Recovered(recovered) => Some(*recovered),
        _ => None,
    });
    match recovered {
        None => {
            inconclusive("The run ended before the store could show that it recovers.".to_owned())
        }
        Some(true) if exits.is_empty() => CheckResult::valid(
            "recovery",
            "After all faults that can be healed were healed, the store served again, reads and writes.",
        ),
        Some(true) => inconclusive(format!(
            "{}: from then on less was tested than asked for.",
            sentences(&exits)
        )),
        Some(false) => match excuse(marks, &exits) {
            Some(excuse) => inconclusive(format!("The store did not serve again, but {excuse}")),
            None => no_recovery(events, &exits),
        },
    }
}

/// Why a store that did not serve again may not be to blame.
fn excuse(marks: &[Mark], exits: &[&OwnExit]) -> Option<String> {
    let starved_ms = marks.iter().map(|mark| if let Mark::StarvedMs(ms) = mark { *ms } else { 0 });
    let starved_ms = starved_ms.max().unwrap_or(0);
    if starved_ms >= STARVED_MS {
        return Some(format!(
            "this machine was too busy to say why (held up for {starved_ms} ms)."
        ));
    }
    let hindered = marks.iter().find_map(|mark| match mark {
        Mark::Hindered(how) => Some(how),
        _ => None,
    });
    if let Some(how) = hindered {
        return Some(format!("not every node could be brought back: {how}."));
    }
    exits
        .iter()
        .any(|exit| exit.killed)
        .then(|| format!("something other than the bench killed a node. {}.", sentences(exits)))
}

fn no_recovery(events: &[Event], exits: &[&OwnExit]) -> CheckResult {
    let why = if exits.is_empty() { String::new() } else { format!(" {}.", sentences(exits)) };
    let sentence =
        format!("Every fault was healed, yet reads or writes did not succeed any more.{why}");
    let violation = Violation {
        kind: "no recovery".to_owned(),
        sentence: sentence.clone(),
        operations: last_attempts(events),
    };
    CheckResult::found("recovery", sentence, vec![violation])
}

fn own_exit(mark: &Mark) -> Option<&OwnExit> {
    match mark {
        Mark::OwnExit(exit) => Some(exit),
        _ => None,
    }
}

/// Which nodes ended by themselves, and how.
fn sentences(exits: &[&OwnExit]) -> String {
    let one = |exit: &&OwnExit| format!("Node {} ended by itself ({})", exit.node, exit.exit);
    exits.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// The last look at every node is part of the test.
fn final_reads(marks: &[Mark]) -> Option<CheckResult> {
    let (asked, answered) = marks.iter().rev().find_map(|mark| match mark {
        Mark::FinalReads { asked, answered } => Some((*asked, *answered)),
        _ => None,
    })?;
    let sentence = format!("{answered} of {asked} reads after the end were answered.");
    Some(match answered {
        0 if asked > 0 => CheckResult::inconclusive("final-reads", sentence),
        _ => CheckResult::valid("final-reads", sentence),
    })
}

/// The last invocations of clients: what was tried in vain.
fn last_attempts(events: &[Event]) -> Vec<u64> {
    let invoked = |event: &&Event| {
        event.kind == EventKind::Invoke && matches!(event.process, Process::Client(_))
    };
    let mut last: Vec<u64> =
        events.iter().rev().filter(invoked).take(3).map(|event| event.index).collect();
    last.reverse();
    last
}

fn notes(marks: &[Mark]) -> Vec<String> {
    let note = |mark: &Mark| match mark {
        Mark::Note(text) => Some(text.clone()),
        _ => None,
    };
    marks.iter().filter_map(note).collect()
}

fn fault_counts(faults: &[FaultRecord]) -> BTreeMap<String, FaultCounts> {
    let mut counts: BTreeMap<String, FaultCounts> = BTreeMap::new();
    for record in faults {
        let count = counts.entry(record.family.clone()).or_default();
        match record.step {
            FaultStep::Planned => count.planned += 1,
            FaultStep::Started => count.effective += 1,
            FaultStep::Missed | FaultStep::Healed => {}
        }
    }
    counts
}

/// A fault that was asked for but never took hold makes a green run vacuous.
fn faults_took_hold(run: &RunFile, counts: &BTreeMap<String, FaultCounts>) -> Vec<CheckResult> {
    let lacking = |family: &&String| counts.get(*family).is_none_or(|count| count.effective == 0);
    let lacking: Vec<&str> = run.faults.iter().filter(lacking).map(String::as_str).collect();
    if run.faults.is_empty() {
        return Vec::new();
    }
    if lacking.is_empty() {
        let held: u64 = counts.values().map(|count| count.effective).sum();
        return vec![CheckResult::valid(
            "faults",
            format!("Every family of faults took hold ({held} faults in all)."),
        )];
    }
    let planned: u64 =
        lacking.iter().filter_map(|family| counts.get(*family)).map(|count| count.planned).sum();
    let why = if planned == 0 {
        "there is none to plan with so few nodes, so short a time limit or a store that cannot restart"
    } else {
        "none of those planned was seen to take hold: see faults.jsonl"
    };
    vec![CheckResult::inconclusive(
        "faults",
        format!("Asked for {}, but {why}.", lacking.join(", ")),
    )]
}

fn summarise(
    folder: &Path,
    run: &RunFile,
    main: &[&Operation],
    checks: Vec<CheckResult>,
    faults: BTreeMap<String, FaultCounts>,
    notes: Vec<String>,
) -> ResultsFile {
    let verdict = checks.iter().map(|check| check.verdict).fold(Verdict::Valid, Verdict::merge);
    let mut operations: BTreeMap<String, Counts> = BTreeMap::new();
    for operation in main {
        let counts = operations.entry(operation.f.clone()).or_default();
        match operation.completion {
            Completion::Ok(..) => counts.ok += 1,
            Completion::Fail(..) => counts.fail += 1,
            Completion::Info(_) => counts.info += 1,
        }
    }
    let held: u64 = faults.values().map(|count| count.effective).sum();
    let done: u64 = operations.values().map(|counts| counts.ok).sum();
    let summary = sentence(run, verdict, &checks, done, held);
    let latency_ms = quantiles(main);
    let folder = folder.display().to_string();
    ResultsFile {
        verdict,
        version: VERSION,
        summary,
        checks,
        operations,
        latency_ms,
        faults,
        notes,
        folder,
    }
}

fn sentence(
    run: &RunFile,
    verdict: Verdict,
    checks: &[CheckResult],
    done: u64,
    held: u64,
) -> String {
    let of = |wanted: Verdict| checks.iter().filter(move |check| check.verdict == wanted);
    match verdict {
        Verdict::Violation => of(verdict)
            .find_map(|check| check.violations.first().map(|violation| violation.sentence.clone()))
            .unwrap_or_else(|| "A promise was broken.".to_owned()),
        Verdict::Inconclusive => {
            of(verdict).map(|check| check.summary.clone()).collect::<Vec<_>>().join(" ")
        }
        Verdict::Valid if run.faults.is_empty() => {
            format!(
                "{done} successful operations without faults kept every promise that `{}` checks.",
                run.workload
            )
        }
        Verdict::Valid => {
            format!(
                "{done} successful operations under {held} faults kept every promise that `{}` checks.",
                run.workload
            )
        }
    }
}

/// The operations of the main phase.
fn in_main(operations: &[Operation]) -> Vec<&Operation> {
    operations.iter().filter(|operation| operation.phase == Phase::Main.name()).collect()
}

fn quantiles(operations: &[&Operation]) -> Option<Quantiles> {
    /// One hour: no operation takes longer.
    const LONGEST_MICROS: u64 = 3_600_000_000;
    let mut histogram = Histogram::<u64>::new_with_max(LONGEST_MICROS, 3).ok()?;
    for operation in operations.iter().filter(|operation| operation.result().is_some()) {
        let took = operation.return_ns?.saturating_sub(operation.call_ns);
        histogram.saturating_record(
            Duration::from_nanos(took).as_micros().try_into().unwrap_or(u64::MAX),
        );
    }
    let ms = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1000.0;
    (!histogram.is_empty()).then(|| Quantiles {
        p50: ms(histogram.value_at_quantile(0.5)),
        p95: ms(histogram.value_at_quantile(0.95)),
        p99: ms(histogram.value_at_quantile(0.99)),
        max: ms(histogram.max()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_store_is_blamed_for_not_recovering_only_where_nothing_else_is_to_blame() {
        let no = || Mark::Recovered(false);
        let exit = |killed: bool| {
            Mark::OwnExit(OwnExit { node: "n1".into(), exit: "exit code 101".into(), killed })
        };
        let verdict = |marks: Vec<Mark>| recovery(&marks, &[]).verdict;
        assert_eq!(verdict(vec![Mark::Recovered(true)]), Verdict::Valid);
        assert_eq!(verdict(vec![no()]), Verdict::Violation);
        assert_eq!(verdict(vec![exit(false), no()]), Verdict::Violation);
        assert_eq!(verdict(vec![]), Verdict::Inconclusive);
        assert_eq!(verdict(vec![exit(true), no()]), Verdict::Inconclusive);
        assert_eq!(verdict(vec![Mark::StarvedMs(5000), no()]), Verdict::Inconclusive);
        let hindered = Mark::Hindered("no descriptors".into());
        assert_eq!(verdict(vec![hindered, no()]), Verdict::Inconclusive);
        assert_eq!(verdict(vec![exit(false), Mark::Recovered(true)]), Verdict::Inconclusive);
    }

    #[test]
    fn what_succeeded_only_before_the_first_fault_was_not_tested_under_faults() {
        let workload = workloads::by_name("register", &[]).unwrap();
        let operation = |f: &str, at: u64, ok: bool| Operation {
            call: at,
            process: 0,
            f: f.to_owned(),
            arguments: Value::Null,
            completion: if ok {
                Completion::Ok(at + 1, Value::Null)
            } else {
                Completion::Info(None)
            },
            call_ns: at,
            return_ns: None,
            node: None,
            phase: Phase::Main.name().to_owned(),
        };
        let fault = FaultRecord {
            fault: 0,
            time_ns: 50,
            family: "kill".to_owned(),
            form: "kill-all".to_owned(),
            step: FaultStep::Started,
            targets: Vec::new(),
            note: String::new(),
        };
        let verdict = |operations: &[Operation], faults: &[FaultRecord]| {
            coverage(workload.as_ref(), operations, faults).unwrap().verdict
        };
        let before = [operation("get", 10, true), operation("put", 20, true)];
        let after = [operation("get", 60, true), operation("put", 70, true)];
        assert_eq!(verdict(&before, &[]), Verdict::Valid);
        assert_eq!(verdict(&before, std::slice::from_ref(&fault)), Verdict::Inconclusive);
        assert_eq!(verdict(&[before.clone(), after.clone()].concat(), &[fault]), Verdict::Valid);
        let mut never: Vec<Operation> =
            (0..OFTEN).map(|at| operation("cas", 100 + at, false)).collect();
        never.extend(after);
        assert_eq!(verdict(&never, &[]), Verdict::Inconclusive);
    }

    /// A histogram that was made too small once called every slow operation two milliseconds long.
    #[test]
    fn quantiles_are_those_of_the_latencies_however_far_apart() {
        let took = |ms: u64| Operation {
            call: 0,
            process: 0,
            f: "get".to_owned(),
            arguments: Value::Null,
            completion: Completion::Ok(1, Value::Null),
            call_ns: 0,
            return_ns: Some(ms * 1_000_000),
            node: None,
            phase: Phase::Main.name().to_owned(),
        };
        let mut operations: Vec<Operation> = (0..98).map(|_| took(5)).collect();
        operations.extend([took(700), took(9000)]);
        let quantiles = quantiles(&in_main(&operations)).unwrap();
        let close = |found: f64, ms: f64| (found / ms - 1.0).abs() < 0.01;
        assert!(
            close(quantiles.p50, 5.0)
                && close(quantiles.p99, 700.0)
                && close(quantiles.max, 9000.0),
            "{quantiles:?}"
        );
    }
}
