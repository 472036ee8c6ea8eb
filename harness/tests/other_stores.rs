//! Stores that promise less than the reference store, or are slower, are tested for what they promise.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use std::process::Command;

use common::{Bench, HARNESS, finish};

const FEW: &str = "--workload register --faults none --clients 4 --seed 1 --time-limit 5s \
                   --require succeeded=10,each-client=2,each-kind=1";

/// Half a second for each answer was once all that a store could get.
#[test]
fn a_slow_store_gets_the_time_that_its_manifest_asks_for() {
    // One client in four is patient, but whoever asks whether the store has recovered is not.
    Bench::with_toy("slow").run(FEW).expect(1, "did not succeed any more within 8 s");
    let patient = "[timeouts]\nattempt_ms = 3000\noperation_ms = 4000\n";
    let bench = Bench::with_toy_and("slow", patient);
    bench.run(FEW).expect(0, "VALID");
    let run = std::fs::read_to_string(bench.latest().join("run.json")).unwrap();
    let run: serde_json::Value = serde_json::from_str(&run).unwrap();
    assert_eq!(
        (&run["timeouts"]["attempt_ms"], &run["timeouts"]["stop_ms"]),
        (&3000.into(), &2000.into())
    );
}

/// Reads show a complete but old state: transactions have an order, but not that of real time.
#[test]
fn a_store_is_held_to_the_level_that_it_promises() {
    let run = "--workload list-append --faults none --clients 4 --seed 1 --time-limit 3s";
    Bench::with_toy("late").run(run).expect(1, "Not strict-serializable: ");

    let bench = Bench::with_toy_and("late", "promises = \"serializable\"\n");
    let ran = bench.run(run);
    let ran = ran.expect(0, "kept every promise of a serializable store that `list-append` checks");
    assert!(ran.stdout.contains("--consistency serializable"), "{}", ran.stdout);
    let of_latest = |file| std::fs::read_to_string(bench.latest().join(file)).unwrap();
    for file in ["run.json", "results.json"] {
        assert!(of_latest(file).contains("\"consistency\": \"serializable\""), "{file}");
    }
    assert!(of_latest("report.html").contains("held to serializable"));
    bench.check().expect(0, "VALID");

    // The command line wins.
    let check = |level: &str| {
        let mut command = Command::new(HARNESS);
        finish(command.arg("check").arg(bench.latest()).args(["--consistency", level]))
    };
    check("strict-serializable").expect(1, "Not strict-serializable: ");
    assert!(of_latest("report.html").contains("held to strict-serializable"));
    check("snapshot-isolation").expect(0, "of a snapshot-isolation store");
    let ran = bench.run(&format!("{run} --consistency strict-serializable"));
    ran.expect(1, "Not strict-serializable: ");
}

#[test]
fn a_workload_that_checks_more_than_is_promised_is_refused() {
    let weak = Bench::with_toy_and("", "promises = \"snapshot-isolation\"\n");
    weak.run("--workload register").expect(2, "these check it: list-append, rw-register");
    weak.run("--workload write-skew").expect(2, "checks what serializable or a stronger level");
    weak.run("--workload register --consistency none").expect(2, "no consistency model is named");
    let odd = Bench::with_toy_and("", "promises = \"snapshot\\u001b\"\n");
    odd.run("--workload list-append").expect(4, "no consistency model is named `snapshot\\u{1b}`");
    let bench = Bench::with_toy("");
    bench.run(FEW).expect(0, "kept every promise of a linearizable store that `register` checks");
    let mut check = Command::new(HARNESS);
    check.arg("check").arg(bench.latest()).args(["--consistency", "serializable"]);
    finish(&mut check).expect(2, "the workload `register` checks what linearizable");
}

#[test]
fn a_level_that_no_record_can_show_is_inconclusive_and_told_before() {
    let run = "--workload list-append --faults none --clients 4 --seed 1 --time-limit 3s --consistency read-atomic";
    let ran = Bench::with_toy("").run(run).expect(3, "Only a part of what read-atomic forbids");
    assert!(
        ran.stderr.contains("This run cannot be called valid: a record can show that read-atomic")
    );
}

/// The toy store that executes a request as often as it comes, with these `caps`.
fn without_memory_of_clients(caps: &str) -> Bench {
    let toy = common::example("toy_store");
    Bench::with_manifest(&format!(
        "name = \"toy\"\nrun = [{toy:?}, \"twice\"]\nserves = [\"replicated-kv\"]\ncaps = [{caps}]\n"
    ))
}

#[test]
fn a_store_is_tested_for_exactly_once_only_if_it_promises_it() {
    let run = "--workload set --faults client,network --fault-interval 1s --clients 4 --seed 1";
    let liar = without_memory_of_clients("\"append\", \"exactly-once\"");
    liar.run_until_decided(run).expect(1, "VIOLATION");

    let honest = without_memory_of_clients("\"append\"");
    honest.run_until_decided(run).expect(0, "VALID");
    let of_latest = |file| std::fs::read_to_string(honest.latest().join(file)).unwrap();
    let faults = of_latest("faults.jsonl");
    assert!(faults.contains("\"form\":\"lost-replies\""), "{faults}");
    assert!(faults.contains("without duplicates: the store does not list `exactly-once`"));
    assert!(of_latest("results.json").contains("No write was sent again"));
    assert!(of_latest("history.jsonl").contains("the reply was lost"));
}

#[test]
fn a_store_that_serves_exactly_once_must_say_so() {
    let forgotten =
        "name = \"x\"\nrun = [\"true\"]\nserves = [\"exactly-once-kv\"]\ncaps = [\"append\"]\n";
    Bench::with_manifest(forgotten).run(FEW).expect(4, "\"exactly-once\": add it to `caps`");
}

#[test]
fn a_node_that_needs_longer_to_bind_than_it_said_is_broken() {
    let hasty = "[timeouts]\nbind_ms = 1500\n";
    Bench::with_toy_and("mute", hasty).run(FEW).expect(4, "on its DS_LISTEN within 1s500ms");
    let none = "[timeouts]\nbind_ms = 0\n";
    Bench::with_toy_and("", none).run(FEW).expect(4, "`timeouts.bind_ms` is 0; it must be between");
}

#[test]
fn a_node_that_ends_by_itself_is_the_cause_that_is_named() {
    let cause =
        "Node n1 ended by itself (exited with code 3; its stderr ends with \"out of ideas\")";
    let crashing = Bench::with_toy("crash");
    let run = "--workload register --faults none --clients 4 --seed 1 --time-limit 3s";
    let ran = crashing.run(run).expect(1, cause);
    assert!(
        ran.stdout.contains("reads or writes did not succeed any more within 8 s"),
        "{}",
        ran.stdout
    );
}

/// One of three may end and the others go on: no promise is broken, and less was tested than asked for.
#[test]
fn a_store_that_goes_on_without_a_node_that_ended_by_itself_is_inconclusive() {
    let store = common::example("reference_store");
    let script =
        format!("[ $DS_NODE = n1 ] && exec timeout -s ABRT 3 {0}; exec {0}", store.display());
    let bench = Bench::with_manifest(&format!(
        "name = \"x\"\nserves = [\"replicated-kv\"]\ncaps = [\"exactly-once\"]\nrun = [\"sh\", \"-c\", {script:?}]\n"
    ));
    let run = "--nodes 3 --workload register --faults none --clients 4 --seed 1 --time-limit 5s";
    let ran = bench.run(run).expect(3, "INCONCLUSIVE: Node n1 ended by itself (");
    assert!(ran.stdout.contains("from then on less was tested"), "{}", ran.stdout);
}

/// A node of the reference store that runs this first when it is started again on its data.
fn started_again(first: &str) -> Bench {
    let store = common::example("reference_store");
    let store = store.display();
    let script = format!("[ $DS_NODE$DS_RESTART != n11 ] || {{ {first}; }}; exec {store}");
    Bench::with_manifest(&format!(
        "name = \"x\"\nserves = [\"replicated-kv\"]\ncaps = [\"exactly-once\", \"restart\"]\nrun = [\"sh\", \"-c\", {script:?}]\n"
    ))
}

const KILLS: &str =
    "--nodes 3 --workload register --faults kill --clients 4 --seed 1 --time-limit 6s";

/// The others cover it up: such a store was once INCONCLUSIVE at most.
#[test]
fn a_node_that_refuses_to_start_on_its_own_data_breaks_the_promise_of_a_restart() {
    let refuses = started_again("echo a hole in my log >&2; exit 3");
    let ran = refuses.run(KILLS).expect(
        1,
        "VIOLATION: No restart: Node n1 ended by itself (exited with code 3; its stderr",
    );
    assert!(ran.stdout.contains("this node is lost for good"), "{}", ran.stdout);
}

#[test]
fn a_node_that_starts_on_its_data_the_second_time_breaks_no_promise() {
    let once = started_again("[ -e $DS_DATA/tried ] || { touch $DS_DATA/tried; exit 3; }");
    once.run(KILLS).expect(3, "INCONCLUSIVE: Node n1 ended by itself (");
}

#[test]
fn a_node_that_breaks_the_contract_is_named() {
    Bench::with_toy("garbage").run(FEW).expect(4, "its answers break the contract: n1: status 200");
}
