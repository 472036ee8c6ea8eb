//! MapReduce: jobs are started while workers are broken.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use std::process::Command;

use common::{Bench, HARNESS, finish};

#[test]
fn right_outputs_under_faults_are_valid_and_the_record_alone_says_so() {
    let bench = Bench::with_store("mapreduce", "mapreduce");
    let ran = bench.run_until_decided("--nodes 3 --clients 4 --seed 1");
    ran.expect(0, "were those of a sequential run");
    let of_latest = |file| std::fs::read_to_string(bench.latest().join(file)).unwrap();
    let history = of_latest("history.jsonl");
    assert!(history.contains("\"wordcount\"") && history.contains("\"index\""));
    let faults = of_latest("faults.jsonl");
    assert!(faults.contains("\"one-left\""), "{faults}");
    // The coordinator is neither killed nor paused.
    let at_nodes = |line: &&str| line.contains("\"kill\"") || line.contains("\"pause\"");
    assert!(faults.lines().filter(at_nodes).all(|line| !line.contains("\"c1\"")));
    let run = of_latest("run.json");
    assert!(run.contains("\"coordinator\": \"c1\"") && run.contains("\"mapreduce\""), "{run}");
    assert!(of_latest("report.html").contains("workers w1 w2 w3; coordinator c1"));
    bench.assert_nothing_left();
    std::fs::remove_dir_all(bench.latest().join("shared")).unwrap();
    bench.check().expect(0, "VALID: ");
    // One count that is changed in the record is found.
    let changed = wrong_by_one(&history);
    std::fs::write(bench.latest().join("history.jsonl"), changed).unwrap();
    bench.check().expect(1, "Wrong result: Job j");
}

/// The history with one count of one output made larger.
fn wrong_by_one(history: &str) -> String {
    let is_count = |line: &&str| line.contains("\"done\"") && line.contains("mr-out-");
    let mut changed = false;
    let change = |line: &str| {
        let at = line.find(" 1\\n").filter(|_| !changed && is_count(&line));
        let Some(at) = at else { return format!("{line}\n") };
        changed = true;
        format!("{} 2\\n{}\n", &line[..at], &line[at + 4..])
    };
    history.lines().map(change).collect()
}

#[test]
fn without_faults_nothing_is_broken_and_too_few_jobs_are_inconclusive() {
    let bench = Bench::with_store("mapreduce", "mapreduce");
    let ran = bench.run("--workload mapreduce --faults none --clients 1 --time-limit 200ms");
    ran.expect(3, "Too little was seen: ");
}

#[test]
fn what_has_no_meaning_is_refused() {
    let bench = Bench::with_store("mapreduce", "mapreduce");
    for (options, complaint) in [
        ("--rate 5", "leave out --rate"),
        ("--consistency serializable", "leave out --consistency"),
        ("--fault-interval 5s", "leave out --fault-interval"),
        ("--faults client", "`client` means nothing to `mapreduce`"),
        (
            "--workload register",
            "which is no store: test it with `harness run … --workload mapreduce`",
        ),
    ] {
        bench.run(options).expect(2, complaint);
    }
    let toy = Bench::with_toy("");
    toy.run("--workload mapreduce").expect(2, "needs `mapreduce` in the `serves`");
    let mut up = Command::new(HARNESS);
    finish(up.arg("up").arg(bench.store())).expect(2, "which is no store");
}

/// A coordinator that does all by itself: nobody would notice that its workers are away.
fn toy(flaw: &str) -> Bench {
    let toy = common::example("toy_mapreduce");
    Bench::with_manifest(&format!(
        "name = \"toy\"\nrun = [{toy:?}, {flaw:?}]\nserves = [\"mapreduce\"]\n\
         [timeouts]\nrecovery_ms = 2000\n"
    ))
}

#[test]
fn outputs_that_are_none_are_violations_and_harm_nobody() {
    let run = "--faults none --seed 1 --clients 4 --time-limit 2s";
    toy("").run(run).expect(0, "were those of a sequential run");
    for (flaw, sentence) in [
        ("outside", "is not in DS_SHARED"),
        ("binary", "is no UTF-8 from byte 1 on"),
        ("huge", "at most 1048576 are read"),
    ] {
        let ran = toy(flaw).run(run).expect(1, "VIOLATION: Unreadable output: Job j");
        assert!(ran.stdout.contains(sentence), "{}", ran.stdout);
    }
    let ran = toy("ends").run(run);
    ran.expect(1, "Node c1 ended by itself (exited with code 3; its stderr ends with \"five jobs");
    toy("gibberish").run(run).expect(4, "missing field `job`");
}

#[test]
fn jobs_that_never_end_are_a_violation() {
    let ran = toy("never").run("--faults none --seed 1 --clients 2 --time-limit 1s");
    ran.expect(1, "VIOLATION: No progress: A job that a client started at ");
}
