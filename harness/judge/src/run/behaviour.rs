//! How the store behaved: figures from the record that a person reads and that decide nothing.

mod fail_over;
mod footprints;
mod migrations;
mod orders;
mod outages;
mod traffic;

use history::{Event, Operation};
use record::{Behaviour, FaultRecord, Phase, RunFile, Times};

use super::by_hand;
use super::members::Members;
use super::writes::is_acknowledged_write;
use migrations::Migrations;

pub(super) use traffic::Passed;

/// A run whose store behaves somehow.
pub(super) struct Behaving<'a> {
    /// What was asked.
    pub(super) run: &'a RunFile,
    /// The whole record.
    pub(super) events: &'a [Event],
    /// All operations.
    pub(super) all: &'a [Operation],
    /// Those of the main phase.
    pub(super) main: &'a [&'a Operation],
    /// What was broken, and when.
    pub(super) faults: &'a [FaultRecord],
    /// What passed between the nodes in the main phase; `None`: the trace cannot be read.
    pub(super) passed: Option<&'a Passed>,
}

impl Behaving<'_> {
    pub(super) fn behaviour(&self) -> Behaviour {
        let &Self { run, events, main, faults, .. } = self;
        let occupied = Behaviour {
            snapshot_limit_bytes: run.snapshot_bytes,
            nodes: footprints::occupied(&run.linked(), super::footprints(events)),
            ..Behaviour::default()
        };
        if by_hand::is(run) {
            // Whoever asks by hand leaves long pauses: every time would be that of a person.
            return occupied;
        }
        let writes = self.writes();
        let begin_ns = main.iter().map(|operation| operation.call_ns).min().unwrap_or(0);
        let leaders: Vec<_> = record::leader_changes(events).collect();
        // Of a sharded store, who leads is known of the first group.
        let first = Members::electorates(run)[0];
        let of_first = first.asked(run, &writes);
        let lost = fail_over::leaders_lost(first, (faults, begin_ns), &leaders, &of_first);
        let migrations = Migrations::of(run, main);
        let times = |times_ns: Vec<u64>| Times::of(times_ns.into_iter().map(Some).collect());
        Behaviour {
            shards_paused_ms: times(migrations.paused_ns),
            beside_moves_ms: times(migrations.beside_ns),
            fail_over_healed_before: lost.iter().filter(|lost| lost.healed_before).count() as u64,
            fail_over_ms: Times::of(lost.into_iter().map(|lost| lost.lasted_ns).collect()),
            recovery_ms: Times::of(outages::recoveries_ns(main, faults, &writes)),
            longest_outage: outages::longest(main),
            longest_wait: outages::longest_wait(main),
            traffic: self.passed.and_then(|passed| passed.by_operation(main)),
            orders: self.passed.and_then(Passed::orders),
            ..occupied
        }
    }

    /// The writes that were acknowledged, in the order of their answers, until the store had to serve again: a fault at the
    /// end of the main phase is followed by no other answer.
    fn writes(&self) -> Vec<&Operation> {
        let phases = [Phase::Main, Phase::Heal, Phase::Recovery].map(Phase::name);
        let is_within = |operation: &&Operation| phases.contains(&operation.phase.as_str());
        let within = self.all.iter().filter(is_within);
        let mut writes: Vec<&Operation> =
            within.filter(|operation| is_acknowledged_write(operation)).collect();
        writes.sort_by_key(|operation| operation.return_ns);
        writes
    }
}

/// The first write among these, in the order of their answers, that was called from this moment on and is `counted`.
fn first_write<'o>(
    writes: &[&'o Operation],
    from_ns: u64,
    counted: impl Fn(&Operation) -> bool,
) -> Option<&'o Operation> {
    let at = writes.partition_point(|write| write.return_ns < Some(from_ns));
    let mut later = writes[at..].iter().copied();
    later.find(|write| write.call_ns >= from_ns && counted(write))
}

#[cfg(test)]
mod tests {
    use history::Completion;
    use record::FaultStep;
    use serde_json::json;

    use super::super::witnesses::tests as witnesses;
    pub(super) use super::super::witnesses::tests::MS;
    use contract::launch::SNAPSHOT_BYTES;

    use super::*;

    /// A write that this node acknowledged.
    pub(super) fn put(node: &str, (call_ms, return_ms): (u64, u64)) -> Operation {
        Operation {
            call: call_ms,
            process: 0,
            f: "put".into(),
            arguments: json!({ "key": "x", "value": "1" }),
            completion: Completion::Ok(1, json!({})),
            call_ns: call_ms * MS,
            return_ns: Some(return_ms * MS),
            node: Some(node.to_owned()),
            phase: Phase::Main.name().to_owned(),
        }
    }

    /// The same as a read.
    pub(super) fn get(node: &str, times_ms: (u64, u64)) -> Operation {
        let (f, arguments) = ("get".into(), json!({ "key": "x" }));
        let completion = Completion::Ok(1, json!({ "value": null }));
        Operation { f, arguments, completion, ..put(node, times_ms) }
    }

    /// A write of which nobody knows what came of it.
    pub(super) fn unanswered(times_ms: (u64, u64)) -> Operation {
        Operation { completion: Completion::Info(None), ..put("n1", times_ms) }
    }

    /// A fault that is planned for this moment after the first call, starts at once, and is healed.
    pub(super) fn fault(
        number: u64,
        kind: (&str, &str),
        targets: &[&str],
        times_ms: (u64, u64),
    ) -> Vec<FaultRecord> {
        let [started, healed] = witnesses::fault(number, kind, targets, times_ms);
        let planned = FaultRecord { step: FaultStep::Planned, ..started.clone() };
        let healing = FaultRecord { step: FaultStep::Healing, ..healed.clone() };
        vec![planned, started, healing, healed]
    }

    #[test]
    fn a_session_by_hand_has_no_times_and_a_run_has_them() {
        let behaviour = |workload: &str| {
            let run: RunFile = serde_json::from_value(json!({
                "version": 1, "harness": "", "target": "", "target_folder": "", "workload": workload, "seed": 7,
                "nodes": ["n1", "n2", "n3"], "clients": 1, "rate": null, "faults": [], "fault_interval_ms": 1,
                "time_limit_ms": 1, "started": "", "command": "", "machine": {},
            }))
            .unwrap();
            let all: Vec<Operation> =
                [(0, 100), (100, 200), (900, 1_000)].map(|times_ms| put("n2", times_ms)).to_vec();
            let main: Vec<&Operation> = all.iter().collect();
            let faults = fault(0, ("kill", "kill-leader"), &["n1"], (150, 800));
            let (events, faults) = (&[][..], &faults[..]);
            Behaving { run: &run, events, all: &all, main: &main, faults, passed: None }.behaviour()
        };
        let run = behaviour("register");
        assert_eq!(run.fail_over_ms, Times::of(vec![Some(850 * MS)]));
        assert_eq!(run.fail_over_healed_before, 1);
        assert_eq!(run.recovery_ms, Times::of(vec![Some(200 * MS)]));
        assert_eq!(run.longest_outage.map(|outage| outage.lasted_ms), Some(800.0));
        assert_eq!(run.longest_wait.map(|wait| wait.lasted_ms), Some(100.0));
        let limit_only =
            Behaviour { snapshot_limit_bytes: Some(SNAPSHOT_BYTES), ..Behaviour::default() };
        assert_eq!(behaviour("by-hand"), limit_only);
    }
}
