//! `harness generate`: synthetic histories of transactions in a file.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

mod common;

use std::{fs::File, path::Path, process::Command};

use common::{HARNESS, Ran, finish};
use history::{Events, Format};
use isolation::{Datatype, History, Options, check};

fn generate(path: &Path, arguments: &[&str]) -> Ran {
    finish(Command::new(HARNESS).arg("generate").arg(path).args(arguments))
}

fn anomalies(path: &Path, format: Format, datatype: Datatype) -> Vec<String> {
    let events = Events::new(File::open(path).unwrap(), format);
    let events: Vec<_> = events.map(|located| located.unwrap().event).collect();
    let operations = history::operations(&events).unwrap();
    let history = History::from_operations(datatype, &operations).unwrap();
    let report = check(&history, &Options::default());
    report.anomalies.iter().map(|finding| finding.anomaly.name()).collect()
}

#[test]
fn a_file_holds_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let lists = folder.path().join("lists.edn");
    let said = "lists.edn: 2000 events of 1000 transactions";
    generate(&lists, &["--transactions", "1000"]).expect(0, said);
    assert_eq!(anomalies(&lists, Format::Edn, Datatype::ListAppend), [""; 0]);

    let registers = folder.path().join("registers.jsonl");
    let arguments = ["--model", "rw-register", "--transactions", "1000", "--inject", "stale-read"];
    generate(&registers, &arguments).expect(0, "transactions, with one stale-read");
    let found = anomalies(&registers, Format::JsonLines, Datatype::Register);
    assert_eq!(found.first().map(String::as_str), Some("G-single-item-realtime"));
}

#[test]
fn what_cannot_be_made_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.edn");
    generate(&file, &["--model", "lists"]).expect(2, "list-append, rw-register");
    generate(&file, &["--inject", "G7"]).expect(2, "G-single-item-process");
    let short = ["--inject", "stale-read", "--transactions", "1"];
    generate(&file, &short).expect(2, "too short to hold a stale-read");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "what could not be made leaves nothing behind");
    generate(&folder.path().join("no/such/folder.edn"), &[]).expect(2, "no/such");
}

#[test]
fn a_file_that_is_there_is_replaced_only_on_demand() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("precious.edn");
    std::fs::write(&file, "precious").unwrap();
    let few = ["--transactions", "10"];
    generate(&file, &few).expect(2, "--force");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    generate(&file, &["--force", "--transactions", "1", "--inject", "stale-read"])
        .expect(2, "short");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    generate(&file, &["--force", "--transactions", "10"]).expect(0, "20 events");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with('{'));
}
