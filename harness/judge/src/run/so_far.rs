//! A look at a record that still grows: whether it proves a violation already.

use contract::manifest::CAPABILITIES;
use history::{CheckResult, Event, Operation, Verdict};
use isolation::Consistency;
use linearizability::Limits;
use record::{Folder, Mark};
use workloads::Workload;

use super::{Introspection, RunError, configurations, promised, read_events, read_run};

/// The name of the check that a violation that was seen is there in the end, too.
pub(super) const CHECKER: &str = "ended early";

/// Whether what the folder holds so far proves that the store broke a promise: then, how many events of the history do. What
/// is under way counts as unknown, so that nothing that follows can take the proof back.
///
/// # Errors
/// The record cannot be read.
pub fn proves_violation(folder: &Folder, limits: &Limits) -> Result<Option<u64>, RunError> {
    let run = read_run(folder)?;
    let (events, _) = read_events(folder)?;
    let all = CAPABILITIES.map(|entry| entry.capability);
    let workload = workloads::by_name(&run.workload, &all).map_err(RunError::Workload)?;
    let level =
        workloads::levels::level(&*workload, promised(&run)?).map_err(RunError::Workload)?;
    let Ok(operations) = history::operations(&events) else { return Ok(None) };
    let count = events.len() as u64;
    drop(events);
    let said = Introspection::read(folder, &run)?;
    let mut checks = workload.check(&operations, level, limits);
    configurations::undecided_if_untold(&run, &mut checks);
    let is_violated =
        said.checks().any(|check| is_violation(&check)) || checks.iter().any(is_violation);
    Ok(is_violated.then_some(count))
}

/// The checks of the workload, on the events that proved a violation where the run ended for that: more of them show
/// nothing else, and may take too long.
pub(super) fn checks_of(
    workload: &dyn Workload,
    (events, all): (&[Event], &[Operation]),
    marks: &[Mark],
    level: Consistency,
    limits: &Limits,
) -> Vec<CheckResult> {
    let proven = marks.iter().find_map(|mark| match mark {
        Mark::Proven(count) => Some(usize::try_from(*count).unwrap_or(usize::MAX)),
        _ => None,
    });
    let Some(count) = proven else { return workload.check(all, level, limits) };
    let first = &events[..count.min(events.len())];
    // What is wrong with the order of events was said of all of them.
    let operations = history::operations(first).unwrap_or_default();
    workload.check(&operations, level, limits)
}

fn is_violation(check: &CheckResult) -> bool {
    check.verdict == Verdict::Violation
}

/// Where a run ended because a violation was proven, the checks of the whole record must prove it, too: else the bench is
/// wrong.
pub(super) fn check<'a>(
    marks: &[Mark],
    mut checks: impl Iterator<Item = &'a CheckResult>,
) -> Option<CheckResult> {
    let ended_early = marks.iter().any(|mark| matches!(mark, Mark::Proven(_)));
    let is_there = checks.any(is_violation);
    (ended_early && !is_there).then(|| {
        let why = "The run was ended because a violation had been found, which is not found in the whole record: a mistake \
                   of the bench. Please report it, with this folder.";
        CheckResult::inconclusive(CHECKER, why.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use history::Violation;

    use super::*;

    #[test]
    fn a_violation_that_is_gone_in_the_end_is_a_mistake_of_the_bench() {
        let lost =
            || Violation { kind: "lost".to_owned(), sentence: String::new(), operations: vec![3] };
        let found = || CheckResult::found("set", "lost", vec![lost()]);
        let valid = || CheckResult::valid("set", String::new());
        assert_eq!(check(&[Mark::Proven(7)], [valid(), found()].iter()), None);
        assert_eq!(check(&[], [valid()].iter()), None);
        let result = check(&[Mark::Proven(7)], [valid()].iter()).unwrap();
        assert_eq!(result.verdict, Verdict::Inconclusive);
    }
}
