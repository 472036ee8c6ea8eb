//! Marks: what the bench itself writes into the history, so that the record alone decides.
//!
//! A mark is an event of the process [`HARNESS`]; its `f` names the kind of mark, its value says the rest.

use std::{collections::BTreeMap, fmt};

use history::{Event, HARNESS, PHASE, Process};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const NOTE: &str = "note";
const RECOVERED: &str = "recovered";
const RESTARTED: &str = "restarted";
const HINDERED: &str = "hindered";
const OWN_EXIT: &str = "own-exit";
const STARTED_AGAIN: &str = "started-again";
const FINAL_READS: &str = "final-reads";
const STARVED_MS: &str = "starved-ms";
const LEADER: &str = "leader";
const FOOTPRINT: &str = "footprint";
const TRACE: &str = "trace";
const UNRECORDED: &str = "unrecorded";
const PROVEN: &str = "proven";

/// Something that the bench writes into the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A phase begins.
    Phase(Phase),
    /// Something a person should know that decides nothing.
    Note(String),
    /// Whether the store served again after the faults had stopped.
    Recovered(bool),
    /// Whether the store served again after all nodes had been killed at once and started again.
    Restarted(bool),
    /// The bench or the machine, not the store, kept nodes or clients from doing their work: how.
    Hindered(String),
    /// A node ended though the bench did not end it.
    OwnExit(OwnExit),
    /// A node that had ended by itself was started once more on its data, with nothing broken.
    StartedAgain {
        /// The node's id.
        node: String,
        /// Whether it was ready in time; else it has ended again, or has not come that far.
        ready: bool,
    },
    /// How many of the final reads were answered.
    FinalReads {
        /// Reads that were due.
        asked: u64,
        /// Reads that were answered.
        answered: u64,
    },
    /// For how long the machine had kept the bench from running, in milliseconds: at the moment where that was long,
    /// and at the end of the run for the longest of all.
    StarvedMs(u64),
    /// From now on this node says that it leads; `None`: no node does.
    Leader(Option<String>),
    /// What a node occupies at this moment.
    Footprint(Footprint),
    /// The trace of messages is complete but for this: from when on, in nanoseconds since the start of the run, a node may
    /// have told another one something that the trace does not show. Of a node that is not named it shows everything.
    Trace(BTreeMap<String, u64>),
    /// So many requests came to the nodes so far that are not in the history: somebody asked them past the bench.
    Unrecorded(u64),
    /// The first so many events of the history prove a violation, and so the run ends.
    Proven(u64),
}

/// What a node occupies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// The node's id.
    pub node: String,
    /// The size of all files in its data folder; `None` where the node does not run, or that could not be read.
    pub data_bytes: Option<u64>,
    /// The size of its log, as it says itself.
    pub log_bytes: Option<u64>,
    /// The memory of its processes, where the system says so and the node runs.
    pub memory_bytes: Option<u64>,
}

impl Footprint {
    /// By how many bytes the data folder or the log grew since then, whichever did more. `None` where neither is known, or
    /// has changed at all: files may be made larger in advance.
    #[must_use]
    pub fn growth_bytes(&self, before: &Self) -> Option<u64> {
        let growth = |now: Option<u64>, then: Option<u64>| {
            let (now, then) = now.zip(then).filter(|(now, then)| now != then)?;
            Some(now.saturating_sub(then))
        };
        growth(self.data_bytes, before.data_bytes).max(growth(self.log_bytes, before.log_bytes))
    }
}

/// How a node ended that the bench did not end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnExit {
    /// The node's id.
    pub node: String,
    /// Its exit code or signal, in words.
    pub exit: String,
    /// Whether it was killed from outside: not by the bench, so perhaps by the machine.
    pub killed: bool,
    /// The last line of its stderr, cut and printable; empty where there is none.
    pub last_words: String,
}

impl OwnExit {
    /// How it ended, in words.
    #[must_use]
    pub fn how(&self) -> String {
        let Self { exit, last_words, .. } = self;
        match last_words.as_str() {
            "" => exit.clone(),
            words => format!("{exit}; its stderr ends with \"{words}\""),
        }
    }
}

impl fmt::Display for OwnExit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Node {} ended by itself ({})", self.node, self.how())
    }
}

/// When all nodes were killed at once and started again: from, and to the next phase, if that came. The marks are in their order.
pub fn restarts<'a>(marks: impl IntoIterator<Item = (u64, &'a Mark)>) -> Vec<(u64, Option<u64>)> {
    let phase = |(time_ns, mark): (u64, &Mark)| match mark {
        Mark::Phase(phase) => Some((time_ns, *phase)),
        _ => None,
    };
    let phases: Vec<(u64, Phase)> = marks.into_iter().filter_map(phase).collect();
    let restarts = phases.iter().enumerate().filter(|(_, (_, phase))| *phase == Phase::Restart);
    restarts.map(|(at, (from_ns, _))| (*from_ns, phases.get(at + 1).map(|next| next.0))).collect()
}

/// A phase of a run, in the order of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The nodes start.
    Ready,
    /// The workload makes what its clients need.
    Setup,
    /// The clients work and faults are injected; the operations of this phase count.
    Main,
    /// Every fault is undone.
    Heal,
    /// The store must serve again.
    Recovery,
    /// All nodes are killed at once and started again; once more after [`Self::Compaction`].
    Restart,
    /// One key is written over and over, so that the log has to be compacted.
    Compaction,
    /// Nothing is sent, so that what is under way can arrive.
    Quiesce,
    /// Every node is read once more.
    Final,
    /// The nodes stop.
    Stop,
}

impl Mark {
    /// What kind of mark it is: the event's `f`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Phase(_) => PHASE,
            Self::Note(_) => NOTE,
            Self::Recovered(_) => RECOVERED,
            Self::Restarted(_) => RESTARTED,
            Self::Hindered(_) => HINDERED,
            Self::OwnExit(_) => OWN_EXIT,
            Self::StartedAgain { .. } => STARTED_AGAIN,
            Self::FinalReads { .. } => FINAL_READS,
            Self::StarvedMs(_) => STARVED_MS,
            Self::Leader(_) => LEADER,
            Self::Footprint(_) => FOOTPRINT,
            Self::Trace(_) => TRACE,
            Self::Unrecorded(_) => UNRECORDED,
            Self::Proven(_) => PROVEN,
        }
    }

    /// What it says: the event's value.
    #[must_use]
    pub fn value(&self) -> Value {
        match self {
            Self::Phase(phase) => phase.name().into(),
            Self::Note(text) | Self::Hindered(text) => text.as_str().into(),
            Self::Recovered(served) | Self::Restarted(served) => (*served).into(),
            Self::OwnExit(OwnExit { node, exit, killed, last_words }) => {
                json!({ "node": node, "exit": exit, "killed": killed, "last_words": last_words })
            }
            Self::StartedAgain { node, ready } => json!({ "node": node, "ready": ready }),
            Self::FinalReads { asked, answered } => json!({ "asked": asked, "answered": answered }),
            Self::StarvedMs(number) | Self::Unrecorded(number) | Self::Proven(number) => {
                (*number).into()
            }
            Self::Leader(node) => node.as_deref().into(),
            Self::Footprint(footprint) => json!(footprint),
            Self::Trace(unseen) => json!(unseen),
        }
    }

    /// The mark that this event is; `None` for a client's event and for a mark that this version does not know.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        if !matches!(&event.process, Process::Named(name) if name == HARNESS) {
            return None;
        }
        let value = &event.value;
        match event.f.as_str() {
            PHASE => Phase::by_name(value.as_str()?).map(Self::Phase),
            NOTE => value.as_str().map(|text| Self::Note(text.to_owned())),
            RECOVERED => value.as_bool().map(Self::Recovered),
            RESTARTED => value.as_bool().map(Self::Restarted),
            HINDERED => value.as_str().map(|text| Self::Hindered(text.to_owned())),
            OWN_EXIT => {
                let text = |field: &str, missing: &str| {
                    value[field].as_str().unwrap_or(missing).to_owned()
                };
                Some(Self::OwnExit(OwnExit {
                    node: text("node", "?"),
                    exit: text("exit", "?"),
                    killed: value["killed"] == true,
                    last_words: text("last_words", ""),
                }))
            }
            STARTED_AGAIN => {
                let (node, ready) = (value["node"].as_str()?.to_owned(), value["ready"].as_bool()?);
                Some(Self::StartedAgain { node, ready })
            }
            FINAL_READS => {
                let (asked, answered) = (value["asked"].as_u64()?, value["answered"].as_u64()?);
                Some(Self::FinalReads { asked, answered })
            }
            STARVED_MS => value.as_u64().map(Self::StarvedMs),
            LEADER if value.is_null() => Some(Self::Leader(None)),
            LEADER => value.as_str().map(|node| Self::Leader(Some(node.to_owned()))),
            FOOTPRINT => Footprint::deserialize(value).ok().map(Self::Footprint),
            TRACE => BTreeMap::deserialize(value).ok().map(Self::Trace),
            UNRECORDED => value.as_u64().map(Self::Unrecorded),
            PROVEN => value.as_u64().map(Self::Proven),
            _ => None,
        }
    }
}

impl Phase {
    /// All phases, in the order of a run.
    pub const ALL: [Self; 10] = [
        Self::Ready,
        Self::Setup,
        Self::Main,
        Self::Heal,
        Self::Recovery,
        Self::Restart,
        Self::Compaction,
        Self::Quiesce,
        Self::Final,
        Self::Stop,
    ];

    /// The name in the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Setup => "setup",
            Self::Main => "main",
            Self::Heal => "heal",
            Self::Recovery => "recovery",
            Self::Restart => "restart",
            Self::Compaction => "compaction",
            Self::Quiesce => "quiesce",
            Self::Final => "final",
            Self::Stop => "stop",
        }
    }

    /// The phase of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::EventKind;

    fn event(process: Process, f: &str, value: Value) -> Event {
        let (f, kind) = (f.to_owned(), EventKind::Info);
        Event { index: 0, time_ns: 0, process, kind, f: f.into(), value, error: None, node: None }
    }

    #[test]
    fn each_restart_lasts_until_the_next_phase() {
        let marks = [
            (1, Mark::Phase(Phase::Recovery)),
            (2, Mark::Phase(Phase::Restart)),
            (3, Mark::Restarted(true)),
            (5, Mark::Phase(Phase::Compaction)),
            (7, Mark::Phase(Phase::Restart)),
        ];
        let of = |count: usize| restarts(marks[..count].iter().map(|(at, mark)| (*at, mark)));
        assert_eq!(of(1), []);
        assert_eq!(of(3), [(2, None)]);
        assert_eq!(of(5), [(2, Some(5)), (7, None)]);
    }

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let (node, exit) = ("n1".to_owned(), "signal 9".to_owned());
        let own_exit = |killed| {
            let (node, exit, last_words) = (node.clone(), exit.clone(), "panic: x".to_owned());
            Mark::OwnExit(OwnExit { node, exit, killed, last_words })
        };
        let others = [
            Mark::Note("Slow.".into()),
            Mark::Recovered(false),
            Mark::Restarted(true),
            Mark::Hindered("no descriptors".into()),
            own_exit(true),
            own_exit(false),
            Mark::StartedAgain { node: "n1".into(), ready: false },
            Mark::FinalReads { asked: 3, answered: 2 },
            Mark::StarvedMs(1500),
            Mark::Leader(Some("n1".into())),
            Mark::Leader(None),
            Mark::Footprint(Footprint { data_bytes: Some(7), ..Footprint::default() }),
            Mark::Trace(BTreeMap::from([("n1".into(), 5)])),
            Mark::Unrecorded(3),
        ];
        for mark in Phase::ALL.map(Mark::Phase).into_iter().chain(others) {
            let harness = event(Process::Named(HARNESS.into()), mark.name(), mark.value());
            assert_eq!(Mark::of(&harness), Some(mark.clone()));
            let client = event(Process::Client(0), mark.name(), mark.value());
            assert_eq!(Mark::of(&client), None);
        }
    }

    #[test]
    fn what_is_no_mark_is_none() {
        for (f, value) in [
            ("phase", json!("party")),
            ("note", json!(5)),
            ("thought", json!("x")),
            ("leader", json!(1)),
            ("footprint", json!({ "data_bytes": 7 })),
            ("trace", json!({ "n1": -1 })),
        ] {
            assert_eq!(Mark::of(&event(Process::Named(HARNESS.into()), f, value)), None);
        }
    }
}
