//! Logs of random executions, parsed back as ShiViz does it.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use record::{Clocks, Fate, MessageRecord};

use super::*;

const NODES: usize = 3;
const ALL: Selection = Selection { from_ns: 0, to_ns: u64::MAX, messages_max: usize::MAX };

fn nodes() -> Vec<String> {
    (1..=NODES).map(|node| format!("n{node}")).collect()
}

fn message(time_ns: u64, from: usize, to: usize, counts: &[u64]) -> MessageRecord {
    let vector = nodes().into_iter().zip(counts.iter().copied()).collect();
    MessageRecord {
        time_ns,
        from: nodes()[from].clone(),
        to: nodes()[to].clone(),
        method: "POST".to_owned(),
        path: "/".to_owned(),
        // Unique, so that a receipt finds its sending.
        kind: Some(format!("M{time_ns}")),
        clocks: Some(Clocks { vector: Some(vector), term: Some(7), ..Clocks::default() }),
        bytes: 1,
        fate: Fate::Delivered,
    }
}

/// A random execution with correct clocks: messages pass in another order than they were sent in, some get lost.
fn execution(seed: u64) -> Vec<MessageRecord> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut counts = [[0_u64; NODES]; NODES];
    let (mut leaving, mut arriving, mut trace) = (Vec::new(), Vec::new(), Vec::new());
    for time_ns in 0..200 {
        let at = random.random_range(0..NODES);
        match random.random_range(0..3) {
            0 => {
                counts[at][at] += 1;
                let to = (at + random.random_range(1..NODES)) % NODES;
                leaving.push((at, to, counts[at]));
            }
            1 if !leaving.is_empty() => {
                let (from, to, sent) = leaving.swap_remove(random.random_range(0..leaving.len()));
                let mut passed = message(time_ns, from, to, &sent);
                match random.random_range(0..10) {
                    0 => passed.fate = Fate::RequestDropped,
                    1 => passed.fate = Fate::Stalled,
                    _ => {}
                }
                if passed.fate != Fate::RequestDropped {
                    arriving.push((to, sent));
                }
                trace.push(passed);
            }
            2 if !arriving.is_empty() => {
                let (to, sent) = arriving.swap_remove(random.random_range(0..arriving.len()));
                for (count, sent) in counts[to].iter_mut().zip(sent) {
                    *count = sent.max(*count);
                }
                counts[to][to] += 1;
            }
            _ => {}
        }
    }
    trace
}

fn log(trace: Vec<MessageRecord>, selection: Selection) -> Result<Log, NoLog> {
    let mut shiviz = Shiviz::new(&nodes(), selection);
    trace.into_iter().for_each(|message| shiviz.take(message));
    shiviz.log()
}

/// An event, parsed back.
struct Parsed {
    event: String,
    host: String,
    clock: BTreeMap<String, u64>,
}

fn parsed(text: &str) -> Vec<Parsed> {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(log::PARSER));
    assert_eq!(lines.next(), Some(""), "one execution");
    let lines: Vec<&str> = lines.collect();
    let event = |pair: &[&str]| {
        let (_, event) = pair[0].split_once(' ').unwrap();
        let (host, clock) = pair[1].split_once(' ').unwrap();
        let (event, host) = (event.to_owned(), host.to_owned());
        Parsed { event, host, clock: serde_json::from_str(clock).unwrap() }
    };
    assert_eq!(lines.len() % 2, 0);
    lines.chunks(2).map(event).collect()
}

/// What ShiViz demands: each host counts 1, 2, 3…, and no clock names an event that is not there.
fn assert_well_formed(events: &[Parsed]) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for event in events {
        let count = counts.entry(&event.host).or_default();
        *count += 1;
        assert_eq!(event.clock[&event.host], *count, "{}", event.event);
    }
    for event in events {
        for (host, count) in &event.clock {
            assert!((1..=counts[host.as_str()]).contains(count), "{}", event.event);
        }
    }
}

fn is_below(low: &BTreeMap<String, u64>, high: &BTreeMap<String, u64>) -> bool {
    low != high && low.iter().all(|(host, count)| high.get(host).is_some_and(|high| count <= high))
}

/// The sending of `M17`, say.
fn sending<'e>(events: &'e [Parsed], kind: &str) -> &'e Parsed {
    let start = format!("send {kind} to");
    events.iter().find(|event| event.event.starts_with(&start)).unwrap()
}

#[test]
fn a_log_says_what_the_vectors_say() {
    let (mut receipts, mut ordered, mut concurrent) = (0, 0, 0);
    for seed in 0..200 {
        let trace = execution(seed);
        let log = log(trace.clone(), ALL).unwrap();
        let events = parsed(&log.text);
        assert_well_formed(&events);
        for receipt in events.iter().filter(|event| event.event.starts_with("receive ")) {
            let kind = receipt.event.split(' ').nth(1).unwrap();
            assert!(is_below(&sending(&events, kind).clock, &receipt.clock), "{}", receipt.event);
            receipts += 1;
        }
        // Of any two sendings: one is below the other here if and only if it was in the recorded vectors.
        let vector = |message: &MessageRecord| message.clocks.clone().unwrap().vector.unwrap();
        for one in &trace {
            for other in &trace {
                let [low, high] = [one, other]
                    .map(|message| &sending(&events, message.kind.as_ref().unwrap()).clock);
                let (recorded_low, recorded_high) = (vector(one), vector(other));
                let was_below = is_below(&recorded_low, &recorded_high);
                assert_eq!(is_below(low, high), was_below, "seed {seed}: {one:?} {other:?}");
                ordered += usize::from(was_below);
                concurrent += usize::from(!was_below && !is_below(&recorded_high, &recorded_low));
            }
        }
    }
    assert!(receipts > 3_000, "{receipts}");
    assert!(ordered > 100_000 && concurrent > 100_000, "{ordered}, {concurrent}");
}

#[test]
fn a_part_of_a_run_is_well_formed_too_and_says_what_it_lacks() {
    for seed in 0..100 {
        let trace = execution(seed);
        let with_vector = trace.len();
        let selection = Selection { from_ns: 50, to_ns: 150, messages_max: 20 };
        let log = log(trace, selection).unwrap();
        let events = parsed(&log.text);
        assert_well_formed(&events);
        let sent = events.iter().filter(|event| event.event.starts_with("send ")).count();
        assert!((10..=20).contains(&sent));
        let first = format!("{sent} of {with_vector} messages are shown");
        assert!(log.remarks[0].starts_with(&first), "{:?}", log.remarks);
    }
}

#[test]
fn an_event_is_told_in_words() {
    let mut trace =
        vec![message(1_000, 0, 1, &[1, 0, 0]), message(2_500_000_000, 1, 0, &[1, 2, 0])];
    trace[0].fate = Fate::Duplicated;
    trace[1].kind = Some("Vo\u{1b}te".to_owned());
    let log = log(trace, ALL).unwrap();
    let expected = [
        "0.000001 send M1000 to n2, term 7 (doubled)",
        r#"n1 {"n1":1}"#,
        "0.000001 receive M1000 from n1, term 7",
        r#"n2 {"n1":1,"n2":1}"#,
        "2.500000 send Vo\u{fffd}te to n1, term 7",
        r#"n2 {"n1":1,"n2":2}"#,
    ];
    assert_eq!(log.text.lines().skip(2).collect::<Vec<_>>(), expected);
    assert_eq!(log.remarks.len(), 1, "of the last one nobody knows when it was received");
}

#[test]
fn what_has_no_clocks_or_wrong_ones_gives_no_log() {
    let mut trace = execution(1);
    assert_eq!(log(Vec::new(), ALL).unwrap_err(), NoLog::NoMessages);
    let late = Selection { from_ns: 1_000, ..ALL };
    assert_eq!(log(trace.clone(), late).unwrap_err(), NoLog::NothingSelected);
    let each_other = vec![message(1, 0, 1, &[1, 1, 0]), message(2, 1, 0, &[1, 1, 0])];
    assert_eq!(log(each_other, ALL).unwrap_err(), NoLog::Contradiction);
    for message in &mut trace {
        message.clocks = None;
    }
    let count = trace.len();
    assert_eq!(log(trace, ALL).unwrap_err(), NoLog::NoClocks(count));
}

#[test]
fn messages_without_a_vector_and_those_of_clients_are_left_out() {
    let mut trace = execution(2);
    let all = trace.len();
    trace[3].clocks = None;
    trace.push(MessageRecord { from: "clients".to_owned(), ..trace[0].clone() });
    let log = log(trace, ALL).unwrap();
    let events = parsed(&log.text);
    assert_well_formed(&events);
    let hosts: BTreeSet<&str> = events.iter().map(|event| event.host.as_str()).collect();
    assert_eq!(hosts, BTreeSet::from(["n1", "n2", "n3"]));
    assert_eq!(events.iter().filter(|event| event.event.starts_with("send ")).count(), all - 1);
    assert!(log.remarks.iter().any(|remark| remark.starts_with("1 messages have no vector")));
}
