//! View services: the bench plays the servers.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use std::process::Command;

use common::{Bench, HARNESS, finish};

const RUN: &str = "--workload view-service --seed 1";

fn toy(flaw: &str) -> Bench {
    let toy = common::example("toy_view_service");
    Bench::with_manifest(&format!(
        "name = \"toy\"\nrun = [{toy:?}, {flaw:?}]\nserves = [\"view-service\"]\n"
    ))
}

#[test]
fn a_right_view_service_is_valid() {
    let bench = Bench::with_store("primary-backup", "primary_backup");
    let run = |limit| bench.run(&format!("{RUN} --time-limit {limit}"));
    // A slow machine needs longer for all scripts.
    let mut shorter = ["30s", "60s"].into_iter().map(run);
    let ran = shorter.find(|ran| ran.code == 0).unwrap_or_else(|| run("120s"));
    let ran = ran.expect(0, "kept every rule of a view service");
    assert!(!ran.stderr.contains("cannot be called valid"), "{}", ran.stderr);
    bench.check().expect(0, "VALID: ");
    let of_latest = |file| std::fs::read_to_string(bench.latest().join(file)).unwrap();
    assert!(of_latest("history.jsonl").contains(r#""f":"start""#));
    let report = of_latest("report.html");
    for part in
        ["waits for acknowledgement", "n1, n2, n3, played by the bench", "Views: 1 (n1, no backup)"]
    {
        assert!(report.contains(part), "{part}");
    }
    let mut check = Command::new(HARNESS);
    check.arg("check").arg(bench.latest()).args(["--consistency", "serializable"]);
    finish(&mut check).expect(2, "knows no consistency levels");
}

#[test]
fn a_view_that_changes_too_early_is_a_violation_in_a_plain_sentence() {
    let ran = toy("early").run(&format!("{RUN} --time-limit 12s"));
    let ran = ran.expect(1, "VIOLATION: Changed before acknowledgement: In the script `");
    assert!(ran.stdout.contains(" had not acknowledged view "), "{}", ran.stdout);
}

#[test]
fn a_view_service_that_ends_or_hangs_is_a_violation() {
    let run = format!("{RUN} --time-limit 2s");
    let ran = toy("ends").run(&run);
    ran.expect(1, "Node v1 ended by itself (exited with code 3; its stderr ends with \"there is a backup: what now?\")");
    toy("hangs").run(&run).expect(1, "VIOLATION: The ping of n2 with 0 (from ");
}

#[test]
fn answers_that_are_no_views_break_the_contract() {
    let run = format!("{RUN} --time-limit 5s");
    toy("gibberish").run(&run).expect(4, "the view lacks `num`, a whole number from 0");
    let store = common::example("toy_store");
    let store = format!("name = \"toy\"\nrun = [{store:?}]\nserves = [\"view-service\"]\n");
    Bench::with_manifest(&store).run(&run).expect(4, "its answers break the contract");
}

#[test]
fn a_run_that_is_too_short_is_inconclusive_and_told_before() {
    let ran = toy("").run(&format!("{RUN} --time-limit 1s"));
    let ran = ran.expect(3, "these scripts were not played: ");
    assert!(ran.stderr.contains("the scripts of the courses need up to 20 s"), "{}", ran.stderr);
}

#[test]
fn what_has_no_meaning_for_a_view_service_is_refused() {
    let bench = toy("");
    bench.run(&format!("{RUN} --faults kill")).expect(2, "leave out --faults");
    bench.run(&format!("{RUN} --nodes 3")).expect(2, "leave out --nodes");
    bench.run("--workload register").expect(2, "serves only `view-service`, which is no store");
    let mut up = Command::new(HARNESS);
    finish(up.arg("up").arg(bench.store())).expect(2, "serves only `view-service`");
    Bench::with_toy("").run(RUN).expect(2, "needs `view-service` in the `serves`");
}
