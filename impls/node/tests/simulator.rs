//! What the simulator promises, shown with a toy protocol: sound runs pass, and each kind of flaw is found.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

mod toy;

use contract::{Answer, NodeId, Operation, Outcome, Request};
use node::{
    Effects, Protocol,
    sim::{
        Completion, EventKind, Fault, FaultFamily, FaultOptions, FaultPlan, Generator,
        NetworkOptions, Report, Scenario, Simulator, TraceLine, View,
    },
};
use toy::{
    Flaw, HEARTBEAT_MS, Toy,
    alarms::{Alarms, EXPECTED},
};

const MS: u64 = 1_000;

fn names(count: usize) -> Vec<NodeId> {
    (1..=count).map(|number| format!("n{number}")).collect()
}

fn simulator(seed: u64, count: usize, flaw: Flaw) -> Simulator<Toy> {
    let members = names(count);
    Simulator::new(seed, &names(count), move |me, records| Toy::new(me, &members, flaw, records))
}

fn append(seq: u64, text: &str) -> Request {
    let op = Operation::Append { key: "x".to_owned(), value: text.to_owned() };
    Request { client: "c1".to_owned(), seq, op }
}

fn value(text: &str) -> Answer {
    Answer::Ok(Outcome::Value { value: Some(text.to_owned()) })
}

/// Nobody may have heard of more entries than the keeper would come back with.
fn nothing_leaves_before_it_is_durable(view: &View<'_, Toy>) -> Result<(), String> {
    let (keeper, durable) = view.durable().next().expect("there are nodes");
    for (name, protocol) in view.live() {
        let heard = protocol.heard.get(keeper).copied().unwrap_or(0);
        if name != keeper && heard > durable.len() {
            return Err(format!("{name} heard of {heard} entries, {} are durable", durable.len()));
        }
    }
    Ok(())
}

#[test]
fn a_request_is_answered_once_it_is_durable() {
    let mut simulator = simulator(1, 2, Flaw::None);
    let ticket = simulator.submit("n1", &append(1, "a"));
    assert_eq!(simulator.run_for(20 * MS), [(ticket, value("a"))]);
    assert_eq!(simulator.durable("n1").len(), 1);
    assert_eq!(simulator.protocol("n2").unwrap().heard["n1"], 1);
}

#[test]
fn a_crash_keeps_what_is_durable_and_nothing_else() {
    let mut simulator = simulator(2, 2, Flaw::None);
    simulator.submit("n1", &append(1, "a"));
    simulator.run_for(200 * MS);
    assert!(simulator.protocol("n1").unwrap().deliveries > 0);
    simulator.crash("n1");
    assert!(simulator.protocol("n1").is_none());
    simulator.restart("n1");
    let reborn = simulator.protocol("n1").unwrap();
    assert_eq!((reborn.entries.len(), reborn.deliveries, reborn.ticks), (1, 0, 0));
}

#[test]
fn a_crash_forgets_the_waiting_clients_and_the_timers() {
    let mut simulator = simulator(3, 1, Flaw::None);
    simulator.crash_in_next_write("n1");
    simulator.submit("n1", &append(1, "a"));
    assert_eq!(simulator.run_for(1_000 * MS), []);
    assert!(simulator.protocol("n1").is_none());
    simulator.restart("n1");
    assert_eq!(simulator.run_for(10 * HEARTBEAT_MS * MS + MS), [], "no answer from another life");
    assert_eq!(simulator.protocol("n1").unwrap().ticks, 10, "one heartbeat timer, not two");
}

#[test]
fn a_crash_in_a_write_keeps_either_and_lets_nothing_leave() {
    let (mut kept, mut lost) = (0, 0);
    for seed in 0..50 {
        let mut simulator = simulator(seed, 2, Flaw::None);
        simulator.check_each_step(nothing_leaves_before_it_is_durable);
        simulator.crash_in_next_write("n1");
        simulator.submit("n1", &append(1, "a"));
        assert_eq!(simulator.run_for(500 * MS), []);
        assert_eq!(simulator.protocol("n2").unwrap().heard.get("n1"), None);
        if simulator.durable("n1").is_empty() {
            lost += 1;
        } else {
            kept += 1;
        }
        assert_eq!(simulator.violation(), None);
    }
    assert!(kept > 5 && lost > 5, "kept {kept}, lost {lost}");
}

#[test]
fn a_node_that_was_to_crash_in_a_write_does_not_once_the_faults_are_over() {
    for seed in 0..20 {
        let mut simulator = simulator(seed, 1, Flaw::None);
        simulator.crash_in_next_write("n1");
        let ticket = simulator.submit("n1", &append(1, "a"));
        // The write is under way, and so is its crash.
        simulator.keep_trace();
        let is_writing = |trace: &[TraceLine]| trace.iter().any(|l| l.what.starts_with("writes "));
        while !is_writing(simulator.trace()) {
            simulator.step().unwrap();
        }
        simulator.end_faults();
        assert_eq!(simulator.run_for(500 * MS), [(ticket, value("a"))], "seed {seed}");
    }
}

#[test]
fn loss_loses_and_duplication_doubles() {
    let count = |options| {
        let mut simulator = simulator(4, 2, Flaw::None);
        simulator.set_network(options);
        simulator.run_for(100 * HEARTBEAT_MS * MS);
        simulator.protocol("n2").unwrap().deliveries
    };
    let reliable = NetworkOptions::RELIABLE;
    let sent = count(reliable);
    assert!((98..=100).contains(&sent), "{sent}");
    assert_eq!(count(NetworkOptions { loss_per_mille: 1000, ..reliable }), 0);
    let lossy = count(NetworkOptions { loss_per_mille: 300, ..reliable });
    assert!((50..90).contains(&lossy), "{lossy}");
    let doubled = count(NetworkOptions { duplicate_per_mille: 1000, ..reliable });
    assert!(doubled >= 2 * sent - 2, "{doubled}");
}

#[test]
fn nothing_crosses_a_cut_link_in_its_direction() {
    let mut simulator = simulator(5, 2, Flaw::None);
    simulator.cut(&[("n2".to_owned(), "n1".to_owned())]);
    simulator.run_for(500 * MS);
    assert!(simulator.protocol("n2").unwrap().deliveries > 0);
    assert_eq!(simulator.protocol("n1").unwrap().deliveries, 0);
    simulator.heal();
    simulator.run_for(500 * MS);
    assert!(simulator.protocol("n1").unwrap().deliveries > 0);
}

#[test]
fn a_paused_node_handles_its_inputs_when_it_goes_on() {
    let mut simulator = simulator(6, 1, Flaw::None);
    simulator.pause("n1");
    let ticket = simulator.submit("n1", &append(1, "a"));
    assert_eq!(simulator.run_for(500 * MS), []);
    simulator.resume("n1");
    assert_eq!(simulator.run_for(10 * MS), [(ticket, value("a"))]);
}

#[test]
fn a_timer_that_is_set_again_fires_once_and_a_cancelled_one_never() {
    let mut simulator = Simulator::new(1, &names(1), |_, _| Alarms::default());
    simulator.run_for(1_000 * MS);
    assert_eq!(simulator.protocol("n1").unwrap().fired, EXPECTED);
}

/// Persists two records and one rewrite in one step, and messages itself about it.
struct Batcher {
    records: Vec<u8>,
    told: Option<usize>,
}

impl Protocol for Batcher {
    type Message = u8;
    type Record = u8;
    type Timer = ();

    fn on_start(&mut self, effects: &mut Effects<Self>) {
        if self.records.is_empty() {
            effects.persist(1);
            effects.persist(2);
            effects.rewrite(vec![3]);
            effects.persist(4);
            effects.send(&"n1".to_owned(), 5);
        }
    }

    fn on_message(&mut self, _: &NodeId, _: u8, _: &mut Effects<Self>) {
        self.told = Some(self.records.len());
    }

    fn on_timer(&mut self, (): (), _: &mut Effects<Self>) {}

    fn on_request(&mut self, _: u64, _: Request, _: &mut Effects<Self>) {}

    fn is_ready(&self) -> bool {
        true
    }

    fn status(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    fn message_kind(_: &u8) -> &'static str {
        "Told"
    }
}

#[test]
fn a_crash_in_a_batch_keeps_a_prefix_of_its_writes_and_rewrites_are_atomic() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let make = |_: &NodeId, records| Batcher { records, told: None };
        let mut simulator = Simulator::new(seed, &names(1), make);
        simulator.crash_in_next_write("n1");
        simulator.run_for(10 * MS);
        assert!(simulator.protocol("n1").is_none());
        seen.insert(simulator.durable("n1").to_vec());
    }
    let prefixes: [&[u8]; 5] = [&[], &[1], &[1, 2], &[3], &[3, 4]];
    assert_eq!(seen, prefixes.into_iter().map(<[u8]>::to_vec).collect());
}

#[test]
fn a_message_to_oneself_arrives_after_what_was_persisted_before_it() {
    let make = |_: &NodeId, records| Batcher { records, told: None };
    let mut simulator = Simulator::new(1, &names(1), make);
    simulator.check_each_step(|view: &View<'_, Batcher>| {
        let (_, durable) = view.durable().next().expect("one node");
        match view.stepped().1.told {
            Some(_) if durable != [3, 4] => Err(format!("told when {durable:?} was durable")),
            _ => Ok(()),
        }
    });
    simulator.run_for(10 * MS);
    assert_eq!(simulator.violation(), None);
    assert!(simulator.protocol("n1").unwrap().told.is_some());
}

fn generator() -> Generator {
    Box::new(|dice, unique| {
        let key = "x".to_owned();
        if dice.chance(300) {
            Operation::Get { key }
        } else {
            Operation::Append { key, value: format!("{unique},") }
        }
    })
}

fn run(scenario: &Scenario, flaw: Flaw) -> Report<Toy> {
    let members = scenario.nodes.clone();
    let make = move |me: &NodeId, records: Vec<_>| Toy::new(me, &members, flaw, records);
    scenario.run_with(make, nothing_leaves_before_it_is_durable, generator())
}

fn scenario(seed: u64) -> Scenario {
    let mut scenario = Scenario::new(seed, 3);
    scenario.faults.duration_ms = 4_000;
    scenario.settle_ms = 1_000;
    scenario
}

/// Linearizability of one list: the answers are prefixes of one another, hold each append once, and grow in time.
fn check_list(report: &Report<Toy>) -> Result<(), String> {
    let mut answered: Vec<(u64, u64, String)> = Vec::new();
    for operation in report.history.operations() {
        let Completion::Ok(returned, outcome) = operation.completion else { continue };
        let Outcome::Value { value: Some(text) } = outcome else { continue };
        if let Operation::Append { value, .. } = &operation.operation
            && !(text.ends_with(value)
                && text.split_inclusive(',').filter(|t| t == value).count() == 1)
        {
            return Err(format!("append of {value} got {text}"));
        }
        answered.push((operation.call, returned, text));
    }
    for (call, _, later) in &answered {
        for (_, returned, earlier) in &answered {
            if returned < call && !later.starts_with(earlier.as_str()) {
                return Err(format!("{earlier} was answered, then {later}"));
            }
        }
    }
    Ok(())
}

#[test]
fn a_sound_protocol_passes_hundreds_of_faulty_runs_and_makes_progress() {
    let (mut infos, mut fails) = (0, 0);
    for seed in 0..200 {
        let report = run(&scenario(seed), Flaw::None);
        assert_eq!(report.violation, None, "seed {seed}");
        assert_eq!(check_list(&report), Ok(()), "seed {seed}");
        assert!(report.ok_after_heal > 10, "seed {seed}: {}", report.ok_after_heal);
        for event in report.history.events() {
            infos += usize::from(matches!(event.kind, EventKind::Info(_)));
            fails += usize::from(matches!(event.kind, EventKind::Fail(_)));
        }
    }
    assert!(infos > 0 && fails > 0, "{infos} info, {fails} fail: the faults did not bite");
}

#[test]
fn a_protocol_that_does_not_persist_is_found() {
    let caught = (0..20).filter(|seed| {
        let report = run(&scenario(*seed), Flaw::Forgetful);
        report.violation.is_some() && report.violation.unwrap().contains("are durable")
    });
    assert!(caught.count() >= 19);
}

#[test]
fn a_protocol_that_appends_retries_again_is_found() {
    let caught = (0..50).filter(|seed| check_list(&run(&scenario(*seed), Flaw::Repeats)).is_err());
    assert!(caught.count() >= 10);
}

#[test]
fn a_protocol_that_panics_is_found_where_it_does() {
    let mut asked = simulator(1, 2, Flaw::Panics);
    asked.submit("n2", &append(1, "a"));
    asked.run_for(500 * MS);
    assert_eq!(asked.violation(), Some("n2 panicked: asked for append"));

    let members = names(1);
    let mut restarted = Simulator::new(1, &names(1), move |me, records: Vec<_>| {
        assert!(records.is_empty(), "this log cannot be read");
        Toy::new(me, &members, Flaw::None, records)
    });
    restarted.submit("n1", &append(1, "a"));
    restarted.run_for(500 * MS);
    restarted.crash("n1");
    restarted.restart("n1");
    assert_eq!(restarted.violation(), Some("n1 panicked: this log cannot be read"));
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let traced = |seed| {
        let report = run(&Scenario { keep_trace: true, ..scenario(seed) }, Flaw::None);
        (report.simulator.trace().to_vec(), report.history, report.steps)
    };
    for seed in 0..10 {
        let (first, second) = (traced(seed), traced(seed));
        assert!(first.0.len() > 100);
        assert!(first == second, "seed {seed} gave two different runs");
    }
    assert!(traced(1).0 != traced(2).0);
}

#[test]
fn a_plan_follows_from_its_seed_and_holds_every_family() {
    let nodes = names(5);
    let options = FaultOptions { duration_ms: 60_000, ..FaultOptions::default() };
    let plan = FaultPlan::random(7, &nodes, &options);
    assert_eq!(plan, FaultPlan::random(7, &nodes, &options));
    assert_ne!(plan, FaultPlan::random(8, &nodes, &options));
    assert!(plan.steps.is_sorted_by_key(|(at_ms, _)| *at_ms));
    let holds = |wanted: fn(&Fault) -> bool| plan.steps.iter().any(|(_, fault)| wanted(fault));
    assert!(holds(|fault| matches!(fault, Fault::Cut(links) if !links.is_empty())));
    assert!(holds(|fault| matches!(fault, Fault::Crash(_))));
    assert!(holds(|fault| matches!(fault, Fault::CrashInNextWrite(_))));
    assert!(holds(|fault| matches!(fault, Fault::Pause(_))));
    assert!(holds(|fault| *fault == Fault::Network(NetworkOptions::LOSSY)));
    let one_family = FaultOptions { families: vec![FaultFamily::Pause], ..options.clone() };
    let only_pauses = FaultPlan::random(7, &nodes, &one_family);
    let is_pause =
        |fault: &Fault| matches!(fault, Fault::Pause(_) | Fault::Resume(_) | Fault::Network(_));
    assert!(only_pauses.steps.iter().all(|(_, fault)| is_pause(fault)));
    let none = FaultOptions { families: Vec::new(), ..options };
    assert_eq!(FaultPlan::random(7, &nodes, &none).steps.len(), 1);
}

#[test]
fn an_operation_fails_only_where_every_attempt_was_definite() {
    // Only refusals: nobody keeps the list.
    let members = vec!["nobody".to_owned()];
    let mut scenario = scenario(9);
    scenario.faults.families = Vec::new();
    scenario.faults.network = NetworkOptions::RELIABLE;
    let make = move |me: &NodeId, records: Vec<_>| Toy::new(me, &members, Flaw::None, records);
    let report = scenario.run_with(make, |_| Ok(()), generator());
    let operations = report.history.operations();
    assert!(!operations.is_empty());
    for operation in operations {
        assert!(
            matches!(&operation.completion, Completion::Fail(_, why) if why.starts_with("not_leader")),
            "{operation:?}"
        );
    }
    // Only silence: an append is open for ever and its process is never seen again; a read may be called failed.
    scenario.faults.network = NetworkOptions { loss_per_mille: 1000, ..NetworkOptions::RELIABLE };
    scenario.settle_ms = 0;
    let report = run(&scenario, Flaw::None);
    let mut open = std::collections::BTreeSet::new();
    for event in report.history.events().iter().filter(|event| event.time_us < 4_000 * MS) {
        assert!(!open.contains(&event.process), "{event:?}");
        if matches!(event.kind, EventKind::Info(_)) {
            open.insert(event.process);
        }
    }
    assert!(!open.is_empty());
}
