//! Every documented exit code, reached.

mod common;

use common::{Bench, HARNESS, finish};
use std::process::Command;

const FEW: &str = "--fault-interval 1s --clients 4 --seed 1";

#[test]
fn valid_is_0_and_json_is_one_document_with_the_verdict() {
    let bench = Bench::with_toy("");
    let ran =
        bench.run_until_decided(&format!("--workload bank --faults pause,client --json {FEW}"));
    let results = ran.expect(0, "").json();
    assert_eq!(results["verdict"], "valid");
    assert!(results["operations"]["txn"]["ok"].as_u64().unwrap() > 0, "{results}");
    assert!(results["faults"]["pause"]["effective"].as_u64().unwrap() > 0, "{results}");
    for file in [
        "run.json",
        "results.json",
        "history.jsonl",
        "faults.jsonl",
        "messages.jsonl",
        "report.html",
    ] {
        assert!(bench.latest().join(file).is_file(), "{file}");
    }
    assert!(bench.latest().join("nodes/n1/stderr.log").is_file());
    bench.assert_nothing_left();
}

#[test]
fn violation_is_1_where_a_store_forgets_what_it_acknowledged() {
    for workload in ["register", "bank:txn", "bank:swap"] {
        let bench = Bench::with_toy("");
        let ran = bench.run_until_decided(&format!("--workload {workload} --faults kill {FEW}"));
        // Who answered, and what was broken then, is part of the sentence.
        ran.expect(1, "VIOLATION").expect(1, "n1 answered").expect(1, "n1 was killed");
        bench.check().expect(1, "VIOLATION");
    }
}

#[test]
fn a_broken_store_gets_a_report_that_says_why() {
    let bench = Bench::with_toy("exit");
    let ran = bench.run(FEW).expect(4, "");
    assert!(
        ran.stderr.contains("ended while it was starting (exited with code 7)"),
        "{}",
        ran.stderr
    );
    let failure = std::fs::read(bench.latest().join("failure.json")).unwrap();
    let failure: serde_json::Value = serde_json::from_slice(&failure).unwrap();
    assert_eq!(failure["exit"], 4);
    let report = std::fs::read_to_string(bench.latest().join("report.html")).unwrap();
    for part in ["<h1>Broken</h1>", "exited with code 7", "I do not feel like it"] {
        assert!(report.contains(part), "{part}");
    }
    let bench = Bench::with_manifest(
        "name = \"x\"\nbuild = [\"false\"]\nrun = [\"true\"]\nserves = [\"replicated-kv\"]\n",
    );
    bench.run(&format!("--workload register {FEW}")).expect(4, "");
    let report = std::fs::read_to_string(bench.latest().join("report.html")).unwrap();
    assert!(report.contains("<h1>Broken</h1>") && report.contains("the build"), "{report}");
}

#[test]
fn usage_is_2_and_says_what_would_be_right() {
    let bench = Bench::with_toy("");
    bench.run("--workload nonsense").expect(2, "register");
    bench.run("--faults nonsense").expect(2, "partition");
    bench.run("--time-limit never").expect(2, "20s");
    bench.run("--time-limit 100000h").expect(2, "720h");
    bench.run("--rate 1e-20").expect(2, "0.01");
    let nowhere = Command::new(HARNESS).args(["run", "/nowhere/at/all"]).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(2));
    finish(Command::new(HARNESS).args(["check", "/"])).expect(2, "no results folder");
}

#[test]
fn a_workload_the_store_does_not_claim_to_serve_is_a_usage_error() {
    let bench =
        Bench::with_manifest("name = \"x\"\nrun = [\"true\"]\nserves = [\"replicated-kv\"]\n");
    bench.run("--workload bank:txn").expect(2, "caps");
    let bench = Bench::with_manifest("name = \"x\"\nrun = [\"true\"]\nserves = [\"mapreduce\"]\n");
    bench.run("--workload register").expect(2, "--workload mapreduce");
}

#[test]
fn inconclusive_is_3_where_a_fault_that_was_asked_for_never_took_hold() {
    let bench = Bench::with_toy("");
    // One node has no links to cut.
    bench
        .run(&format!("--workload register --faults partition --time-limit 2s {FEW}"))
        .expect(3, "partition");
}

#[test]
fn inconclusive_is_3_where_too_little_was_seen() {
    let bench = Bench::with_toy("");
    let ran = bench
        .run("--workload register --faults none --time-limit 500ms --clients 1 --rate 1 --seed 1");
    ran.expect(3, "Too little was seen");
}

#[test]
fn a_failing_machine_is_5() {
    let bench = Bench::with_toy("");
    let mut command = bench.command("--workload register --faults none --time-limit 1s");
    finish(command.args(["--out", "/dev/null/results"])).expect(2, "");
    let store = bench.store();
    let ran = finish(Command::new(HARNESS).args(["run", "--out", "/dev/null/results"]).arg(store));
    ran.expect(5, "/dev/null/results");
}

#[test]
fn repeating_a_run_says_how_often_the_failure_came_back() {
    let bench = Bench::with_toy("");
    let ran = bench
        .run_until(&format!("--workload register --faults kill --repeat 2 --json {FEW}"), |ran| {
            ran.json()["violations"] == 2
        });
    let ran = ran.expect(1, "");
    assert_eq!(ran.json()["violations"], 2);
    assert_eq!(ran.json()["runs"].as_array().unwrap().len(), 2);
}
