//! What a run writes down: phases in order, every client its own process, the plan before the deeds.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use common::Bench;
use history::{Event, EventKind, Process};
use record::{FaultRecord, FaultStep, SCENARIOS};

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
        let (planned, healed) = (FaultStep::Planned, FaultStep::Healed);
        assert_eq!(steps, [planned, FaultStep::Started, FaultStep::Healing, healed]);
    }
}

/// Whoever reads where the faults want it does nothing else, and is none of the clients.
#[test]
fn after_each_fault_the_nodes_are_read_at_by_clients_that_do_nothing_else() {
    let bench = Bench::with_toy("");
    bench.run(&format!("{RUN} --seed 5")).expect(0, "VALID");
    let run: record::RunFile =
        serde_json::from_str(&std::fs::read_to_string(bench.latest().join("run.json")).unwrap())
            .unwrap();
    let (clients, probers) = (u64::from(run.clients), u64::from(run.probers));
    let is_prober = |event: &&Event| {
        let Process::Client(process) = event.process else { return false };
        process % (clients + 1 + probers) > clients
    };
    let events = history(&bench);
    let probes: Vec<&Event> = events.iter().filter(is_prober).collect();
    let invoked = probes.iter().filter(|event| event.kind == EventKind::Invoke);
    let invoked: Vec<&str> = invoked.map(|event| event.f.as_str()).collect();
    assert!(!invoked.is_empty() && invoked.iter().all(|f| *f == "get"), "{invoked:?}");
    assert!(probes.iter().any(|event| event.kind == EventKind::Ok));
}

/// How long each act takes depends on the store, but not which act follows which.
#[test]
fn the_same_seed_breaks_the_same_things_in_the_same_order() {
    let acts = |seed: u64| {
        let bench = Bench::with_toy("");
        bench.run(&format!("{RUN} --seed {seed}"));
        let planned = faults(&bench).into_iter().filter(|fault| fault.step == FaultStep::Planned);
        let acts: Vec<(String, String)> =
            planned.map(|fault| (fault.family, fault.form)).filter(is_an_act).collect();
        assert!(acts.len() >= 3, "{acts:?}");
        acts
    };
    // What a scenario breaks has its name.
    fn is_an_act((family, form): &(String, String)) -> bool {
        family == SCENARIOS
            || !harness::nemesis::scenarios::SCENARIOS.iter().any(|it| it.name == form)
    }
    assert_eq!(acts(7)[..3], acts(7)[..3]);
    let first: std::collections::BTreeSet<_> =
        (7..12).map(|seed| acts(seed)[..3].to_vec()).collect();
    assert!(first.len() > 1, "{first:?}");
}

#[test]
fn clients_keep_their_pace_where_a_rate_is_given() {
    const PACE_NS: u64 = 100_000_000;
    let bench = Bench::with_toy("");
    bench.run_until("--workload register --faults none --clients 4 --rate 40 --seed 1", |_| {
        longest_row(&bench).1 >= 5
    });
    // Four clients at 40 a second: each begins an operation every 100 ms, never sooner.
    let (time_ns, count) = longest_row(&bench);
    assert!(count >= 5, "no client did even {count} operations");
    // What is recorded may lag a little behind what is done.
    assert!(time_ns >= (count - 2) * PACE_NS, "{count} operations within {time_ns} ns");
}

/// Of the client with the most operations in the main phase: the time from its first invocation to its last, and how
/// many there were.
fn longest_row(bench: &Bench) -> (u64, u64) {
    let events = history(bench);
    let time_of = |phase: &str| events.iter().find(|event| event.value == phase).unwrap().time_ns;
    let main = time_of("main")..time_of("heal");
    let of = |client: u64| {
        let invoked = events.iter().filter(|event| {
            event.kind == EventKind::Invoke
                && event.process == Process::Client(client)
                && main.contains(&event.time_ns)
        });
        let times: Vec<u64> = invoked.map(|event| event.time_ns).collect();
        let (first, last) =
            (times.first().copied().unwrap_or(0), times.last().copied().unwrap_or(0));
        (last - first, times.len() as u64)
    };
    (0..4).map(of).max_by_key(|(_, count)| *count).unwrap()
}
