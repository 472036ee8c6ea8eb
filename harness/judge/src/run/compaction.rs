//! Whether the log compacts: what was overwritten is not kept for ever.
//!
//! In a phase of its own one key is written over and over. What is alive does not grow, so neither should the nodes' data
//! folders, or the logs of a store that keeps nothing on disk.

use std::collections::BTreeMap;

use contract::launch::SNAPSHOT_BYTES;
use history::{CheckResult, Event, Operation, Process};
use record::{Footprint, Mark, Phase};

use super::writes::is_acknowledged_write;
use super::{footprints, phase_at};

/// The check's name.
pub(super) const COMPACTION: &str = "compaction";

/// What a log may hold anyway must be little beside what was written.
const WRITTEN_BYTES_MIN: u64 = 4 * SNAPSHOT_BYTES;

/// What was overwritten, and what each node kept of it.
pub(super) struct Compaction<'a> {
    /// Bytes of the values that were acknowledged.
    written: u64,
    /// Whether the last write failed.
    stopped: bool,
    /// The percentage that each node's data folder grew by; `None`: the node shows nothing that could grow.
    kept_percent: BTreeMap<&'a str, Option<u64>>,
}

impl<'a> Compaction<'a> {
    /// `None` where there was no such phase.
    pub(super) fn of(
        nodes: &'a [String],
        events: &[Event],
        operations: &[Operation],
    ) -> Option<Self> {
        let events = &events[phase_at(events, Phase::Compaction)?..];
        let is_phase = |event: &Event| matches!(Mark::of(event), Some(Mark::Phase(_)));
        let end = 1 + events[1..].iter().position(is_phase)?;
        let of_client = |event: &Event| matches!(event.process, Process::Client(_));
        let (first, last) =
            (events[..end].iter().position(of_client)?, events[..end].iter().rposition(of_client)?);
        let before: Vec<Footprint> = footprints(&events[..first]).collect();
        let after: Vec<Footprint> = footprints(&events[last..end]).collect();
        let written = written_bytes(operations);
        let kept = |node: &'a String| {
            let growth = growth_bytes(node, &before, &after)?;
            growth.saturating_mul(100).checked_div(written)
        };
        Some(Self {
            written,
            stopped: stopped(operations),
            kept_percent: nodes.iter().map(|node| (&**node, kept(node))).collect(),
        })
    }

    /// The check, where at least so many of a hundred bytes must not be kept; `None` where the store was too slow for it,
    /// or a majority of the nodes shows nothing.
    pub(super) fn check(&self, asked_percent: u64) -> Option<CheckResult> {
        if asked_percent > 0 && self.written < WRITTEN_BYTES_MIN && self.stopped {
            return Some(CheckResult::inconclusive(
                COMPACTION,
                format!(
                    "While one key was written over and over, the store stopped serving writes, after {} KiB. Nothing \
                     was broken then.",
                    self.written / 1024
                ),
            ));
        }
        let most_kept = self.kept_by_majority().filter(|_| self.written >= WRITTEN_BYTES_MIN)?;
        let seen = self.seen();
        if 100_u64.saturating_sub(most_kept) >= asked_percent {
            return Some(CheckResult::valid(COMPACTION, seen));
        }
        Some(CheckResult::inconclusive(
            COMPACTION,
            format!(
                "The log does not seem to compact. {seen} DS_SNAPSHOT_BYTES was {SNAPSHOT_BYTES} then. `--require \
                 percent-compacted=0` accepts that."
            ),
        ))
    }

    /// What was written and kept, in a sentence.
    pub(super) fn seen(&self) -> String {
        let kept = self.kept_percent.iter().map(|(node, percent)| match percent {
            Some(percent) => format!("{node} {percent} %"),
            None => format!("{node} shows nothing"),
        });
        let kept: Vec<String> = kept.collect();
        format!(
            "Of {} KiB written over one key the data folders or logs kept: {}.",
            self.written / 1024,
            kept.join(", ")
        )
    }

    /// A majority of the nodes kept no more than this.
    fn kept_by_majority(&self) -> Option<u64> {
        let mut kept: Vec<u64> = self.kept_percent.values().copied().flatten().collect();
        kept.sort_unstable();
        kept.get(self.kept_percent.len() / 2).copied()
    }
}

fn stopped(operations: &[Operation]) -> bool {
    let mut overwrites =
        operations.iter().filter(|operation| operation.phase == Phase::Compaction.name());
    overwrites.next_back().is_some_and(|last| last.result().is_none())
}

fn written_bytes(operations: &[Operation]) -> u64 {
    let overwrites = operations.iter().filter(|operation| {
        operation.phase == Phase::Compaction.name() && is_acknowledged_write(operation)
    });
    overwrites.map(|put| put.arguments["value"].as_str().map_or(0, str::len) as u64).sum()
}

/// By how much a node grew, at its smallest: for a moment there may be two copies.
fn growth_bytes(node: &str, before: &[Footprint], after: &[Footprint]) -> Option<u64> {
    let is_of_node = |footprint: &&Footprint| footprint.node == node;
    let before = before.iter().rfind(is_of_node)?;
    let growths = after.iter().filter(is_of_node).map(|after| after.growth_bytes(before));
    growths.flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::{EventKind, HARNESS, Verdict};
    use serde_json::json;

    const KIB: u64 = 1024;
    const NODES: [&str; 3] = ["n1", "n2", "n3"];
    /// So many events of a record follow the phase: a restart, an operation and its answer, and the next phase.
    const AFTERWARDS: usize = 4;

    /// A record in which so many values of 4 KiB are written, while the nodes grow from `before` to `after`, one footprint
    /// of all nodes after the other.
    fn record(puts: u64, before: &[Footprint; 3], after: &[[Footprint; 3]]) -> Vec<Event> {
        let mark = |mark: Mark| {
            (
                Process::Named(HARNESS.to_owned()),
                EventKind::Info,
                mark.name().to_owned(),
                mark.value(),
            )
        };
        let all = |footprints: &[Footprint; 3]| {
            let named = footprints.clone().into_iter().zip(NODES).map(|(footprint, node)| {
                mark(Mark::Footprint(Footprint { node: node.to_owned(), ..footprint }))
            });
            named.collect::<Vec<_>>()
        };
        let put = |kind: EventKind, value| (Process::Client(0), kind, "put".to_owned(), value);
        let other = |kind: EventKind, value| (Process::Client(1), kind, "put".to_owned(), value);
        let mut events = vec![mark(Mark::Phase(Phase::Compaction))];
        events.extend(all(before));
        for _ in 0..puts {
            let value = json!({ "key": "compaction", "value": "x".repeat(4096) });
            // A look in the middle says nothing.
            events.extend(all(before));
            events.push(put(EventKind::Invoke, value));
            events.push(put(EventKind::Ok, json!({})));
        }
        events.extend(after.iter().flat_map(all));
        // Then the nodes are started anew and asked whether they serve: that says nothing of what they keep.
        events.push(mark(Mark::Phase(Phase::Restart)));
        events.push(other(EventKind::Invoke, json!({ "key": "x", "value": "1" })));
        events.push(other(EventKind::Ok, json!({})));
        events.push(mark(Mark::Phase(Phase::Quiesce)));
        let event = |(index, (process, kind, f, value))| Event {
            index: index as u64,
            time_ns: index as u64,
            process,
            kind,
            f: String::into(f),
            value,
            error: None,
            node: None,
        };
        events.into_iter().enumerate().map(event).collect()
    }

    fn checked(events: &[Event]) -> Option<CheckResult> {
        let operations = history::operations(events).unwrap();
        Compaction::of(&NODES.map(str::to_owned), events, &operations)?.check(50)
    }

    fn verdict(puts: u64, after: &[[Footprint; 3]]) -> Option<Verdict> {
        checked(&record(puts, &[0, 0, 0].map(data), after)).map(|check| check.verdict)
    }

    /// A data folder of which so much was added.
    fn data(grown_kib: u64) -> Footprint {
        Footprint { data_bytes: Some((9 + grown_kib) * KIB), ..Footprint::default() }
    }

    #[test]
    fn a_store_that_keeps_what_was_overwritten_does_not_compact() {
        let kept =
            checked(&record(128, &[0, 0, 0].map(data), &[[530, 530, 40].map(data)])).unwrap();
        assert_eq!(kept.verdict, Verdict::Inconclusive);
        let seen = "Of 512 KiB written over one key the data folders or logs kept: n1 103 %, n2 103 %, n3 7 %.";
        assert!(kept.summary.contains(seen), "{}", kept.summary);
    }

    #[test]
    fn a_store_that_compacts_soon_after_does() {
        let late = [[530, 530, 530].map(data), [70, 530, 40].map(data), [600, 600, 600].map(data)];
        assert_eq!(verdict(128, &late), Some(Verdict::Valid));
        assert_eq!(verdict(128, &late[..1]), Some(Verdict::Inconclusive));
        assert_eq!(
            verdict(128, &[[1, 900, 200].map(data)]),
            Some(Verdict::Valid),
            "one has caught up"
        );
    }

    #[test]
    fn a_store_without_data_is_judged_by_its_log() {
        let log = |kib: u64| Footprint {
            data_bytes: Some(0),
            log_bytes: Some(kib * KIB),
            ..Footprint::default()
        };
        let grown = |kib| checked(&record(128, &[0, 0, 0].map(log), &[[kib; 3].map(log)]));
        assert_eq!(grown(600).unwrap().verdict, Verdict::Inconclusive);
        assert_eq!(grown(60).unwrap().verdict, Verdict::Valid);
    }

    #[test]
    fn a_store_that_stops_serving_writes_was_not_tested() {
        let mut events = record(30, &[0; 3].map(data), &[[1; 3].map(data)]);
        let end = events.len() - AFTERWARDS;
        let last = events[..end].iter().rposition(|event| event.kind == EventKind::Ok).unwrap();
        events[last].kind = EventKind::Info;
        let stopped = checked(&events).unwrap();
        assert_eq!(stopped.verdict, Verdict::Inconclusive);
        assert!(stopped.summary.contains("after 116 KiB"), "{}", stopped.summary);
    }

    #[test]
    fn where_nothing_can_be_seen_nothing_is_said() {
        let nothing = || Footprint { data_bytes: Some(0), ..Footprint::default() };
        let three = || [nothing(), nothing(), nothing()];
        assert!(checked(&record(128, &three(), &[three()])).is_none());
        assert_eq!(verdict(30, &[[600; 3].map(data)]), None, "too little was written");
        assert_eq!(
            verdict(128, &[[0; 3].map(data)]),
            None,
            "files that were made larger in advance"
        );
        assert_eq!(verdict(128, &[]), None, "nobody looked afterwards");
        let mut cut_short = record(128, &[0; 3].map(data), &[[600; 3].map(data)]);
        cut_short.truncate(cut_short.len() - AFTERWARDS);
        assert!(checked(&cut_short).is_none(), "the run ended early");
        assert_eq!(verdict(0, &[[600; 3].map(data)]), None);
    }
}
