//! The main job, end to end: the reference store as real processes under real faults is found valid, and not because
//! nothing happened.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use std::{path::Path, process::Command};

use common::{Bench, HARNESS, Ran, example, finish};
use serde_json::Value;

/// Runs the reference store until every family of faults has shown and it has done something; each run must be right.
#[track_caller]
fn valid(arguments: &str, families: &[&str]) {
    let results = valid_in(&Bench::with_reference_store(), arguments, families);
    let checks = results["checks"].as_array().unwrap();
    let compaction = checks.iter().find(|check| check["checker"] == "compaction");
    assert_eq!(compaction.unwrap()["verdict"], "valid", "{results}");
}

/// The same of the store of a bench; its results.
#[track_caller]
fn valid_in(bench: &Bench, arguments: &str, families: &[&str]) -> Value {
    let ran = bench.run_until(&format!("{arguments} --json"), |ran| {
        assert!(matches!(ran.code, 0 | 3), "exit {}\n{}\n{}", ran.code, ran.stdout, ran.stderr);
        ran.code == 0 && done(ran) > 200
    });
    let done = done(&ran);
    let results = ran.expect(0, "").json();
    assert_eq!(results["verdict"], "valid");
    for family in families {
        assert!(
            results["faults"][family]["effective"].as_u64().unwrap() > 0,
            "{family}: {results}"
        );
    }
    assert!(done > 200, "only {done} operations succeeded");
    results
}

/// How many operations succeeded.
fn done(ran: &Ran) -> u64 {
    let results = ran.json();
    let operations = results["operations"].as_object().unwrap();
    operations.values().map(|counts| counts["ok"].as_u64().unwrap()).sum()
}

#[test]
fn without_a_folder_it_is_the_reference_store_that_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = Command::new(HARNESS);
    // What is wrong with the workload shows once the store's manifest has been read.
    command.current_dir(root).args(["run", "--workload", "nonsense"]);
    finish(&mut command).expect(2, "there is no workload `nonsense`");
}

#[test]
fn three_nodes_keep_the_bank_right() {
    valid(
        "--nodes 3 --workload bank --faults partition,kill,pause,client --fault-interval 2s --seed 1",
        &["partition", "kill", "pause", "client"],
    );
}

#[test]
fn five_nodes_keep_registers_linearizable_under_every_family() {
    valid(
        "--workload register --nodes 5 --faults partition,kill,pause,network,client --fault-interval 2s \
         --seed 2",
        &["partition", "kill", "pause", "network", "client"],
    );
}

#[test]
fn swaps_stay_permutations() {
    valid(
        "--nodes 3 --workload bank:swap --faults kill,network --fault-interval 2s --seed 3",
        &["kill", "network"],
    );
}

#[test]
fn transactions_on_lists_stay_strictly_serializable() {
    valid(
        "--nodes 3 --workload list-append --faults partition,kill,pause --seed 3",
        &["partition", "kill", "pause"],
    );
}

#[test]
fn one_server_carries_out_each_request_exactly_once() {
    let bench = Bench::with_store("exactly-once", "exactly_once");
    let faults = ["kill", "pause", "client"];
    valid_in(&bench, "--workload counter --faults kill,pause,client --seed 4", &faults);
}

/// Its view service is a process beside its nodes, which clients do not ask and no kill or pause strikes.
#[test]
fn a_primary_and_its_backup_keep_the_bank_right() {
    let bench = Bench::with_store("primary-backup", "primary_backup");
    let arguments =
        "--nodes 3 --workload bank --faults partition,kill,pause,client --seed 5 --json";
    let is_kept = |ran: &Ran, promise: &str| {
        let results = ran.json();
        let mut rows = results["promises"].as_array().unwrap().iter();
        rows.any(|row| row["promise"] == promise && row["verdict"] == "valid")
    };
    let promises = ["goes on without each node", "one primary at a time", "clocks"];
    let ran = bench.run_until(arguments, |ran| {
        assert!(matches!(ran.code, 0 | 3), "exit {}\n{}\n{}", ran.code, ran.stdout, ran.stderr);
        ran.code == 0 && promises.iter().all(|promise| is_kept(ran, promise))
    });
    for promise in promises {
        assert!(is_kept(&ran, promise), "{promise}: {}", ran.stdout);
    }
    let read = |file: &str| std::fs::read_to_string(bench.latest().join(file)).unwrap();
    assert!(read("nodes/v1/stderr.log").contains("recovered"), "the view service did not run");
    let faults = read("faults.jsonl");
    let struck = faults.lines().filter(|line| line.contains("\"v1\""));
    assert_eq!(struck.collect::<Vec<_>>(), [""; 0], "links are named n1>v1");
    let history = read("history.jsonl");
    let of_clients = history.lines().filter(|line| !line.contains("\"process\":\"harness\""));
    let asked = of_clients.filter(|line| line.contains("\"node\":\"v1\""));
    assert_eq!(asked.collect::<Vec<_>>(), [""; 0], "a client asked the view service");
}

#[test]
fn registers_that_every_node_proposes_to_are_linearizable() {
    let faults = ["partition", "kill", "pause", "client"];
    valid_in(
        &Bench::with_store("single-decree", "single_decree"),
        "--nodes 3 --workload register --faults partition,kill,pause,client --seed 6",
        &faults,
    );
}

#[test]
fn a_raft_keeps_lists_strictly_serializable() {
    let bench = Bench::with_store("raft", "raft");
    let faults = ["partition", "kill", "pause", "client"];
    valid_in(
        &bench,
        "--nodes 3 --workload list-append --faults partition,kill,pause,client --seed 6",
        &faults,
    );
}

#[test]
fn a_shard_controller_keeps_its_rules() {
    let bench = Bench::with_store("shard-controller", "shard_controller");
    let faults = ["partition", "kill", "pause", "client"];
    let arguments = "--nodes 3 --workload controller --faults partition,kill,pause,client --seed 7";
    let results = valid_in(&bench, arguments, &faults);
    let checks = results["checks"].as_array().unwrap();
    let rules = checks.iter().find(|check| check["checker"] == "configurations").unwrap();
    assert!(rules["statistics"]["changes"].as_u64().unwrap() > 10, "{rules}");
}

/// Its clients learn from the controllers whom to ask; each group is struck, and answers for itself.
#[test]
fn a_sharded_store_keeps_transactions_right_while_its_shards_move() {
    let bench = Bench::with_store("sharded", "sharded");
    let faults = ["partition", "kill", "pause", "client", "shards"];
    let arguments =
        "--nodes 3 --workload multi --faults partition,kill,pause,client,shards --seed 8";
    valid_in(&bench, arguments, &faults);
    let read = |file: &str| std::fs::read_to_string(bench.latest().join(file)).unwrap();
    for node in ["c1", "n1", "n6"] {
        assert!(read(&format!("nodes/{node}/stderr.log")).contains("recovered"), "{node}");
    }
    let history = read("history.jsonl");
    for asked in ["\"node\":\"n1\"", "\"node\":\"n4\"", "\"f\":\"move\""] {
        assert!(history.contains(asked), "{asked}");
    }
}

#[test]
fn the_one_server_refuses_to_be_several() {
    let bench = Bench::with_store("exactly-once", "exactly_once");
    let ran = bench.run("--workload counter --nodes 3 --faults none --time-limit 3s");
    ran.expect(4, "this store is one server");
}

/// A store that does not claim to restart may forget everything when it is killed: starting it again would make the
/// bench itself break it.
#[test]
fn a_store_that_cannot_restart_loses_a_node_for_good() {
    let bench = Bench::with_manifest(&format!(
        "name = \"no-restart\"\nserves = [\"replicated-kv\"]\ncaps = [\"txn\", \"multi\", \"exactly-once\"]\nrun = [{:?}]\n",
        example("reference_store")
    ));
    let ran = bench
        .run_until_decided("--nodes 3 --workload bank --faults kill --fault-interval 2s --seed 1");
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

/// What a killed node of such a store knows is in the memories of the others, so a majority must keep it.
#[test]
fn nodes_that_come_back_with_the_help_of_the_others_are_killed_few_at_a_time() {
    let bench = Bench::with_store("viewstamped", "viewstamped");
    let run =
        "--workload register --nodes 3 --faults kill,partition,pause --fault-interval 2s --seed 4";
    let results = valid_in(&bench, run, &["kill", "partition", "pause"]);
    assert!(results.to_string().contains("the store has `rejoin`"), "{results}");
    let durable = results["promises"].as_array().unwrap().iter();
    let durable = durable.clone().find(|promise| promise["promise"] == "durable through restarts");
    assert!(durable.unwrap()["verdict"].is_null(), "nothing of that was tested");
    let kills = kills_started(&bench);
    assert!(kills.len() > 1 && kills.iter().all(|nodes| nodes.len() == 1), "{kills:?}");
}

#[test]
fn no_other_node_is_killed_before_the_killed_one_is_ready_again() {
    let never_ready_again = Bench::with_manifest(&format!(
        "name = \"toy\"\nserves = [\"replicated-kv\"]\ncaps = [\"rejoin\", \"exactly-once\"]\nrun = [{:?}, \"unready-again\"]\n\
         [timeouts]\nready_ms = 2000\n",
        example("toy_store")
    ));
    // Its nodes are three stores, so that the verdict says nothing here.
    never_ready_again.run(
        "--workload register --nodes 3 --faults kill --fault-interval 1s --time-limit 10s --seed 1 --to-the-end",
    );
    let mut killed = kills_started(&never_ready_again).concat();
    killed.sort();
    killed.dedup();
    assert_eq!(killed.len(), 1, "{killed:?}");
    let faults = faults(&never_ready_again);
    assert!(faults.contains("is not ready again") && faults.contains("missed"), "{faults}");
}

fn faults(bench: &Bench) -> String {
    std::fs::read_to_string(bench.latest().join("faults.jsonl")).unwrap()
}

/// Which nodes each kill hit.
fn kills_started(bench: &Bench) -> Vec<Vec<String>> {
    let faults = faults(bench);
    let faults = faults.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let kills = faults.filter(|fault| fault["family"] == "kill" && fault["step"] == "started");
    kills.map(|fault| serde_json::from_value(fault["targets"].clone()).unwrap()).collect()
}
