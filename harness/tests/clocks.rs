//! Clocks end to end: the reference store sends them, the trace has them, nothing is wrong with them, and ShiViz could draw
//! them. Clocks that were made wrong are found, and change no verdict.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use common::{Bench, HARNESS, Ran, finish};
use record::{Clocks, MessageRecord};
use serde_json::Value;

/// A run under faults that restart nodes and disturb messages, valid and with some traffic.
fn run() -> Bench {
    let bench = Bench::with_reference_store();
    let ran = bench.run_until(
        "--nodes 3 --workload register --faults kill,network --fault-interval 2s --seed 6 --json",
        |ran| ran.code == 0 && messages(&bench.latest()).len() > 500,
    );
    assert_eq!(ran.expect(0, "").json()["verdict"], "valid");
    bench
}

/// Those between the nodes.
fn messages(folder: &Path) -> Vec<MessageRecord> {
    let text = fs::read_to_string(folder.join("messages.jsonl")).unwrap();
    let messages = text.lines().map(|line| serde_json::from_str::<MessageRecord>(line).unwrap());
    messages.filter(|message| message.from != "clients").collect()
}

fn clocks(message: &MessageRecord) -> &Clocks {
    message.clocks.as_ref().unwrap()
}

/// The row on clocks among the promises of a verdict.
fn row(ran: &Ran) -> Option<Value> {
    let results = ran.json();
    let rows = results["promises"].as_array().unwrap().clone();
    rows.into_iter().find(|row| row["promise"] == "clocks")
}

fn check(folder: &Path) -> Ran {
    finish(Command::new(HARNESS).arg("check").arg(folder).arg("--json"))
}

fn export(folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(HARNESS);
    finish(command.arg("export").arg(folder).args(arguments).stdin(Stdio::null()))
}

/// An event of a log for ShiViz: its text, its host, its clock.
type Event = (String, String, BTreeMap<String, usize>);

fn events(log: &str) -> Vec<Event> {
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines[0].contains("(?<host>") && lines[0].contains("(?<clock>"), "{}", lines[0]);
    let event = |pair: &[&str]| {
        let (host, clock) = pair[1].split_once(' ').unwrap();
        (pair[0].to_owned(), host.to_owned(), serde_json::from_str(clock).unwrap())
    };
    lines[2..].chunks(2).map(event).collect()
}

/// Each host counts by one, and whatever an event counts exists and is known with all that it knew.
#[track_caller]
fn assert_well_formed(events: &[Event]) {
    let mut hosts: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in events {
        let host = hosts.entry(&event.1).or_default();
        host.push(event);
        assert_eq!(event.2[&event.1], host.len(), "{event:?}");
    }
    for event in events {
        for (host, count) in &event.2 {
            let (_, _, known) = hosts[host.as_str()][count - 1];
            let is_below = known.iter().all(|(host, count)| event.2.get(host) >= Some(count));
            assert!(is_below, "{event:?} counts what it does not know");
        }
    }
}

#[test]
fn the_reference_store_sends_right_clocks_and_wrong_ones_are_found() {
    let bench = run();
    let folder = bench.latest().canonicalize().unwrap();
    let recorded = messages(&folder);
    for message in &recorded {
        let Clocks { lamport, vector, malformed, .. } = clocks(message);
        let own = vector.as_ref().and_then(|vector| vector.get(&message.from));
        assert!(lamport.is_some() && own.is_some() && !malformed, "{message:?}");
    }
    let accepts = recorded.iter().filter(|message| message.kind.as_deref() == Some("Accept"));
    assert!(accepts.clone().count() > 50);
    assert!(accepts.clone().all(|message| clocks(message).term.is_some()));
    let restarted = |message: &&MessageRecord| clocks(message).lamport > Some(1 << 32);
    assert!(recorded.iter().filter(restarted).count() > 50, "no node was restarted");
    let checked = check(&folder);
    assert_eq!(row(&checked).unwrap()["verdict"], "valid", "{}", checked.stdout);
    assert!(!checked.stdout.contains("clocks of the nodes are wrong"));

    a_log_is_well_formed(&folder, bench.store().parent().unwrap());

    for (fault, alter) in &FAULTS {
        alter_messages(&folder, &recorded, *alter);
        let checked = check(&folder);
        assert_eq!((checked.code, &checked.json()["verdict"]), (0, &"valid".into()), "{fault}");
        assert_eq!(row(&checked).unwrap()["verdict"], "violation", "{fault}: {}", checked.stdout);
        let note = &checked.json()["notes"][0];
        // Where the trace has a gap, knowledge from nowhere shows by what is lacking of it.
        let is_told = [*fault, "itself"].iter().any(|words| note.as_str().unwrap().contains(words));
        assert!(is_told, "{fault}: {note}");
    }
    alter_messages(&folder, &recorded, |_, message| message.clocks = None);
    assert_eq!(row(&check(&folder)), None);
    export(&folder, &["--shiviz"]).expect(2, "has a vector clock (X-DS-Vector)");
}

/// What makes clocks wrong, with words of the sentence about it.
type Alter = fn(usize, &mut MessageRecord);
const FAULTS: [(&str, Alter); 4] = [
    ("but no message of", |at, message| {
        if at == 400 {
            own(message, |vector, from| {
                vector
                    .iter_mut()
                    .filter(|(id, _)| *id != from)
                    .for_each(|(_, count)| *count += 1 << 40);
            });
        }
    }),
    ("its Lamport clock is 1,", |at, message| {
        if at == 400 {
            message.clocks.as_mut().unwrap().lamport = Some(1);
        }
    }),
    // All lives begin at nothing.
    ("either a sending was not counted, or the clock was forgotten in a restart", |_, message| {
        own(message, |vector, _| vector.values_mut().for_each(|count| *count %= 1 << 32));
    }),
    ("itself", |at, message| {
        if at == 400 {
            own(message, |vector, from| vector.retain(|id, _| id == from));
        }
    }),
];

fn own(message: &mut MessageRecord, change: impl FnOnce(&mut BTreeMap<String, u64>, &String)) {
    let from = message.from.clone();
    change(message.clocks.as_mut().unwrap().vector.as_mut().unwrap(), &from);
}

fn alter_messages(folder: &Path, recorded: &[MessageRecord], alter: Alter) {
    let mut text = String::new();
    for (at, message) in recorded.iter().enumerate() {
        let mut message = message.clone();
        alter(at, &mut message);
        text += &serde_json::to_string(&message).unwrap();
        text.push('\n');
    }
    fs::write(folder.join("messages.jsonl"), text).unwrap();
}

fn a_log_is_well_formed(folder: &Path, place: &Path) {
    let whole = export(folder, &["--shiviz", "--limit", "1000000"]).expect(0, "(?<event>");
    let shown = events(&whole.stdout);
    assert_well_formed(&shown);
    let count = |word: &str| shown.iter().filter(|event| event.0.contains(word)).count();
    assert_eq!(count(" send "), messages(folder).len());
    assert!(count(" receive ") * 2 > count(" send "), "{} receipts", count(" receive "));
    assert!(!whole.stderr.contains("are shown: the earliest"), "{}", whole.stderr);

    let file = place.join("run.log");
    let arguments =
        ["--shiviz", "--from-ms", "500", "--limit", "100", "-o", file.to_str().unwrap()];
    export(folder, &arguments).expect(0, "100 of ");
    let part = events(&fs::read_to_string(&file).unwrap());
    assert_well_formed(&part);
    assert!((100..=200).contains(&part.len()), "{} events", part.len());
    export(folder, &arguments).expect(2, "is there already");
    export(folder, &["--shiviz", "--from-ms", "999999999"])
        .expect(2, "passed in this span of time");
    export(folder, &[]).expect(2, "--shiviz");
    export(place, &["--shiviz"]).expect(2, "is no results folder");
}
