//! The record of a run of this bench, judged from its results folder alone.

mod absences;
mod behaviour;
mod by_hand;
mod clocks;
mod compaction;
mod configurations;
mod diagnosis;
mod evidence;
mod faults;
mod headline;
mod introspection;
mod jobs;
mod majority;
mod members;
mod messages;
mod minority;
mod promises;
mod recovery;
mod scripts;
mod so_far;
mod summary;
mod witnesses;
mod writes;

use std::collections::BTreeMap;

use contract::errors::ERRORS;
use contract::manifest::CAPABILITIES;
use history::{CheckResult, Event, Operation, Verdict, Violation};
use isolation::Consistency;
use linearizability::Limits;
use record::{
    AttemptEnd, Evidence, FaultRecord, FaultStep, Folder, FolderError, Footprint, Mark, Measured,
    Phase, Reading, ResultsFile, RunFile, Unreadable, VERSION, files,
};

use behaviour::Behaving;
use clocks::Clocks;
use compaction::Compaction;
use diagnosis::Diagnosis;
use evidence::Seen;
use faults::ByFamily;
use introspection::Introspection;
use majority::Majority;
use members::Members;
use promises::Outcome;
pub use so_far::proves_violation;
use witnesses::Witnesses;

/// Why there is no verdict on a folder.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is no results folder.
    #[error("{0} is no results folder: there is no {run} in it", run = files::RUN)]
    NoRun(String),
    /// A file of it cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A line in the middle of a file is damaged.
    #[error("{file} {unreadable}")]
    Damaged {
        /// The file.
        file: String,
        /// The line.
        unreadable: Unreadable,
    },
    /// A workload or a level that this version does not have, or that do not fit together.
    #[error("{0}")]
    Workload(String),
}

impl RunError {
    /// Whether the system refused; otherwise the folder is not what it should be.
    #[must_use]
    pub fn is_of_the_system(&self) -> bool {
        matches!(self, Self::Folder(error) if error.is_of_the_system())
    }
}

/// What a run left behind.
struct Record {
    run: RunFile,
    events: Vec<Event>,
    faults: Vec<FaultRecord>,
    /// The line of the history in whose middle the run ended.
    torn_line: Option<u64>,
}

/// Reads `run.json`.
///
/// # Errors
/// The folder holds none, it is damaged, or it was written by a newer bench.
pub fn read_run(folder: &Folder) -> Result<RunFile, RunError> {
    folder.run().map_err(|error| match error {
        FolderError::Missing(_) => RunError::NoRun(folder.path().display().to_string()),
        error => error.into(),
    })
}

/// Judges the record in a folder: whether the store kept the level that was asked for now, else the one that was asked
/// for in the run.
///
/// # Errors
/// A folder that holds no record of a run, or one that cannot be read; a level that the workload cannot check.
pub fn judge(
    folder: &Folder,
    asked: Option<Consistency>,
    limits: &Limits,
) -> Result<ResultsFile, RunError> {
    let record = Record::read(folder)?;
    if scripts::is(&record.run) || jobs::is(&record.run) {
        return match asked {
            None if jobs::is(&record.run) => Ok(jobs::judge(folder, &record)),
            None => Ok(scripts::judge(folder, &record)),
            Some(_) => Err(RunError::Workload(format!(
                "the workload `{}` knows no consistency levels: leave out --consistency",
                record.run.workload
            ))),
        };
    }
    let Record { run, events, faults, .. } = &record;
    // The record decides, whatever the store can do.
    let all = CAPABILITIES.map(|entry| entry.capability);
    let workload = workloads::by_name(&run.workload, &all).map_err(RunError::Workload)?;
    let promised = asked.map_or_else(|| promised(run), Ok)?;
    let introspection = Introspection::read(folder, run)?;
    let level = workloads::levels::level(&*workload, promised).map_err(RunError::Workload)?;
    let marks: Vec<Mark> = events.iter().filter_map(Mark::of).collect();
    // A record that breaks the rules has no operations; the checks say so.
    let (operations, is_broken) = match history::operations(events) {
        Ok(operations) => (operations, None),
        Err(error) => (Vec::new(), Some(broken(&error))),
    };
    // What the bench itself overwrote says whether the log compacts, and nothing to the workload.
    let in_compaction = |operation: &Operation| operation.phase == Phase::Compaction.name();
    let (of_compaction, all): (Vec<_>, Vec<_>) = operations.into_iter().partition(in_compaction);
    let main = in_main(&all);
    let by_family = faults::count(faults);
    let must_succeed = workload.must_succeed();
    let of_bench = || record.checks_of_bench(&main, &marks, &by_family, level, must_succeed);
    let of_messages = || messages::read(folder, &run.linked(), &marks, main_ns(events));
    let of_workload = || match is_broken.or_else(|| by_hand::unrecorded(&marks)) {
        None => so_far::checks_of(&*workload, (events, &all), &marks, level, limits),
        Some(nothing_to_check) => vec![nothing_to_check],
    };
    let (((mut of_bench, measured), (clocks, passed)), mut of_workload) =
        at_once(|| (of_bench(), of_messages()), of_workload);
    configurations::undecided_if_untold(run, &mut of_workload);
    let answers = of_workload.iter().map(|check| check.verdict);
    let answers = answers.fold(Verdict::Valid, Verdict::merge);
    of_bench.extend(configurations::check(run, &all));
    let compaction = Compaction::of(&run.nodes, events, &of_compaction);
    let asked = run.require.of(Evidence::PercentCompacted);
    of_bench.extend(compaction.as_ref().and_then(|compaction| compaction.check(asked)));
    let of_logs: Vec<CheckResult> = introspection.checks().collect();
    of_bench.extend(so_far::check(&marks, of_workload.iter().chain(&of_logs)));
    of_bench.extend(of_logs);
    let mut promises = Outcome {
        run,
        of_workload: &of_workload,
        of_bench: &of_bench,
        main: &main,
        faults,
        compaction: compaction.as_ref(),
    }
    .promises();
    promises.extend(introspection.promises());
    promises.extend(clocks.as_ref().map(Clocks::promise));
    let mut checks: Vec<CheckResult> = of_workload.into_iter().chain(of_bench).collect();
    let mut broken = faults.clone();
    broken.extend(restarts_of_all(&run.linked(), events));
    if checks.iter().any(|check| !check.violations.is_empty()) {
        let witnesses = Witnesses::new(run.nodes.len(), &all, &broken)
            .led_by(record::leader_changes(events).collect(), main_end_ns(events))
            .sent(sent_again(folder));
        tell(&mut checks, level, &all, &witnesses);
    }
    let behaviour =
        Behaving { run, events, all: &all, main: &main, faults, passed: passed.as_ref() };
    let verdict = checks.iter().map(|check| check.verdict).fold(Verdict::Valid, Verdict::merge);
    let operations = summary::endings(&main);
    Ok(ResultsFile {
        verdict,
        version: VERSION,
        summary: summary::Verdicts { run, level, verdict, answers }.sentence(
            &checks,
            &operations,
            &by_family,
        ),
        consistency: Some(level.name().to_owned()),
        checks,
        operations,
        latency_ms: summary::latency(&main),
        evidence: measured,
        promises,
        faults: by_family,
        behaviour: Some(behaviour.behaviour()),
        notes: clocks
            .and_then(|clocks| clocks.note())
            .into_iter()
            .chain(notes(&marks, record.torn_line))
            .collect(),
        folder: folder.path().display().to_string(),
    })
}

/// Both, the first on a thread of its own.
fn at_once<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), other)
    })
}

/// What the store promised when it was run.
fn promised(run: &RunFile) -> Result<Consistency, RunError> {
    let Some(name) = &run.consistency else { return Ok(Consistency::StrictSerializable) };
    name.parse().map_err(|error: isolation::UnknownConsistency| {
        RunError::Workload(format!("{}: {error}", files::RUN))
    })
}

/// The history, and the line in whose middle it ends, if it does.
fn read_events(folder: &Folder) -> Result<(Vec<Event>, Option<u64>), RunError> {
    let mut events = Vec::new();
    let history = folder.read_history(|event| events.push(event))?;
    if history.missing {
        return Err(FolderError::Missing(folder.path().join(files::HISTORY)).into());
    }
    let torn_line = history.torn_line;
    undamaged(folder, files::HISTORY, history)?;
    Ok((events, torn_line))
}

impl Record {
    fn read(folder: &Folder) -> Result<Self, RunError> {
        let run = read_run(folder)?;
        let (events, torn_line) = read_events(folder)?;
        let mut faults = Vec::new();
        let reading = folder.read_faults(|fault| faults.push(fault))?;
        undamaged(folder, files::FAULTS, reading)?;
        Ok(Self { run, events, faults, torn_line })
    }

    /// What is checked of every run, whatever its workload; and how much was seen.
    fn checks_of_bench(
        &self,
        main: &[&Operation],
        marks: &[Mark],
        by_family: &ByFamily,
        level: Consistency,
        must_succeed: &'static [&'static str],
    ) -> (Vec<CheckResult>, Vec<Measured>) {
        let Self { run, events, faults, .. } = self;
        let by_hand = by_hand::is(run);
        let electorates: Vec<(Members<'_>, Vec<&Operation>)> = Members::electorates(run)
            .into_iter()
            .map(|members| (members, members.asked(run, main)))
            .collect();
        let begin_ns = main.iter().map(|operation| operation.call_ns).min().unwrap_or(0);
        let majorities: Vec<Majority<'_>> = electorates
            .iter()
            .map(|(members, asked)| Majority::of(*members, (faults, begin_ns), asked))
            .collect();
        let nodes_away: usize = majorities.iter().map(Majority::nodes_away).sum();
        // Whoever moves shards is often refused with good reason: of a sharded store, what clients asked is what was tested.
        let is_of_clients = |operation: &&&Operation| {
            run.groups.is_empty() || !contract::operations::is_of_controllers(&operation.f)
        };
        let of_clients: Vec<&Operation> = main.iter().filter(is_of_clients).copied().collect();
        let seen = Seen {
            main: &of_clients,
            must_succeed,
            clients: run.clients,
            // Whoever moves shards is one more that is no client.
            probers: run.probers + u32::from(!run.controllers.is_empty()),
            asked_first: &|operation| {
                let first = asked_first(events, operation)?;
                // Of a group that does not own what it was asked for, a refusal is right.
                if !run.groups.is_empty() && operation.result().is_none() {
                    return None;
                }
                run.nodes.iter().any(|node| node == first).then_some(first)
            },
            nodes_away: nodes_away as u64,
            leader_changes: leader_changes(events).filter(|_| nodes_away == run.nodes.len()),
            by_hand,
            faults,
        };
        let measured = evidence::measure(&seen, &run.require);
        let limit = run.timeouts.recovery();
        let mut checks = vec![evidence::check(&seen, &measured)];
        // Whoever asks by hand asks too little for a store to show that it goes on, or that it does not.
        let majority = of_all_groups(majorities.iter().filter_map(Majority::check));
        checks.extend(majority.filter(|_| !by_hand));
        if promises_agreement(level) {
            let minorities = electorates
                .iter()
                .filter_map(|(members, asked)| minority::check(*members, faults, asked));
            let minority = of_all_groups(minorities);
            // Nor does it show anything that nothing was acknowledged where nobody asked.
            checks.extend(minority.filter(|check| !by_hand || check.verdict != Verdict::Valid));
        }
        checks.push(recovery::check(marks, events, limit));
        checks.extend(recovery::check_restart(marks, events, limit));
        checks.extend(final_reads(marks));
        checks.extend(faults::check(&run.faults, by_family));
        (checks, measured)
    }
}

/// What a check says of each group, as one result. What was counted is counted together.
fn of_all_groups(results: impl Iterator<Item = CheckResult>) -> Option<CheckResult> {
    results.reduce(|mut all, of_group| {
        all.verdict = all.verdict.merge(of_group.verdict);
        if all.summary != of_group.summary {
            all.summary = format!("{} {}", all.summary, of_group.summary);
        }
        all.violations.extend(of_group.violations);
        if let (Some(own), serde_json::Value::Object(more)) =
            (all.statistics.as_object_mut(), of_group.statistics)
        {
            for (name, figure) in more {
                let known = own.get(&name).and_then(serde_json::Value::as_u64).unwrap_or(0);
                let sum = figure.as_u64().map(|figure| (known + figure).into());
                own.insert(name, sum.unwrap_or(figure));
            }
        }
        all
    })
}

/// The node that an operation's invocation names.
fn asked_first<'a>(events: &'a [Event], operation: &Operation) -> Option<&'a str> {
    let at = events.binary_search_by_key(&operation.call, |event| event.index).ok()?;
    events[at].node.as_deref()
}

/// How often another node came to lead than before; `None` where nobody was seen to lead.
fn leader_changes(events: &[Event]) -> Option<u64> {
    let mut leaders: Vec<String> =
        record::leader_changes(events).filter_map(|change| change.node).collect();
    leaders.dedup();
    (leaders.len() as u64).checked_sub(1)
}

/// Whether a store at this level has to ask a majority before it acknowledges a write.
fn promises_agreement(level: Consistency) -> bool {
    level.implies(Consistency::SnapshotIsolation) || level.implies(Consistency::Sequential)
}

/// The restarts of all nodes, as the kills that they are.
fn restarts_of_all(nodes: &[String], events: &[Event]) -> Vec<FaultRecord> {
    let marks: Vec<(u64, Mark)> =
        events.iter().filter_map(|event| Some((event.time_ns, Mark::of(event)?))).collect();
    let restarts = record::restarts(marks.iter().map(|(at, mark)| (*at, mark)));
    // No fault of the plan has such a number.
    let numbered = restarts.into_iter().zip((0..=u64::MAX).rev());
    let kill = |((from_ns, to_ns), fault): ((u64, Option<u64>), u64)| {
        let record = move |step, time_ns| FaultRecord {
            fault,
            time_ns,
            family: "kill".to_owned(),
            form: "kill-all".to_owned(),
            step,
            targets: nodes.to_vec(),
            ..FaultRecord::default()
        };
        let healed = to_ns.map(|to_ns| record(FaultStep::Healed, to_ns));
        [record(FaultStep::Started, from_ns)].into_iter().chain(healed)
    };
    numbered.flat_map(kill).collect()
}

/// The main phase; from, to.
fn main_ns(events: &[Event]) -> (u64, u64) {
    let end_ns = main_end_ns(events);
    (phase_at(events, Phase::Main).map_or(end_ns, |at| events[at].time_ns), end_ns)
}

/// The end of the main phase: until then the nodes were asked who leads.
fn main_end_ns(events: &[Event]) -> u64 {
    let end = phase_at(events, Phase::Heal).map(|at| &events[at]).or(events.last());
    end.map_or(0, |event| event.time_ns)
}

/// Where among these events the phase begins.
fn phase_at(events: &[Event], phase: Phase) -> Option<usize> {
    events.iter().position(|event| Mark::of(event) == Some(Mark::Phase(phase)))
}

/// How often the requests behind an operation may have been executed, where that was more than once. What cannot be read
/// explains nothing.
fn sent_again(folder: &Folder) -> BTreeMap<u64, usize> {
    let mut sent: BTreeMap<u64, usize> = BTreeMap::new();
    let read = folder.read_attempts(|attempt| {
        let may_have_happened = match attempt.end {
            AttemptEnd::NotSent => false,
            AttemptEnd::Refused => !is_definite(&attempt.reason),
            _ => true,
        };
        if may_have_happened {
            *sent.entry(attempt.operation).or_default() += 1;
        }
    });
    sent.retain(|_, times| *times > 1);
    read.map(|_| sent).unwrap_or_default()
}

/// Whether a refusal with this code says for certain that nothing happened.
fn is_definite(code: &str) -> bool {
    ERRORS.iter().any(|entry| entry.name == code && entry.definite)
}

/// So many violations get a diagnosis: each looks at the whole record.
const DIAGNOSED_MAX: usize = 10;

/// The clearest violation first, and to each what the checkers cannot know: what it comes to, who answered, and what
/// was broken then.
fn tell(
    checks: &mut [CheckResult],
    level: Consistency,
    operations: &[Operation],
    witnesses: &Witnesses<'_>,
) {
    headline::order(checks, witnesses);
    let diagnosis = Diagnosis::new(level, operations, witnesses);
    let violations = checks.iter_mut().flat_map(|check| &mut check.violations);
    for (place, violation) in violations.enumerate() {
        if let Some(context) = witnesses.context(violation) {
            let end = if is_ended(&violation.sentence) { "" } else { "." };
            violation.sentence.push_str(&format!("{end} {context}"));
        }
        violation.sentence = witnesses.with_names(violation);
        let named = (place < DIAGNOSED_MAX).then(|| diagnosis.of(violation)).flatten();
        violation.sentence = match named {
            Some(named) => format!("{named}. {}", sentence_case(&violation.sentence)),
            None => with_kind(violation),
        };
    }
}

/// Whether the last sentence has its full stop; a remark in brackets after one needs none.
fn is_ended(text: &str) -> bool {
    if text.ends_with(".)") {
        return true;
    }
    let remark = text.ends_with(')').then(|| text.rfind(" (")).flatten();
    text[..remark.unwrap_or(text.len())].ends_with('.')
}

/// The sentence, with the name of what is wrong where it does not say that itself.
fn with_kind(violation: &Violation) -> String {
    let Violation { kind, sentence, .. } = violation;
    let is_named = sentence.to_lowercase().contains(&kind.to_lowercase());
    let sentence = sentence_case(sentence);
    if is_named { sentence } else { format!("{}: {sentence}", sentence_case(kind)) }
}

/// With a capital letter at its beginning.
fn sentence_case(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// From a record that lacks a line in its middle nothing can be decided.
fn undamaged(folder: &Folder, name: &str, reading: Reading) -> Result<(), RunError> {
    let file = folder.path().join(name).display().to_string();
    match reading.first_unreadable {
        None => Ok(()),
        Some(unreadable) => Err(RunError::Damaged { file, unreadable }),
    }
}

/// The operations, and what a judge says of them; `Err`: the record cannot be judged, as a check.
fn judged_by<T>(
    events: &[Event],
    judge: impl FnOnce(&[Operation]) -> Result<T, String>,
) -> (Vec<Operation>, Result<T, CheckResult>) {
    match history::operations(events) {
        Ok(operations) => {
            let judged = judge(&operations)
                .map_err(|reason| CheckResult::inconclusive("premises", format!("{reason}.")));
            (operations, judged)
        }
        Err(error) => (Vec::new(), Err(broken(&error))),
    }
}

fn broken(error: &history::PairError) -> CheckResult {
    CheckResult::inconclusive(
        "premises",
        format!(
            "The record itself breaks the rules of a history, so nothing can be decided from it: {error}."
        ),
    )
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

fn notes(marks: &[Mark], torn_line: Option<u64>) -> Vec<String> {
    let note = |mark: &Mark| match mark {
        Mark::Note(text) => Some(text.clone()),
        _ => None,
    };
    let torn = torn_line.map(|line| {
        format!(
            "Line {line} of {} was cut off: the run ended while it was being written.",
            files::HISTORY
        )
    });
    marks.iter().filter_map(note).chain(torn).collect()
}

/// What the nodes were seen to occupy, in the order of time.
fn footprints(events: &[Event]) -> impl Iterator<Item = Footprint> {
    events.iter().filter_map(|event| match Mark::of(event) {
        Some(Mark::Footprint(footprint)) => Some(footprint),
        _ => None,
    })
}

/// The operations of the main phase.
fn in_main(operations: &[Operation]) -> Vec<&Operation> {
    operations.iter().filter(|operation| operation.phase == Phase::Main.name()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::{EventKind, HARNESS, Process};

    #[test]
    fn what_is_counted_in_each_group_is_counted_together() {
        let of = |cuts: u64, node: &str| {
            let statistics = serde_json::json!({ "cuts": cuts, node: "away" });
            CheckResult::valid("minority", "Nobody.".to_owned()).with_statistics(statistics)
        };
        let all = of_all_groups([of(2, "n1"), of(3, "n4")].into_iter()).unwrap();
        let expected = serde_json::json!({ "cuts": 5, "n1": "away", "n4": "away" });
        assert_eq!((all.summary.as_str(), all.statistics), ("Nobody.", expected));
    }

    #[test]
    fn a_sentence_gets_one_full_stop_and_a_capital_letter() {
        let ended =
            ["It is so.", "It is so. (T1 is that of event 5)", "(And (at least) one more.)"];
        assert_eq!(ended.map(is_ended), [true; 3]);
        let open = ["It is so", "by process 9 (0.491–0.494 s)", "by (9)", ""];
        assert_eq!(open.map(is_ended), [false; 4]);
        assert_eq!(sentence_case("élan of n1"), "Élan of n1");
        assert_eq!(sentence_case(""), "");
    }

    #[test]
    fn a_leader_that_is_not_seen_for_a_while_and_comes_back_has_not_changed() {
        let leader = |node: Option<&str>| {
            let mark = Mark::Leader(node.map(str::to_owned));
            Event {
                index: 0,
                time_ns: 0,
                process: Process::Named(HARNESS.to_owned()),
                kind: EventKind::Info,
                f: mark.name().into(),
                value: mark.value(),
                error: None,
                node: None,
            }
        };
        let changes = |nodes: &[Option<&str>]| {
            leader_changes(&nodes.iter().map(|node| leader(*node)).collect::<Vec<_>>())
        };
        assert_eq!(changes(&[]), None);
        assert_eq!(changes(&[None]), None);
        assert_eq!(changes(&[Some("n1"), None, Some("n1")]), Some(0));
        assert_eq!(changes(&[Some("n1"), None, Some("n2"), Some("n1")]), Some(2));
    }
}
