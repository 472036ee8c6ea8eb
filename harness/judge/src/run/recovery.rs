//! Whether the store served again: once every fault had been healed, and after a restart of all nodes.

use history::{CheckResult, Event, EventKind, Process, Violation};
use record::{Mark, OwnExit};

/// The bench was held up for longer than this: nothing about liveness can be said.
const STARVED_MS: u64 = 1000;

/// The check.
pub(super) fn check(marks: &[Mark], events: &[Event]) -> CheckResult {
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
        Some(false) => {
            let sentence = "Every fault was healed, yet reads or writes did not succeed any more.";
            not_served("recovery", sentence, marks, events)
        }
    }
}

/// The check of the restart; `None` where there was none.
pub(super) fn check_restart(marks: &[Mark], events: &[Event]) -> Option<CheckResult> {
    let served = marks.iter().rev().find_map(|mark| match mark {
        Mark::Restarted(served) => Some(*served),
        _ => None,
    })?;
    Some(if served {
        let sentence = "After all nodes were killed at once and started again, the store served again, reads and writes.";
        CheckResult::valid("restart", sentence)
    } else {
        let sentence = "All nodes were killed at once and started again on their data, and then reads or writes did not succeed any more.";
        not_served("restart", sentence, marks, events)
    })
}

fn not_served(checker: &str, sentence: &str, marks: &[Mark], events: &[Event]) -> CheckResult {
    let exits: Vec<&OwnExit> = marks.iter().filter_map(own_exit).collect();
    match excuse(marks, &exits) {
        Some(excuse) => CheckResult::inconclusive(
            checker,
            format!("The store did not serve again, but {excuse}"),
        ),
        None => no_recovery(checker, sentence, events, &exits),
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
        return Some(format!("the bench or the machine stood in its way: {how}."));
    }
    exits
        .iter()
        .any(|exit| exit.killed)
        .then(|| format!("something other than the bench killed a node. {}.", sentences(exits)))
}

fn no_recovery(checker: &str, sentence: &str, events: &[Event], exits: &[&OwnExit]) -> CheckResult {
    let why = if exits.is_empty() { String::new() } else { format!(" {}.", sentences(exits)) };
    let sentence = format!("{sentence}{why}");
    let violation = Violation {
        kind: "no recovery".to_owned(),
        sentence: sentence.clone(),
        operations: last_attempts(events),
    };
    CheckResult::found(checker, sentence, vec![violation])
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

    #[test]
    fn a_store_is_blamed_for_not_recovering_only_where_nothing_else_is_to_blame() {
        let no = || Mark::Recovered(false);
        let exit = |killed: bool| {
            Mark::OwnExit(OwnExit { node: "n1".into(), exit: "exit code 101".into(), killed })
        };
        let verdict = |marks: Vec<Mark>| check(&marks, &[]).verdict;
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
    fn a_store_that_does_not_serve_after_a_restart_of_all_nodes_is_blamed_in_the_same_way() {
        let verdict = |marks: &[Mark]| check_restart(marks, &[]).map(|result| result.verdict);
        assert_eq!(verdict(&[Mark::Recovered(true)]), None);
        assert_eq!(verdict(&[Mark::Restarted(true)]), Some(Verdict::Valid));
        assert_eq!(verdict(&[Mark::Restarted(false)]), Some(Verdict::Violation));
        let starved = [Mark::StarvedMs(5000), Mark::Restarted(false)];
        assert_eq!(verdict(&starved), Some(Verdict::Inconclusive));
    }
}
