//! The main job, end to end: the reference store as real processes under real faults is found valid, and not because
//! nothing happened.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use std::process::{Command, Stdio};

use common::{HARNESS, finish};

/// Runs the reference store from the root of the checkout, as the README says.
#[track_caller]
fn valid(arguments: &str, families: &[&str]) {
    let place = tempfile::tempdir().unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = Command::new(HARNESS);
    command.current_dir(root).stdin(Stdio::null());
    command
        .arg("run")
        .args(arguments.split_whitespace())
        .args(["--json", "--out"])
        .arg(place.path());
    let results = finish(&mut command).expect(0, "").json();
    assert_eq!(results["verdict"], "valid");
    for family in families {
        assert!(
            results["faults"][family]["effective"].as_u64().unwrap() > 0,
            "{family}: {results}"
        );
    }
    let done: u64 = results["operations"]
        .as_object()
        .unwrap()
        .values()
        .map(|counts| counts["ok"].as_u64().unwrap())
        .sum();
    assert!(done > 200, "only {done} operations succeeded");
}

#[test]
fn three_nodes_keep_the_bank_right() {
    valid(
        "--workload bank --faults partition,kill,pause,client --fault-interval 2s --time-limit 8s --seed 1",
        &["partition", "kill", "pause", "client"],
    );
}

#[test]
fn five_nodes_keep_registers_linearizable_under_every_family() {
    valid(
        "--workload register --nodes 5 --faults partition,kill,pause,network,client --fault-interval 2s \
         --time-limit 8s --seed 2",
        &["partition", "kill", "pause", "network", "client"],
    );
}

#[test]
fn swaps_stay_permutations() {
    valid(
        "--workload bank:swap --faults kill,network --fault-interval 2s --time-limit 8s --seed 3",
        &["kill", "network"],
    );
}

#[test]
fn transactions_on_lists_stay_strictly_serializable() {
    valid(
        "--workload list-append --faults partition,kill,pause --time-limit 8s --seed 3",
        &["partition", "kill", "pause"],
    );
}

/// A store that does not claim to restart may forget everything when it is killed: starting it again would make the
/// bench itself break it.
#[test]
fn a_store_that_cannot_restart_loses_a_node_for_good() {
    let root =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().display().to_string();
    let bench = common::Bench::with_manifest(&format!(
        "name = \"no-restart\"\nserves = [\"replicated-kv\"]\ncaps = [\"txn\", \"multi\"]\n\
         build = [\"cargo\", \"build\", \"--release\", \"-p\", \"multi-paxos\", \"--manifest-path\", \
         \"{root}/Cargo.toml\", \"--target-dir\", \"{root}/target\"]\nrun = [\"{root}/target/release/multi-paxos\"]\n"
    ));
    let ran = bench.run(
        "--nodes 3 --workload bank --faults kill --fault-interval 2s --time-limit 6s --seed 1",
    );
    ran.expect(0, "VALID");
    let faults = std::fs::read_to_string(bench.latest().join("faults.jsonl")).unwrap();
    assert!(faults.contains("stays down"), "{faults}");
    for node in ["n1", "n2", "n3"] {
        let log =
            std::fs::read_to_string(bench.latest().join("nodes").join(node).join("stderr.log"))
                .unwrap();
        assert!(!log.contains("started again"), "{log}");
    }
}
