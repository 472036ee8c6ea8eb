//! Stores that do next to nothing are not called valid, and neither are runs that ask for next to nothing.

mod common;

use common::Bench;

const RUN: &str = "--workload register --faults none --time-limit 3s --clients 4 --seed 1";

/// The toy store with this flaw never answers wrongly, and yet there is nothing to rely on.
#[track_caller]
fn inconclusive(flaw: &str, arguments: &str, sentence: &str) {
    Bench::with_toy(flaw).run(arguments).expect(3, sentence);
}

#[test]
fn one_that_does_all_it_is_asked_for_is_valid() {
    Bench::with_toy("").run(RUN).expect(0, "VALID");
}

#[test]
fn one_that_refuses_nearly_everything() {
    inconclusive(
        "idle",
        RUN,
        "successes among a hundred operations called while nothing was broken",
    );
}

#[test]
fn one_that_serves_one_client_of_four() {
    inconclusive("choosy", RUN, "operations that succeeded of client 1: 0 of at least 5");
}

#[test]
fn a_run_of_a_few_operations_says_so_before_it_starts() {
    let few = format!("{RUN} --time-limit 1s --rate 5");
    let few = few.replace("--time-limit 3s ", "");
    let bench = Bench::with_toy("");
    let ran = bench.run(&few).expect(3, "of at least 100");
    assert!(ran.stderr.contains("This run cannot be called valid"), "{}", ran.stderr);
    let ran = bench.run(&format!("{few} --require none")).expect(0, "VALID");
    assert!(!ran.stderr.contains("cannot be called valid"), "{}", ran.stderr);
}

#[test]
fn faults_that_cannot_be_planned_are_told_before_the_run() {
    let ran = Bench::with_toy("").run("--faults partition --time-limit 1s --clients 4 --seed 1");
    let ran = ran.expect(3, "partition");
    assert!(ran.stderr.contains("there is nothing that partition could break"), "{}", ran.stderr);
}

#[test]
fn one_that_keeps_everything_that_was_overwritten() {
    let toy = common::example("toy_store");
    let bench = |flaw: &str| {
        Bench::with_manifest(&format!(
            "name = \"hoarder\"\nrun = [{toy:?}, {flaw:?}]\nserves = [\"replicated-kv\"]\n\
             caps = [\"append\", \"cas\", \"exactly-once\"]\n"
        ))
    };
    let ran = bench("hoard").run(RUN).expect(3, "The log does not seem to compact. Of 512 KiB");
    assert!(ran.stdout.contains("n1 10"), "{}", ran.stdout);
    bench("hoard").run(&format!("{RUN} --require percent-compacted=0")).expect(0, "VALID");
    bench("").run(RUN).expect(0, "VALID");
}

/// Valid it was, for faults of all families overlapped, so that no node was ever away alone for long.
#[test]
fn a_single_server_behind_fronts_is_no_replicated_store() {
    let toy = common::example("toy_store");
    let bench = Bench::with_manifest(&format!(
        "name = \"front\"\nrun = [{toy:?}, \"front\"]\nserves = [\"replicated-kv\"]\n\
         caps = [\"append\", \"cas\", \"exactly-once\"]\n"
    ));
    let run = "--workload register --nodes 3 --faults partition,pause --time-limit 25s --seed 1";
    let ran = bench.run(run).expect(3, "INCONCLUSIVE");
    let why = ["Nothing succeeded without n1", "cut off from every majority"];
    assert!(why.iter().any(|why| ran.stdout.contains(why)), "{}", ran.stdout);
}
