//! What a run writes down: phases in order, every client its own process, the plan before the deeds.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use common::Bench;
use history::{Event, EventKind, Process};
use record::{FaultRecord, FaultStep};

const RUN: &str =
    "--workload register --faults pause,client --fault-interval 500ms --time-limit 2s --clients 4";

fn history(bench: &Bench) -> Vec<Event> {
    let file = std::fs::File::open(bench.latest().join("history.jsonl")).unwrap();
    history::read_jsonl(std::io::BufReader::new(file)).unwrap()
}

fn faults(bench: &Bench) -> Vec<FaultRecord> {
    let text = std::fs::read_to_string(bench.latest().join("faults.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_run_goes_through_its_phases_in_order_and_stops_the_faults_before_the_last_reads() {
    let bench = Bench::with_toy("");
    bench.run(&format!("{RUN} --seed 5")).expect(0, "VALID");
    let events = history(&bench);
    let phases: Vec<&str> = events
        .iter()
        .filter(|event| event.f == "phase")
        .filter_map(|event| event.value.as_str())
        .collect();
    assert_eq!(phases, ["ready", "setup", "main", "heal", "recovery", "quiesce", "final", "stop"]);

    // Index and time never go back; a process has one operation at a time.
    assert!(
        events
            .windows(2)
            .all(|pair| pair[0].index < pair[1].index && pair[0].time_ns <= pair[1].time_ns)
    );
    let mut open = std::collections::BTreeSet::new();
    for event in &events {
        if let Process::Client(process) = event.process {
            let fresh = if event.kind == EventKind::Invoke {
                open.insert(process)
            } else {
                open.remove(&process)
            };
            assert!(fresh, "{event:?}");
        }
    }

    let time_of = |phase: &str| events.iter().find(|event| event.value == phase).unwrap().time_ns;
    let (main, recovery) = (time_of("main"), time_of("recovery"));
    let faults = faults(&bench);
    assert!(faults.iter().any(|fault| fault.step == FaultStep::Healed));
    for fault in faults.iter().filter(|fault| fault.step != FaultStep::Planned) {
        assert!((main..=recovery).contains(&fault.time_ns), "{fault:?}");
    }
    for number in
        faults.iter().filter(|fault| fault.step == FaultStep::Started).map(|fault| fault.fault)
    {
        let steps: Vec<_> =
            faults.iter().filter(|fault| fault.fault == number).map(|fault| fault.step).collect();
        assert_eq!(steps, [FaultStep::Planned, FaultStep::Started, FaultStep::Healed]);
    }
}

#[test]
fn the_same_seed_writes_down_the_same_plan_byte_for_byte() {
    let plan = |seed: u64| {
        let bench = Bench::with_toy("");
        bench.run(&format!("{RUN} --seed {seed}"));
        let text = std::fs::read_to_string(bench.latest().join("faults.jsonl")).unwrap();
        let planned: Vec<String> =
            text.lines().filter(|line| line.contains("\"planned\"")).map(str::to_owned).collect();
        assert!(!planned.is_empty());
        planned
    };
    assert_eq!(plan(7), plan(7));
    assert_ne!(plan(7), plan(8));
}

/// Less would be no pause.
const HOLD_MIN_NS: u64 = 100_000_000;

/// Runs of ten seconds were often inconclusive, only because their one or two pauses met a node that was just dead.
#[test]
fn a_pause_of_a_dead_node_waits_until_it_lives_again() {
    let bench = Bench::with_toy("");
    // The toy forgets everything when it is killed: what is said of it does not matter here.
    bench.run(
        "--workload register --faults kill,pause --fault-interval 1500ms --time-limit 4500ms --clients 2 --seed 4",
    );
    let faults = faults(&bench);
    let time_of = |number: u64, step: FaultStep| {
        let record = faults.iter().find(|fault| fault.fault == number && fault.step == step);
        record.unwrap_or_else(|| panic!("fault {number} never {step:?}: {faults:#?}")).time_ns
    };
    let planned = |number: u64| faults.iter().find(|fault| fault.fault == number).unwrap();
    assert_eq!((planned(2).family.as_str(), planned(3).family.as_str()), ("kill", "pause"));
    let (killed, revived) = (time_of(2, FaultStep::Started), time_of(2, FaultStep::Healed));
    let (paused, resumed) = (time_of(3, FaultStep::Started), time_of(3, FaultStep::Healed));
    assert!(killed < revived && revived < paused, "{faults:#?}");
    assert!(resumed - paused >= HOLD_MIN_NS, "{faults:#?}");
}

#[test]
fn clients_keep_their_pace_where_a_rate_is_given() {
    let bench = Bench::with_toy("");
    let ran = bench.run(
        "--workload register --faults none --time-limit 2s --clients 4 --rate 40 --seed 1 --json",
    );
    let operations = ran.json()["operations"].clone();
    let done: u64 =
        operations.as_object().unwrap().values().map(|counts| counts["ok"].as_u64().unwrap()).sum();
    assert!(
        (40..=88).contains(&done),
        "about 80 operations in 2 s at 40 a second, but there were {done}"
    );
}
