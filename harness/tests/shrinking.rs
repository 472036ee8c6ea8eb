//! A failure is made smaller, and comes back under the plan that is left.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use std::{path::Path, process::Command};

use common::{Bench, HARNESS, Ran, finish};

fn shrink(bench: &Bench, plan: &Path) -> Ran {
    let mut command = Command::new(HARNESS);
    command.arg("shrink").arg(bench.latest()).arg("--plan").arg(plan);
    finish(command.args(["--tries", "2", "--times", "2"]))
}

/// The toy store keeps nothing on disk, though it says that it may be started again.
#[test]
fn what_is_left_of_many_faults_is_the_kill_that_a_store_in_memory_does_not_survive() {
    let bench = Bench::with_toy("");
    let faults = "--workload register --faults kill,pause,client --seed 3 --time-limit 10s";
    bench.run(faults).expect(1, "");
    let plan = bench.out().join("plan.json");
    let ran = shrink(&bench, &plan);
    let ran = ran.expect(0, "the failure came back in 2 of 2 runs");
    assert!(ran.stdout.starts_with("n1 ") || ran.stdout.starts_with("kill n1"), "{}", ran.stdout);
    let text = std::fs::read_to_string(&plan).unwrap();
    let smallest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let acts = smallest["acts"].as_array().unwrap();
    let faults: Vec<_> = acts.iter().flat_map(|act| act["faults"].as_array().unwrap()).collect();
    assert_eq!((faults.len(), &faults[0]["family"]), (1, &"kill".into()), "{text}");
    let again = format!("--workload register --plan {} --time-limit 5s", plan.display());
    let ran = bench.run(&again).expect(1, "");
    assert!(ran.stdout.contains("--plan"), "{}", ran.stdout);
}

#[test]
fn a_run_that_did_not_fail_has_nothing_to_shrink() {
    let bench = Bench::with_toy("");
    let enough = "--require succeeded=10,each-client=1,each-kind=1";
    bench
        .run(&format!("--workload register --faults pause --seed 3 --time-limit 3s {enough}"))
        .expect(0, "VALID");
    let plan = bench.out().join("plan.json");
    shrink(&bench, &plan).expect(2, "this run found no violation");
    assert!(!plan.exists());
}

#[test]
fn what_is_no_plan_is_refused() {
    let bench = Bench::with_toy("");
    let file = bench.store().join("submission.toml");
    bench.run(&format!("--plan {}", file.display())).expect(2, "this is no plan of faults");
    bench.run("--plan not/there.json").expect(2, "not/there.json");
    bench.run("--plan a.json --faults kill").expect(2, "cannot be used with");
}
