//! Whether the store served again: once every fault had been healed, and after a restart of all nodes.

use std::{collections::BTreeMap, time::Duration};

use history::{CheckResult, Event, EventKind, Process, Violation};
use record::{Mark, OwnExit, Phase};

/// The checker's name in reports.
pub(super) const CHECKER: &str = "recovery";
/// The name of the check of the restart of all nodes.
pub(super) const RESTART: &str = "restart";

/// The bench was held up for longer than this: nothing about liveness can be said.
const STARVED_MS: u64 = 1000;

/// So much is told of why an operation did not succeed.
const ERROR_CHARS_MAX: usize = 160;

/// The check; `limit`: how long the store had for it.
pub(super) fn check(marks: &[Mark], events: &[Event], limit: Duration) -> CheckResult {
    let inconclusive = |reason: String| CheckResult::inconclusive(CHECKER, reason);
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
            CHECKER,
            "After all faults that can be healed were healed, the store served again, reads and writes.",
        ),
        Some(true) => inconclusive(format!(
            "{}: from then on less was tested than asked for.",
            sentences(&exits)
        )),
        Some(false) => {
            let outcome = if has_ever_served(events) {
                "Every fault was healed, yet reads or writes did not succeed any more"
            } else {
                "No operation ever succeeded: none under faults, and none without them"
            };
            Attempt { checker: CHECKER, phase: Phase::Recovery, outcome, limit }
                .failed(marks, events)
        }
    }
}

/// The check of the restart; `None` where there was none.
pub(super) fn check_restart(
    marks: &[Mark],
    events: &[Event],
    limit: Duration,
) -> Option<CheckResult> {
    if let Some(refused) = refused_to_start(marks) {
        return Some(refused);
    }
    let was_due = marks.contains(&Mark::Phase(Phase::Restart));
    let served = marks.iter().rev().find_map(|mark| match mark {
        Mark::Restarted(served) => Some(*served),
        _ => None,
    });
    let Some(served) = served else {
        let sentence = "All nodes were to be killed and started again, but that could not be done.";
        return was_due.then(|| CheckResult::inconclusive(RESTART, sentence));
    };
    Some(if served {
        let sentence = "After all nodes were killed at once and started again, the store served again, reads and writes.";
        CheckResult::valid(RESTART, sentence)
    } else {
        let outcome = "All nodes were killed at once and started again on their data, and then reads or writes did not \
                       succeed any more";
        Attempt { checker: RESTART, phase: Phase::Restart, outcome, limit }.failed(marks, events)
    })
}

/// A server that had ended by itself was started once more on its data, with nothing broken, and ended again before it was ready:
/// the others may go on, but this one is lost for good. `None` where there was none.
fn refused_to_start(marks: &[Mark]) -> Option<CheckResult> {
    let (place, node) = marks.iter().enumerate().find_map(|(place, mark)| match mark {
        Mark::StartedAgain { node, ready: false } => Some((place, node)),
        _ => None,
    })?;
    let of_node = |mark: &&OwnExit| mark.node == *node;
    let first = marks[..place].iter().filter_map(own_exit).find(of_node)?;
    let Some(again) = marks[place..].iter().filter_map(own_exit).find(of_node) else {
        let sentence = format!("{first}. Started once more on its data, it was not ready in time.");
        return Some(CheckResult::inconclusive(RESTART, sentence));
    };
    let sentence = format!(
        "{first}. When every fault was healed it was started once more on its data, and ended again ({}): this node is lost for \
         good.",
        again.how()
    );
    let exits: Vec<&OwnExit> = marks.iter().filter_map(own_exit).collect();
    if let Some(excuse) = excuse(marks, &exits) {
        return Some(CheckResult::inconclusive(RESTART, format!("{sentence} But {excuse}")));
    }
    let kind = "no restart".to_owned();
    let violation = Violation { kind, sentence: sentence.clone(), operations: Vec::new() };
    Some(CheckResult::found(RESTART, sentence, vec![violation]))
}

/// An attempt to be served again.
struct Attempt {
    checker: &'static str,
    /// When it was made.
    phase: Phase,
    outcome: &'static str,
    limit: Duration,
}

impl Attempt {
    fn failed(&self, marks: &[Mark], events: &[Event]) -> CheckResult {
        let exits: Vec<&OwnExit> = marks.iter().filter_map(own_exit).collect();
        match excuse(marks, &exits) {
            Some(excuse) => CheckResult::inconclusive(
                self.checker,
                format!("The store did not serve again, but {excuse}"),
            ),
            None => self.violation(events, &exits),
        }
    }

    fn violation(&self, events: &[Event], exits: &[&OwnExit]) -> CheckResult {
        let seconds = self.limit.as_secs_f64();
        let mut reasons = vec![format!("{} within {seconds} s", self.outcome)];
        reasons.extend(exits.iter().map(ToString::to_string));
        reasons.extend(commonest_error(events, self.phase));
        let sentence = format!("{}.", reasons.join(". "));
        let violation = Violation {
            kind: "no recovery".to_owned(),
            sentence: sentence.clone(),
            operations: last_attempts(events),
        };
        CheckResult::found(self.checker, sentence, vec![violation])
    }
}

/// Why a store that did not serve again may not be to blame.
pub(super) fn excuse(marks: &[Mark], exits: &[&OwnExit]) -> Option<String> {
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
        return Some(format!("the bench or the machine stood in its way: {how}."));
    }
    exits
        .iter()
        .any(|exit| exit.killed)
        .then(|| format!("something other than the bench killed a node. {}.", sentences(exits)))
}

fn has_ever_served(events: &[Event]) -> bool {
    let mut clients = events.iter().filter(|event| matches!(event.process, Process::Client(_)));
    clients.any(|event| event.kind == EventKind::Ok)
}

/// Why most of the operations ended without success that were tried from this phase on.
fn commonest_error(events: &[Event], phase: Phase) -> Option<String> {
    let begins = |event: &Event| Mark::of(event) == Some(Mark::Phase(phase));
    let begin = events.iter().rposition(begins)?;
    let mut errors: BTreeMap<&str, u64> = BTreeMap::new();
    for error in events[begin..].iter().filter_map(|event| event.error.as_deref()) {
        *errors.entry(error).or_default() += 1;
    }
    let all: u64 = errors.values().sum();
    let (error, count) = errors.into_iter().max_by_key(|(_, count)| *count)?;
    let error: String = error.chars().take(ERROR_CHARS_MAX).collect();
    Some(format!(
        "Of {all} operations that were tried last and did not succeed, {count} ended with: {error}"
    ))
}

pub(super) fn own_exit(mark: &Mark) -> Option<&OwnExit> {
    match mark {
        Mark::OwnExit(exit) => Some(exit),
        _ => None,
    }
}

/// Which nodes ended by themselves, and how.
fn sentences(exits: &[&OwnExit]) -> String {
    exits.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
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

#[cfg(test)]
mod tests {
    use super::*;
    use history::Verdict;
    use serde_json::Value;

    #[test]
    fn a_store_is_blamed_for_not_recovering_only_where_nothing_else_is_to_blame() {
        let no = || Mark::Recovered(false);
        let exit = |killed: bool| {
            let (node, exit, last_words) = ("n1".into(), "exit code 101".into(), "oops".into());
            Mark::OwnExit(OwnExit { node, exit, killed, last_words })
        };
        let verdict = |marks: Vec<Mark>| check(&marks, &[], Duration::from_secs(8)).verdict;
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
    fn a_node_that_ends_again_on_its_data_is_a_violation_whatever_the_others_do() {
        let exit = |node: &str, killed| {
            let (exit, last_words) = ("exit code 101".into(), "a hole in the log".into());
            Mark::OwnExit(OwnExit { node: node.into(), exit, killed, last_words })
        };
        let again = |ready| Mark::StartedAgain { node: "n2".into(), ready };
        let of = |marks: &[Mark]| check_restart(marks, &[], Duration::from_secs(8)).unwrap();
        let twice = [exit("n2", false), Mark::Recovered(true), again(false), exit("n2", false)];
        let told = of(&twice);
        assert_eq!(told.verdict, Verdict::Violation);
        for part in ["Node n2 ended by itself (exit code 101; its stderr", "again (exit code 101; "]
        {
            assert!(told.summary.contains(part), "{}", told.summary);
        }
        for excuse in [exit("n1", true), Mark::Hindered("no memory".into()), Mark::StarvedMs(5000)]
        {
            let told = of(&[&twice[..], &[excuse]].concat());
            assert_eq!(told.verdict, Verdict::Inconclusive, "{}", told.summary);
        }
        assert_eq!(of(&twice[..3]).verdict, Verdict::Inconclusive, "it is slow");
        let came_up = [exit("n2", false), again(true), exit("n2", false), Mark::Restarted(true)];
        assert_eq!(of(&came_up).verdict, Verdict::Valid, "what it did later is no refusal");
        let recovery = check(&twice, &[], Duration::from_secs(8));
        assert_eq!(recovery.verdict, Verdict::Inconclusive);
    }

    #[test]
    fn a_store_that_does_not_serve_after_a_restart_of_all_nodes_is_blamed_in_the_same_way() {
        let limit = Duration::from_secs(8);
        let verdict =
            |marks: &[Mark]| check_restart(marks, &[], limit).map(|result| result.verdict);
        assert_eq!(verdict(&[Mark::Recovered(true)]), None);
        assert_eq!(verdict(&[Mark::Phase(Phase::Restart)]), Some(Verdict::Inconclusive));
        assert_eq!(verdict(&[Mark::Restarted(true)]), Some(Verdict::Valid));
        assert_eq!(verdict(&[Mark::Restarted(false)]), Some(Verdict::Violation));
        let starved = [Mark::StarvedMs(5000), Mark::Restarted(false)];
        assert_eq!(verdict(&starved), Some(Verdict::Inconclusive));
    }

    #[test]
    fn the_sentence_names_the_cause() {
        let mut events = Vec::new();
        let mut add = |process: Process, kind, f: &str, value: Value, error: Option<&str>| {
            let (index, f, error) = (events.len() as u64, f.to_owned(), error.map(str::to_owned));
            events.push(Event {
                index,
                time_ns: index,
                process,
                kind,
                f: f.into(),
                value,
                error,
                node: None,
            });
        };
        let client = || Process::Client(0);
        let phase = Mark::Phase(Phase::Recovery);
        add(client(), EventKind::Fail, "get", Value::Null, Some("not_ready"));
        let harness = Process::Named(history::HARNESS.to_owned());
        add(harness, EventKind::Info, phase.name(), phase.value(), None);
        for error in ["n1: connection refused", "not_leader", "n1: connection refused"] {
            add(client(), EventKind::Fail, "get", Value::Null, Some(error));
        }
        let (node, exit, last_words) = ("n1".into(), "exited with code 3".into(), "oops".into());
        let exit = Mark::OwnExit(OwnExit { node, exit, killed: false, last_words });
        let marks = [exit, Mark::Recovered(false)];
        let told = |events: &[Event]| check(&marks, events, Duration::from_secs(8)).summary;
        let never = told(&events);
        for part in [
            "No operation ever succeeded: none under faults, and none without them within 8 s",
            "Node n1 ended by itself (exited with code 3; its stderr ends with \"oops\")",
            "Of 3 operations that were tried last and did not succeed, 2 ended with: n1: connection refused",
        ] {
            assert!(never.contains(part), "{part}: {never}");
        }
        events[0].kind = EventKind::Ok;
        assert!(told(&events).contains("did not succeed any more within 8 s"));
    }
}
