//! Who led the store, as far as its nodes said.

use history::Event;

use crate::Mark;

/// From this moment on, another node says that it leads, or none does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaderChange {
    /// Nanoseconds since the start of the run, when the bench saw it: it asks several times a second.
    pub time_ns: u64,
    /// Who leads by the highest term; `None`: no node said that it leads.
    pub node: Option<String>,
}

impl LeaderChange {
    /// The change that this event of a history is; `None` for every other event.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        match Mark::of(event)? {
            Mark::Leader(node) => Some(Self { time_ns: event.time_ns, node }),
            _ => None,
        }
    }
}

/// All changes of a history in order, the first leader included. Empty where the store does not say who leads.
pub fn leader_changes<'a>(
    events: impl IntoIterator<Item = &'a Event>,
) -> impl Iterator<Item = LeaderChange> {
    events.into_iter().filter_map(LeaderChange::of)
}

#[cfg(test)]
mod tests {
    use history::{EventKind, HARNESS, Process};

    use super::*;

    fn mark(time_ns: u64, mark: &Mark) -> Event {
        Event {
            index: 0,
            time_ns,
            process: Process::Named(HARNESS.to_owned()),
            kind: EventKind::Info,
            f: mark.name().into(),
            value: mark.value(),
            error: None,
            node: None,
        }
    }

    #[test]
    fn changes_are_told_from_other_marks_and_from_what_clients_do() {
        let n1 = || Some("n1".to_owned());
        let mut client = mark(4, &Mark::Leader(n1()));
        client.process = Process::Client(0);
        let events = [
            mark(1, &Mark::Leader(n1())),
            mark(2, &Mark::Note("n2".to_owned())),
            mark(3, &Mark::Leader(None)),
            client,
        ];
        let changes: Vec<LeaderChange> = leader_changes(&events).collect();
        let expected =
            [LeaderChange { time_ns: 1, node: n1() }, LeaderChange { time_ns: 3, node: None }];
        assert_eq!(changes, expected);
    }
}
