//! What each node was doing when it did not just run: killed, paused, ended by itself, leading.

use record::{Mark, OwnExit, Phase, restarts};

use crate::faults::Faults;
use crate::markup::cut;

/// So many nodes have a lane.
const NODES_MAX: usize = 12;
const NAME_CHARS_MAX: usize = 12;

/// What a node was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It said that it leads.
    Leads,
    /// The bench had stopped it for a while.
    Paused,
    /// The bench had killed it and not started it again.
    Killed,
    /// It had ended by itself.
    Ended,
    /// Of the machine: it kept the bench from running.
    Starved,
}

/// A state from one moment to another, in nanoseconds of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What it was.
    pub state: State,
    /// From when on.
    pub from_ns: u64,
    /// Until when.
    pub to_ns: u64,
}

/// One node, or the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateLane {
    /// Who.
    pub name: String,
    /// What it was doing; a later span is drawn over an earlier one.
    pub spans: Vec<Span>,
}

/// A lane for each node, and one for the machine where it was too busy at times.
pub fn lanes(
    nodes: &[String],
    marks: &[(u64, Mark)],
    faults: &Faults,
    end_ns: u64,
) -> Vec<StateLane> {
    let of_node = |node: &String| StateLane {
        name: cut(node, NAME_CHARS_MAX),
        spans: [
            leads(node, marks, end_ns),
            broken(node, faults, end_ns),
            restarted(marks, end_ns),
            ended(node, marks, end_ns),
        ]
        .concat(),
    };
    let machine = StateLane { name: "machine".to_owned(), spans: starved(marks) };
    let nodes = nodes.iter().take(NODES_MAX).map(of_node);
    nodes.chain(Some(machine).filter(|machine| !machine.spans.is_empty())).collect()
}

fn leads(node: &str, marks: &[(u64, Mark)], end_ns: u64) -> Vec<Span> {
    let changes: Vec<(u64, &Option<String>)> = marks
        .iter()
        .filter_map(|(at, mark)| match mark {
            Mark::Leader(leader) => Some((*at, leader)),
            _ => None,
        })
        .collect();
    // Nobody is asked who leads once the main phase is over.
    let asked_until_ns = phase_ns(Phase::Recovery, marks).unwrap_or(end_ns);
    let ends = changes.iter().skip(1).map(|(at, _)| *at).chain([asked_until_ns]);
    let all = changes.iter().zip(ends);
    all.filter(|((_, leader), _)| leader.as_deref() == Some(node))
        .map(|((from_ns, _), to_ns)| Span { state: State::Leads, from_ns: *from_ns, to_ns })
        .collect()
}

fn broken(node: &str, faults: &Faults, end_ns: u64) -> Vec<Span> {
    let of_node = faults
        .list
        .iter()
        .filter(|fault| !fault.is_missed() && fault.targets.iter().any(|target| target == node));
    of_node
        .filter_map(|fault| {
            let state = match fault.family.as_str() {
                "kill" => State::Killed,
                "pause" => State::Paused,
                _ => return None,
            };
            let (from_ns, to_ns) = fault.span(end_ns)?;
            Some(Span { state, from_ns, to_ns })
        })
        .collect()
}

/// All nodes at once, after the faults.
fn restarted(marks: &[(u64, Mark)], end_ns: u64) -> Vec<Span> {
    let span = |(from_ns, to_ns): (u64, Option<u64>)| Span {
        state: State::Killed,
        from_ns,
        to_ns: to_ns.unwrap_or(end_ns),
    };
    restarts(marks.iter().map(|(at, mark)| (*at, mark))).into_iter().map(span).collect()
}

fn phase_ns(phase: Phase, marks: &[(u64, Mark)]) -> Option<u64> {
    marks.iter().find(|(_, mark)| *mark == Mark::Phase(phase)).map(|(at, _)| *at)
}

/// A node that ended by itself, until it was ready again after it was started once more, if it was.
fn ended(node: &str, marks: &[(u64, Mark)], end_ns: u64) -> Vec<Span> {
    let exit = marks.iter().find_map(|(at, mark)| match mark {
        Mark::OwnExit(OwnExit { node: ended, .. }) if ended == node => Some(*at),
        _ => None,
    });
    let ready = marks.iter().find_map(|(at, mark)| match mark {
        Mark::StartedAgain { node: again, ready: true } if again == node => Some(*at),
        _ => None,
    });
    let span = |from_ns: u64| Span {
        state: State::Ended,
        from_ns,
        to_ns: ready.unwrap_or(end_ns).max(from_ns),
    };
    exit.map(span).into_iter().collect()
}

/// The mark at the end of a run tells the longest delay once more: it is no moment of its own.
fn starved(marks: &[(u64, Mark)]) -> Vec<Span> {
    let delays: Vec<(u64, u64)> = marks
        .iter()
        .filter_map(|(at, mark)| match mark {
            Mark::StarvedMs(ms) => Some((*at, *ms)),
            _ => None,
        })
        .collect();
    let (_, moments) = delays.split_last().unwrap_or((&(0, 0), &[]));
    let span = |(at, ms): &(u64, u64)| Span {
        state: State::Starved,
        from_ns: at.saturating_sub(ms.saturating_mul(1_000_000)),
        to_ns: *at,
    };
    moments.iter().map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Fault;

    fn leader(at: u64, node: Option<&str>) -> (u64, Mark) {
        (at, Mark::Leader(node.map(str::to_owned)))
    }

    fn of(name: &str, lanes: &[StateLane]) -> Vec<(State, u64, u64)> {
        let lane = lanes.iter().find(|lane| lane.name == name).unwrap();
        lane.spans.iter().map(|span| (span.state, span.from_ns, span.to_ns)).collect()
    }

    #[test]
    fn a_node_leads_until_somebody_else_or_nobody_does() {
        let marks = [leader(1, Some("n1")), leader(4, None), leader(6, Some("n2"))];
        let nodes = ["n1".to_owned(), "n2".to_owned(), "n3".to_owned()];
        let lanes = lanes(&nodes, &marks, &Faults::default(), 9);
        assert_eq!(of("n1", &lanes), [(State::Leads, 1, 4)]);
        assert_eq!(of("n2", &lanes), [(State::Leads, 6, 9)]);
        assert_eq!(of("n3", &lanes), []);
    }

    #[test]
    fn kills_pauses_and_own_exits_are_told_apart_and_misses_are_none() {
        let fault = |family: &str, started, missed| Fault {
            family: family.to_owned(),
            targets: vec!["n1".to_owned()],
            started_ns: started,
            missed_ns: missed,
            healed_ns: Some(5),
            ..Fault::default()
        };
        let list = vec![
            fault("kill", Some(2), None),
            fault("pause", Some(3), None),
            fault("partition", Some(1), None),
            fault("kill", None, Some(4)),
        ];
        let own = OwnExit {
            node: "n1".to_owned(),
            exit: String::new(),
            killed: false,
            last_words: String::new(),
        };
        let mut marks = vec![(7, Mark::OwnExit(own))];
        let faults = Faults { list, ..Faults::default() };
        let lanes = lanes(&["n1".to_owned()], &marks, &faults, 9);
        let expected = [(State::Killed, 2, 5), (State::Paused, 3, 5), (State::Ended, 7, 9)];
        assert_eq!(of("n1", &lanes), expected);
        marks.push((8, Mark::StartedAgain { node: "n1".to_owned(), ready: true }));
        let lanes = super::lanes(&["n1".to_owned()], &marks, &faults, 9);
        assert_eq!(of("n1", &lanes)[2], (State::Ended, 7, 8));
    }

    #[test]
    fn the_machine_has_a_lane_where_it_was_too_busy() {
        let ms = 1_000_000;
        let marks = [(900 * ms, Mark::StarvedMs(300)), (2000 * ms, Mark::StarvedMs(300))];
        let with = lanes(&[], &marks, &Faults::default(), 0);
        assert_eq!(of("machine", &with), [(State::Starved, 600 * ms, 900 * ms)]);
        assert_eq!(lanes(&[], &marks[1..], &Faults::default(), 0), []);
    }
}
