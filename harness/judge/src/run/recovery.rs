//! Whether the store served again once every fault had been healed.

use std::time::Duration;

use history::{CheckResult, Event, EventKind, Process, Violation};
use record::{Mark, OwnExit};

/// The checker's name in reports.
pub(super) const CHECKER: &str = "recovery";

/// The bench was held up for longer than this: nothing about liveness can be said.
const STARVED_MS: u64 = 1000;

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
        Some(false) => match excuse(marks, &exits) {
            Some(excuse) => inconclusive(format!("The store did not serve again, but {excuse}")),
            None => no_recovery(events, &exits, limit),
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
        return Some(format!("the bench or the machine stood in its way: {how}."));
    }
    exits
        .iter()
        .any(|exit| exit.killed)
        .then(|| format!("something other than the bench killed a node. {}.", sentences(exits)))
}

fn no_recovery(events: &[Event], exits: &[&OwnExit], limit: Duration) -> CheckResult {
    let why = if exits.is_empty() { String::new() } else { format!(" {}.", sentences(exits)) };
    let sentence = format!(
        "Every fault was healed, yet reads or writes did not succeed any more within {} s.{why}",
        limit.as_secs_f64()
    );
    let violation = Violation {
        kind: "no recovery".to_owned(),
        sentence: sentence.clone(),
        operations: last_attempts(events),
    };
    CheckResult::found(CHECKER, sentence, vec![violation])
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
}
